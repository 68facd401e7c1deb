import { describe, expect, test } from 'vitest';
import type { ControlView, Sandbox, Task } from '../types';
import { firstSentence, frameOf, mayTakeControl, whyNoControl, type FrameInput } from './frame';
import { phaseOf, startSteps } from './phase';
import { AT, eventsOf, handoffOf, sandboxOf, taskOf, type InShort } from './testing';

const control = (over: Partial<ControlView>): ControlView => ({
  mode: 'ai',
  yours: false,
  lease: null,
  controller: null,
  settling: false,
  since: AT,
  lapsesAt: null,
  job: null,
  asks: null,
  wantedBy: null,
  wantedByYou: false,
  ...over,
});

function shown(sandbox: Sandbox, task: Task | null, view: ControlView | null, over: Partial<FrameInput> = {}) {
  const phase = phaseOf(sandbox, task, view, []);
  const frame = frameOf({
    sandbox,
    phase,
    doing: null,
    artifacts: [],
    takeovers: { times: 0, heldMs: 0 },
    handingBack: false,
    lost: null,
    now: AT,
    ...over,
  });
  return { ...frame, phase: phase.kind };
}

describe('who drives', () => {
  test('the agent, and what it does', () => {
    const frame = shown(sandboxOf(), taskOf(), control({}), { doing: 'Clicked October' });
    expect(frame).toMatchObject({ phase: 'agent', tone: 'agent', say: 'The agent is driving', sub: 'Clicked October' });
    expect(frame.primary).toEqual({ act: 'takeControl', label: 'Take control', key: 'F9' });
  });

  test('nobody until a person comes: the sentence says what for, and that nothing expires', () => {
    const sandbox = sandboxOf({ handoff: handoffOf({ until: { url: '**/invoices', selector: null, cookie: null } }) });
    const frame = shown(sandbox, taskOf({ status: 'waiting' }), control({ mode: 'waiting' }));
    expect(frame).toMatchObject({ phase: 'needs', tone: 'needs', say: 'Needs you: sign in to portal.example' });
    expect(frame.sub).toBe('The agent waits here. Nothing expires. It goes on when the page “invoices” is open.');
    expect(frame.primary?.act).toBe('takeControl');
  });

  test('a person who took control unasked and is gone is told so', () => {
    const sandbox = sandboxOf({ handoff: handoffOf({ requestedBy: 'dashboard', message: 'took control without being asked' }) });
    const frame = shown(sandbox, taskOf({ status: 'waiting' }), control({ mode: 'waiting' }));
    expect(frame).toMatchObject({ phase: 'needs', say: 'You left while driving' });
    expect(frame.sub).toBe('The page waits as you left it: take control again, then hand back.');
  });

  test('who drives is asked for control, and says yes or no', () => {
    const yours = control({ mode: 'human', yours: true, lease: 7 as unknown as ControlView['lease'] });
    const frame = shown(sandboxOf(), taskOf(), yours, { asker: { name: 'Ann', isYou: false } });
    expect(frame.say).toBe('Ann asks for control');
    expect([frame.primary?.act, frame.ghost?.act]).toEqual(['giveControl', 'keepControl']);
    expect(shown(sandboxOf(), taskOf(), yours, { asker: { name: 'Ann', isYou: false }, handingBack: true }).say).toBe('Hand back?');
  });

  test('who watches another person can ask them, once', () => {
    const theirs = control({ mode: 'human', controller: 'Ann' });
    const frame = shown(sandboxOf(), taskOf(), theirs);
    expect(frame).toMatchObject({ say: 'Ann is driving', primary: { act: 'askControl', key: 'F9' } });
    const asked = shown(sandboxOf(), taskOf(), theirs, { asker: { name: 'Bob', isYou: true } });
    expect(asked.primary).toBeNull();
    expect(asked.sub).toContain('They are asked now');
  });

  test('you: the button is in the same place and hands back', () => {
    const frame = shown(sandboxOf(), taskOf(), control({ mode: 'human', yours: true, lease: 3 }));
    expect(frame).toMatchObject({ phase: 'you', tone: 'you', say: 'You are driving' });
    expect(frame.primary).toEqual({ act: 'askHandBack', label: 'Hand back', key: 'F9' });
  });

  test('you, with a countdown once the lease is about to lapse', () => {
    const view = control({ mode: 'human', yours: true, lapsesAt: AT + 90_000 });
    expect(shown(sandboxOf(), taskOf(), view).sub).toContain('control lapses in 1:30');
    expect(shown(sandboxOf(), taskOf(), view, { now: AT - 600_000 }).sub).not.toContain('lapses');
  });

  test('nobody yet: the agent finishes one action, and taking over can be called off', () => {
    const frame = shown(sandboxOf(), taskOf(), control({ settling: true, yours: true }));
    expect(frame).toMatchObject({ phase: 'handing', dashed: true, say: 'Handing over…' });
    expect(frame.primary).toEqual({ act: 'cancelTake', label: 'Cancel', key: 'Esc' });
  });

  test('without a live view the sandbox’s own record decides', () => {
    const sandbox = sandboxOf({ preview: { ...sandboxOf().preview, controlMode: 'human', controller: 'Ada' } });
    expect(phaseOf(sandbox, taskOf(), null, []).kind).toBe('other');
  });

  test('nobody: a sandbox without a task offers both ways on', () => {
    const frame = shown(sandboxOf({ status: 'ready' }), null, control({ mode: 'idle' }));
    expect(frame).toMatchObject({ phase: 'idle', primary: { act: 'takeControl' }, ghost: { act: 'newTask' } });
  });
});

