import { describe, expect, test } from 'vitest';
import type { Recording } from '../types';
import type { StoryLine } from './story';
import { lineAt, placeOf, played, REST_MS, sayAt, shownAt, stepFrom, tickNear, timeAt, timelineOf } from './timeline';
import { plain } from './words';

const line = (key: string, at: number, over: Partial<Extract<StoryLine, { kind: 'line' }>> = {}): StoryLine => ({
  kind: 'line', key, at, tone: 'agent', words: [plain(key)], detail: null, picture: `${key}.png`, step: null, topics: [], ...over,
});
const gap = (at: number, endedAt: number | null): StoryLine => ({ kind: 'gap', key: 'gap', at, endedAt, heldMs: endedAt === null ? null : endedAt - at, who: null, sentence: '', note: null });
const small = (key: string, at: number) => ({ key, at, words: [plain(key)], picture: null, step: null, topics: [] });
const STORY: StoryLine[] = [
  line('opened', 1_000),
  { kind: 'fold', key: 'fold', at: 2_000, lines: [small('one', 2_000), small('two', 2_500)] },
  line('asked', 3_000, { tone: 'needs', picture: null }),
  gap(103_000, 145_000),
  line('clicked', 147_000),
];
const timeline = timelineOf(STORY, 149_000)!;
const recording = (over: Partial<Recording> = {}): Recording => ({ key: 'art_1', startedAt: 900, endedAt: 150_000, size: 1, gaps: [{ from: 103_000, to: 146_500, why: 'person' }], ...over });

describe('the track', () => {
  test('holds each step, question and takeover of the story', () => {
    expect(timeline.ticks.map(({ kind, key, at }) => [kind, key, at])).toEqual([
      ['step', 'opened', 1_000], ['step', 'fold', 2_000], ['step', 'fold', 2_500], ['mark', 'asked', 3_000], ['step', 'clicked', 147_000],
    ]);
    expect(timeline.gaps).toEqual([{ key: 'gap', from: 103_000, to: 145_000, words: 'You drove, 0:42.' }]);
    expect(timelineOf([], 5)).toBeNull();
  });
  test('gives a long pause no more room than a short one', () => {
    expect(placeOf(timeline, 1_000)).toBe(0);
    expect(placeOf(timeline, 149_000)).toBe(1);
    const whole = 2_000 + REST_MS + REST_MS + 2_000 + 2_000;
    expect(placeOf(timeline, 103_000)).toBeCloseTo((2_000 + REST_MS) / whole);
    for (const at of [1_000, 2_250, 50_000, 120_000, 147_000]) expect(timeAt(timeline, placeOf(timeline, at))).toBe(at);
    expect([timeAt(timeline, -1), timeAt(timeline, 2)]).toEqual([1_000, 149_000]);
  });
  test('finds the step at a place, and the next one', () => {
    expect(tickNear(timeline, placeOf(timeline, 147_100), 0.05)?.key).toBe('clicked');
    expect(tickNear(timeline, placeOf(timeline, 120_000), 0.01)).toBeNull();
    expect(stepFrom(timeline, 3_000, 1)?.at).toBe(147_000);
    expect(stepFrom(timeline, 3_000, -1)?.at).toBe(2_500);
    expect(stepFrom(timeline, 147_000, 1)).toBeNull();
  });
  test('a moment and its line of the story point at each other', () => {
    const lines = [999, 1_500, 2_700, 50_000, 110_000, 148_000].map((at) => lineAt(timeline, at));
    expect(lines).toEqual([null, 'opened', 'fold', 'asked', 'gap', 'clicked']);
    expect([sayAt(timeline, 1_500), sayAt(timeline, 110_000), sayAt(timeline, 0)]).toEqual(['opened', 'You drove, 0:42.', 'The beginning']);
  });
});

describe('what the stage shows', () => {
  const shown = (at: number, recordings: Recording[]) => {
    const it = shownAt(timeline, recordings, at);
    return it.kind === 'video' ? `${it.kind} ${it.seconds}` : it.kind === 'picture' ? it.name : it.kind;
  };
  test('without a recording: the picture of the step before, and never one from before a takeover', () => {
    const cases: [number, string][] = [[1_000, 'opened.png'], [50_000, 'opened.png'], [120_000, 'gap'], [146_000, 'nothing'], [148_000, 'clicked.png']];
    for (const [at, wanted] of cases) expect(shown(at, []), String(at)).toBe(wanted);
  });
  test('with one: the moment of the film, and nothing where it has a gap', () => {
    const cases: [number, string][] = [[1_900, 'video 1'], [120_000, 'gap'], [146_000, 'nothing'], [147_900, 'video 147']];
    for (const [at, wanted] of cases) expect(shown(at, [recording()]), String(at)).toBe(wanted);
  });
  test('after its end its last picture stands, unless a step has a newer one', () => {
    expect(shown(149_000, [recording({ endedAt: 148_000 })])).toBe('video 147.1');
    expect(shown(149_000, [recording({ endedAt: 146_800 })])).toBe('clicked.png');
    expect(shown(2_900, [recording({ endedAt: 2_000, gaps: [{ from: 1_500, to: 2_000, why: 'person' }] })])).toBe('opened.png');
  });
});

test('play goes on as time does, and passes over rest and takeovers', () => {
  expect(played(timeline, 1_000, 200)).toBe(1_200);
  expect(played(timeline, 3_000, REST_MS / 2)).toBe(3_000 + REST_MS / 2);
  expect(played(timeline, 3_000 + REST_MS / 2, 100)).toBe(103_000 - REST_MS / 2);
  expect(played(timeline, 102_950, 100)).toBe(103_050);
  expect(played(timeline, 103_000 + REST_MS / 4, 1)).toBe(145_000);
  expect(played(timeline, 148_950, 200)).toBe(149_000);
  const open = timelineOf([line('a', 0), gap(1_000, null)], 9_000)!;
  expect(played(open, 5_000, 10)).toBe(9_000);
});
