/**
 * The timeline of a sandbox: its story on one track, and what the stage shows at a moment of it.
 *
 * A pause takes no more room than {@link REST_MS}, so that an hour of waiting does not press the steps together.
 */
import type { Recording } from '../types';
import { gapHead, type StoryLine, type Tone } from './story';
import { text } from './words';

/** The longest pause that is drawn, and played, at its true length. */
export const REST_MS = 8_000;

/** One step, or something that a person was asked. `key` is that of its line in the story. */
export interface Tick {
  kind: 'step' | 'mark';
  key: string;
  at: number;
  tone: Tone;
  words: string;
  picture: string | null;
}

/** A time in which a person drove; `to` is `null` while they still do. */
export interface Gap {
  key: string;
  from: number;
  to: number | null;
  words: string;
}

export interface Timeline {
  from: number;
  to: number;
  ticks: Tick[];
  gaps: Gap[];
  /** Where the track bends, ascending: a time, and how far along the track it is, from 0 to 1. */
  bends: { at: number; x: number }[];
}

/** What the stage shows at a moment. */
export type Shown =
  /** Nothing was kept: a person drove, or nothing could be recorded. */
  | { kind: 'gap'; words: string }
  | { kind: 'video'; recording: Recording; seconds: number }
  /** What the page showed after the step before the moment. */
  | { kind: 'picture'; name: string; words: string }
  | { kind: 'nothing' };

/** Returns the timeline of a story; `now` is its end while it goes on. `null` before anything happened. */
export function timelineOf(lines: readonly StoryLine[], now: number): Timeline | null {
  const ticks: Tick[] = [];
  const gaps: Gap[] = [];
  for (const line of lines) {
    switch (line.kind) {
      case 'line':
        ticks.push({ kind: line.tone === 'needs' ? 'mark' : 'step', key: line.key, at: line.at, tone: line.tone, words: text(line.words), picture: line.picture });
        break;
      case 'fold':
        for (const small of line.lines) ticks.push({ kind: 'step', key: line.key, at: small.at, tone: 'quiet', words: text(small.words), picture: small.picture });
        break;
      case 'gap':
        gaps.push({ key: line.key, from: line.at, to: line.endedAt, words: gapHead(line) });
        break;
    }
  }
  const first = Math.min(...ticks.map((tick) => tick.at), ...gaps.map((gap) => gap.from));
  if (!Number.isFinite(first)) return null;
  ticks.sort((a, b) => a.at - b.at);
  const from = first;
  const to = Math.max(now, ...ticks.map((tick) => tick.at), ...gaps.map((gap) => gap.to ?? gap.from));
  const edges = [from, ...ticks.map((tick) => tick.at), ...gaps.flatMap((gap) => [gap.from, gap.to ?? to]), to];
  return { from, to, ticks, gaps, bends: bendsOf([...new Set(edges)].sort((a, b) => a - b)) };
}

function bendsOf(edges: readonly number[]): Timeline['bends'] {
  const lengths = edges.slice(1).map((at, i) => Math.min(at - edges[i]!, REST_MS));
  const whole = lengths.reduce((sum, length) => sum + length, 0) || 1;
  let sum = 0;
  return edges.map((at, i) => {
    if (i > 0) sum += lengths[i - 1]!;
    return { at, x: sum / whole };
  });
}

/** Returns how far along the track a time is, from 0 to 1. */
export function placeOf({ bends }: Timeline, at: number): number {
  return between(bends, at, 'at', 'x');
}

/** Returns the time at a place of the track. */
export function timeAt({ bends }: Timeline, x: number): number {
  return Math.round(between(bends, x, 'x', 'at'));
}

function between(bends: Timeline['bends'], value: number, by: 'at' | 'x', wanted: 'at' | 'x'): number {
  // The first that is not before the value: both rise along the track.
  let [next, end] = [0, bends.length];
  while (next < end) {
    const middle = (next + end) >> 1;
    if (bends[middle]![by] >= value) end = middle;
    else next = middle + 1;
  }
  if (next === 0) return bends[0]![wanted];
  if (next === bends.length) return bends.at(-1)![wanted];
  const [a, b] = [bends[next - 1]!, bends[next]!];
  return a[wanted] + ((value - a[by]) / (b[by] - a[by])) * (b[wanted] - a[wanted]);
}