describe('the end', () => {
  const done = (over: Partial<Task>) => taskOf({ endedAt: AT + 540_000, usage: { steps: 14, inputTokens: 0, outputTokens: 0, costUsd: null }, ...over });
  const artifact = (name: string) => ({ key: name, sandboxId: 'sbx_1', taskId: null, name, kind: 'file' as const, contentType: '', size: 1, sha256: '', createdAt: AT });

  test('a browser that is stopped is started by the same button', () => {
    const stopped = sandboxOf({ status: 'ready', preview: { ...sandboxOf().preview, status: 'off' } });
    const frame = shown(stopped, null, control({ mode: 'idle' }));
    expect(frame).toMatchObject({ phase: 'idle', say: 'The browser is stopped', primary: { act: 'startBrowser' }, ghost: { act: 'newTask' } });
    expect(mayTakeControl(stopped, phaseOf(stopped, null, null, []))).toBe(true);
    const done = shown(stopped, taskOf({ status: 'completed', endedAt: AT }), control({ mode: 'idle' }));
    expect(done.sub).toContain('its browser starts again when it is used');
  });

  test('done names the results and the figures', () => {
    const frame = shown(sandboxOf(), done({ status: 'completed' }), control({ mode: 'idle' }), {
      artifacts: ['report.pdf', 'a', 'b'].map(artifact),
      takeovers: { times: 1, heldMs: 42_000 },
    });
    expect(frame).toMatchObject({ phase: 'done', say: 'Done: report.pdf and 2 more', sub: '9 min, 1 takeover of 0:42, 14 steps. Its sandbox is still open.' });
    expect(frame.primary).toEqual({ act: 'openResults', label: 'Open results', key: '↵' });
  });

  test('failed says what happened and what is kept', () => {
    const error = { code: 'targetNotFound', message: 'no link “October”. The page had Archive.' };
    const frame = shown(sandboxOf(), done({ status: 'failed', error }), control({ mode: 'idle' }));
    expect(frame).toMatchObject({ tone: 'bad', say: 'It failed: no link “October”' });
    expect(frame.sub).toContain('are kept');
    expect(frame.primary).toEqual({ act: 'editTask', label: 'Edit and run again', key: '↵' });
  });

  test('a task that is over says whether its sandbox still runs', () => {
    const sub = (status: Sandbox['status']) => shown(sandboxOf({ status }), done({ status: 'completed' }), control({ mode: 'idle' })).sub;
    expect(sub('ready')).toContain('Its sandbox is still open.');
    expect(sub('ended')).toContain('Its sandbox has ended.');
  });

  test('an ended sandbox shows the end of its task', () => {
    const sandbox = sandboxOf({ status: 'ended' });
    expect(phaseOf(sandbox, done({ status: 'completed' }), null, []).kind).toBe('done');
    expect(phaseOf(sandbox, null, null, []).kind).toBe('ended');
  });

  test('a failed sandbox says so, whatever its task did', () => {
    const sandbox = sandboxOf({ status: 'failed', failure: { code: 'roomLost', message: 'the browser ended by itself' } });
    expect(shown(sandbox, taskOf(), null)).toMatchObject({ phase: 'failed', say: 'It failed: the browser ended by itself' });
  });
});

