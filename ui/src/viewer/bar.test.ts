import { describe, expect, test } from 'vitest';
import { fromKept, parseAdmission } from './admission';
import { barOf, jobOf, driverOf, veilOf } from './bar';
import { START } from '../live/state';
import type { LiveState } from '../live';
import type { ControlView, ViewerMode } from '../live/words';

function live(control: Partial<ControlView>, more: Partial<LiveState> = {}): LiveState {
  const whole: ControlView = { mode: 'idle', yours: false, lease: null, controller: null, settling: false, since: null, lapsesAt: null, job: null, asks: null, wantedBy: null, wantedByYou: false, ...control };
  return { ...START, connection: { kind: 'live' }, control: whole, ...more };
}

function check(state: LiveState, mode: ViewerMode, say: string, button: string | null, driver: string) {
  const bar = barOf(state, mode, 1_000_000);
  expect([bar.say, bar.button?.label ?? null, driverOf(state)]).toEqual([say, button, driver]);
}

describe('the bar', () => {
  test('says who drives, and offers the one thing to do', () => {
    check(live({ mode: 'ai' }), 'control', 'The agent is driving', 'Take control', 'agent');
    check(live({ mode: 'waiting' }), 'control', 'Needs you', 'Take control', 'needs');
    check(live({ mode: 'idle' }), 'control', 'Nobody is driving', 'Take control', 'idle');
    check(live({ mode: 'human', yours: true, lease: 3 }), 'control', 'You are driving', 'Hand back', 'you');
    check(live({ mode: 'human', controller: 'Ann' }), 'control', 'Ann is driving', null, 'other');
    check(live({ mode: 'ai', settling: true }), 'control', 'Handing over…', null, 'handing');
  });

  test('offers nothing to a link that can only watch, and says so', () => {
    for (const mode of ['ai', 'waiting', 'idle', 'shared'] as const) {
      const bar = barOf(live({ mode }), 'watch', 0);
      expect(bar.button).toBeNull();
      expect(bar.sub).toContain('This link can watch.');
    }
    check(live({ mode: 'waiting' }), 'watch', 'Waits for a person', null, 'needs');
  });

  test('counts down only near the end', () => {
    const driving = (lapsesAt: number) => barOf(live({ mode: 'human', yours: true, lease: 3, lapsesAt }), 'control', 1_000_000).sub;
    expect(driving(1_000_000 + 121_000)).not.toContain('lapses');
    expect(driving(1_000_000 + 65_000)).toContain('lapses in 1:05');
    expect(driving(999_000)).toContain('lapses in 0:00');
  });

  test('a refusal is said where the person looks', () => {
    expect(barOf(live({ mode: 'human', controller: 'Ann' }, { denied: 'Ann holds control.' }), 'control', 0).sub).toBe('Ann holds control.');
  });

  test('a lost picture says that it comes back, an ended one does not', () => {
    const lost: LiveState = { ...START, connection: { kind: 'lost', tries: 2 } };
    check(lost, 'control', 'The picture stopped', 'Reconnect now', 'nobody');
    expect(barOf(lost, 'control', 0).sub).toContain('try 2');
    const ended: LiveState = { ...START, connection: { kind: 'ended', reason: 'gone' } };
    check(ended, 'control', 'Ended', null, 'nobody');
    expect(veilOf(ended)).toEqual({ kind: 'ended', reason: 'gone' });
    check(START, 'control', 'Connecting', null, 'nobody');
  });
});

describe('admission', () => {
  test('is exactly what the runtime answers', () => {
    const admission = { token: 't', sandboxId: 'sbx_1', mode: 'watch' };
    expect(parseAdmission({ ...admission, more: 1 })).toEqual(admission);
    for (const broken of [null, 'text', {}, { ...admission, mode: 'drive' }, { ...admission, token: 7 }, { token: 't' }]) {
      expect(parseAdmission(broken)).toBeNull();
    }
  });

  test('survives a reload in its tab, and nothing else', () => {
    expect(fromKept(JSON.stringify({ token: 't', sandboxId: 's', mode: 'control' }))).toMatchObject({ kind: 'admitted' });
    expect(fromKept(null)).toEqual({ kind: 'refused' });
    expect(fromKept('{')).toEqual({ kind: 'refused' });
  });
});

test('the bar says which job is seen and what is asked', () => {
  const waiting = live({ mode: 'waiting', job: 'Invoices', asks: 'Sign in to portal.example' });
  expect(jobOf(waiting)).toBe('Invoices');
  expect(barOf(waiting, 'control', 0).say).toBe('Needs you: Sign in to portal.example');
  expect(barOf(waiting, 'watch', 0).say).toBe('Waits for a person: Sign in to portal.example');
  const asked = live({ mode: 'ai', job: 'Invoices', asks: 'May it click button "Pay now"?' });
  expect(barOf(asked, 'control', 0)).toMatchObject({ tone: 'needs', say: 'Asks: May it click button "Pay now"?' });
});