/** Returns the step nearest to a place of the track, if one is within `reach` of it. */
export function tickNear(timeline: Timeline, x: number, reach: number): Tick | null {
  let nearest: Tick | null = null;
  let distance = reach;
  for (const tick of timeline.ticks) {
    const away = Math.abs(placeOf(timeline, tick.at) - x);
    if (away <= distance) [nearest, distance] = [tick, away];
  }
  return nearest;
}

/** Returns the step next to a moment in a direction; `null` beyond the last. */
export function stepFrom({ ticks }: Timeline, at: number, by: 1 | -1): Tick | null {
  return (by === 1 ? ticks.find((tick) => tick.at > at) : ticks.findLast((tick) => tick.at < at)) ?? null;
}

/** Names the line of the story that a moment belongs to. */
export function lineAt({ ticks, gaps }: Timeline, at: number): string | null {
  const tick = ticks.findLast((each) => each.at <= at);
  const gap = gaps.findLast((each) => each.from <= at);
  if (tick === undefined || (gap !== undefined && gap.from > tick.at)) return gap?.key ?? null;
  return tick.key;
}

/** Returns the gap that a moment is in. */
export function gapAt({ gaps }: Timeline, at: number): Gap | null {
  return gaps.find((gap) => gap.from <= at && at < (gap.to ?? Infinity)) ?? null;
}

/** Returns what the stage shows at a moment. */
export function shownAt(timeline: Timeline, recordings: readonly Recording[], at: number): Shown {
  const gap = gapAt(timeline, at);
  if (gap !== null) return { kind: 'gap', words: gap.words };
  // A picture from before a person drove says nothing about the page after it.
  const since = Math.max(0, ...timeline.gaps.map((each) => each.to ?? 0).filter((to) => to <= at));
  const tick = timeline.ticks.findLast((each) => each.picture !== null && each.at <= at && each.at >= since);
  const recording = recordings.findLast((each) => each.startedAt <= at);
  // After its end its last picture stands, unless a step has a newer one.
  if (recording !== undefined && (at <= recording.endedAt || (tick?.at ?? 0) <= recording.endedAt)) {
    const moment = Math.min(at, recording.endedAt);
    const isBlind = recording.gaps.some((each) => each.from <= moment && (moment < each.to || each.to === recording.endedAt));
    if (!isBlind) return { kind: 'video', recording, seconds: (moment - recording.startedAt) / 1000 };
  }
  return tick?.picture == null ? { kind: 'nothing' } : { kind: 'picture', name: tick.picture, words: tick.words };
}

/** Returns the moment after `ms` of play: pauses longer than {@link REST_MS} and what nobody may see are passed over. */
export function played(timeline: Timeline, at: number, ms: number): number {
  const moved = at + ms;
  const gap = gapAt(timeline, moved);
  if (gap !== null) {
    // A moment of it is shown, so that it is seen that there was one.
    const shownUntil = gap.from + REST_MS / 4;
    return moved < shownUntil ? moved : (gap.to ?? timeline.to);
  }
  const next = timeline.bends.find((bend) => bend.at > at);
  const before = timeline.bends.findLast((bend) => bend.at <= at);
  if (next === undefined || before === undefined) return timeline.to;
  const rested = moved - before.at > REST_MS / 2 && next.at - moved > REST_MS / 2;
  return Math.min(rested ? next.at - REST_MS / 2 : moved, timeline.to);
}

/** Says what happened at a moment, for those who do not see the track. */
export function sayAt(timeline: Timeline, at: number): string {
  const gap = gapAt(timeline, at);
  if (gap !== null) return gap.words;
  return timeline.ticks.findLast((each) => each.at <= at)?.words ?? 'The beginning';
}