test('a lost connection covers what is live, with the number of the try, and not what is over', () => {
  const lost = { what: 'picture', tries: 2 } as const;
  expect(shown(sandboxOf(), taskOf(), control({}), { lost })).toMatchObject({
    tone: 'bad',
    say: 'The picture stopped',
    sub: 'The task goes on. Reconnecting, try 2; nothing is lost.',
  });
  const runtime = { what: 'runtime', tries: 3 } as const;
  expect(shown(sandboxOf(), taskOf(), control({}), { lost: runtime })).toMatchObject({
    say: 'The connection is lost',
    sub: 'Reconnecting, try 3. What was done is kept.',
  });
  const over = sandboxOf({ status: 'ended' });
  expect(shown(over, taskOf({ status: 'completed', endedAt: AT }), null, { lost }).say).toBe('Done');
});

test('every frame has a sentence, a second line, and at most one primary button', () => {
  const views = [control({}), control({ mode: 'waiting' }), control({ mode: 'human', yours: true }), control({ mode: 'human' }), control({ mode: 'idle' }), control({ settling: true })];
  for (const status of ['queued', 'assigning', 'ready', 'active', 'pausing', 'paused', 'ending', 'ended', 'failed'] as const) {
    for (const view of views) {
      for (const task of [null, taskOf(), taskOf({ status: 'completed' }), taskOf({ status: 'failed' }), taskOf({ status: 'cancelled' })]) {
        const frame = shown(sandboxOf({ status }), task, view);
        expect(frame.say).not.toBe('');
        expect(`${frame.say}${frame.sub}`).not.toMatch(/undefined|null|NaN/);
      }
    }
  }
});

test('starting goes step by step as the events come', () => {
  const sandbox = sandboxOf({ status: 'assigning' });
  const states = (...events: InShort[]) => startSteps(sandbox, eventsOf(...events)).map((step) => step.state);
  expect(states(['sandbox.created'], ['sandbox.assigned'])).toEqual(['done', 'now', 'next', 'next']);
  expect(states(['sandbox.assigned'], ['sandbox.browser.ready'])).toEqual(['done', 'done', 'done', 'now']);
  expect(startSteps(sandboxOf({ status: 'queued' }), [])[0]?.state).toBe('now');
  const noBrowser = sandboxOf({ status: 'assigning', capabilities: { ...sandbox.capabilities, browser: false } });
  expect(startSteps(noBrowser, []).map((step) => step.name)).toEqual(['Workspace', 'Rooms isolated', 'Agent']);
});

test('control can be asked for while a live browser is not in a person’s hands', () => {
  const may = (sandbox: Sandbox, view: ControlView | null, task: Task | null = taskOf()) => mayTakeControl(sandbox, phaseOf(sandbox, task, view, []));
  expect(may(sandboxOf(), control({}))).toBe(true);
  expect(may(sandboxOf(), control({ mode: 'idle' }), taskOf({ status: 'completed' }))).toBe(true);
  expect(may(sandboxOf(), control({ mode: 'human' }))).toBe(false);
  expect(may(sandboxOf({ status: 'ended' }), null, taskOf({ status: 'completed' }))).toBe(false);
  expect(may(sandboxOf({ capabilities: { ...sandboxOf().capabilities, browser: false } }), control({}))).toBe(false);
});

test('a first sentence ends at its stop, not at a dot within a name', () => {
  expect(firstSentence('Sign in to portal.example. Then hand back.')).toBe('Sign in to portal.example');
  expect(firstSentence('Sign in to portal.example')).toBe('Sign in to portal.example');
  expect(firstSentence('Really? Yes.')).toBe('Really?');
});

test.each([
  [{ kind: 'other', controller: 'Ada', since: null } as const, 'Ada is driving. You can take control when they hand back.'],
  [{ kind: 'ended' } as const, 'This sandbox has ended: there is no browser to take control of.'],
])('the key to take control says why it does nothing in %o', (phase, why) => {
  expect(mayTakeControl(sandboxOf(), phase)).toBe(false);
  expect(whyNoControl(sandboxOf(), phase)).toBe(why);
});

test.each(['done', 'ended', 'failed', 'agent'] as const)('a lost runtime is said in the state %s too', (kind) => {
  const phase = kind === 'done' ? { kind, task: taskOf({ status: 'completed', endedAt: AT }), outcome: 'completed' as const } : kind === 'failed' ? { kind, failure: null } : { kind };
  const shown = frameOf({ sandbox: sandboxOf(), phase, doing: null, artifacts: [], takeovers: { times: 0, heldMs: 0 }, handingBack: false, lost: { what: 'runtime', tries: 2 }, now: AT });
  expect(shown.say).toBe('The connection is lost');
  expect(shown.primary?.act).toBe('reconnect');
});
