/**
 * Where a job stands, as the frame around the live view shows it: who is driving, and does anything need me?
 *
 * ```text
 *   starting ─▶ agent ⇄ handing ⇄ you          needs ─▶ handing ─▶ you
 *      │          └──────────▶ needs ◀── lapse ──┘
 *      └─▶ failed                 agent ─▶ done        lost covers whatever was shown
 * ```
 */
import type { Approval, ControlView, Failure, Handoff, Sandbox, Task } from '../types';
import type { Event } from './event';

export type Phase =
  | { kind: 'starting'; steps: StartStep[] }
  | { kind: 'agent' }
  | { kind: 'needs'; handoff: Handoff | null }
  /** A question stands open; `more` wait behind it. */
  | { kind: 'asked'; approval: Approval; more: number }
  /** `lapsesAt` is when control goes without input. */
  | { kind: 'you'; since: number | null; lapsesAt: number | null }
  | { kind: 'other'; controller: string | null; since: number | null }
  | { kind: 'handing'; to: 'you' | 'agent' }
  | { kind: 'idle' }
  | { kind: 'done'; task: Task; outcome: 'completed' | 'failed' | 'cancelled' }
  | { kind: 'paused'; settling: boolean }
  | { kind: 'ending' }
  | { kind: 'ended' }
  | { kind: 'failed'; failure: Failure | null };


export interface StartStep {
  name: string;
  state: 'done' | 'now' | 'next';
}

/** Returns where a job stands. `control` is what the live view knows first; without one the sandbox's own record decides. */
export function phaseOf(sandbox: Sandbox, task: Task | null, control: ControlView | null, events: readonly Event[]): Phase {
  switch (sandbox.status) {
    case 'queued':
    case 'assigning':
      return { kind: 'starting', steps: startSteps(sandbox, events) };
    case 'failed':
      return { kind: 'failed', failure: sandbox.failure ?? null };
    case 'pausing':
    case 'paused':
      return { kind: 'paused', settling: sandbox.status === 'pausing' };
    case 'ending':
      return { kind: 'ending' };
    case 'ended':
      return doneWith(task) ?? { kind: 'ended' };
    case 'ready':
    case 'active':
      return livePhase(sandbox, task, control);
  }
}

function livePhase(sandbox: Sandbox, task: Task | null, control: ControlView | null): Phase {
  const mode = control?.mode ?? sandbox.preview.controlMode;
  // An action that settles for somebody else is over before it could be read.
  if (control?.settling === true && control.yours) return { kind: 'handing', to: 'you' };
  switch (mode) {
    case 'waiting':
      return { kind: 'needs', handoff: openHandoff(sandbox) };
    case 'human':
      return control?.yours === true
        ? { kind: 'you', since: control.since ?? null, lapsesAt: control.lapsesAt ?? null }
        : {
            kind: 'other',
            controller: control?.controller ?? sandbox.preview.controller ?? null,
            since: control?.since ?? openHandoff(sandbox)?.acceptedAt ?? null,
          };
    case 'ai':
    case 'shared':
    case 'idle':
      if (sandbox.approvals[0] !== undefined) {
        return { kind: 'asked', approval: sandbox.approvals[0], more: sandbox.approvals.length - 1 };
      }
      if (openHandoff(sandbox)?.status === 'pending') return { kind: 'needs', handoff: openHandoff(sandbox) };
      if (task !== null && (task.status === 'queued' || task.status === 'running' || task.status === 'waiting')) return { kind: 'agent' };
      return doneWith(task) ?? (mode === 'ai' ? { kind: 'agent' } : { kind: 'idle' });
  }
}

function doneWith(task: Task | null): Phase | null {
  if (task === null) return null;
  switch (task.status) {
    case 'completed':
    case 'failed':
    case 'cancelled':
      return { kind: 'done', task, outcome: task.status };
    case 'queued':
    case 'running':
    case 'waiting':
      return null;
  }
}

/** Returns the handoff that stands open, if one does. */
export function openHandoff(sandbox: Sandbox): Handoff | null {
  const handoff = sandbox.handoff ?? null;
  return handoff !== null && (handoff.status === 'pending' || handoff.status === 'accepted') ? handoff : null;
}

/** Returns the steps of starting, done as far as the events say. */
export function startSteps(sandbox: Sandbox, events: readonly Event[]): StartStep[] {
  const seen = new Set(events.map((event) => event.type));
  const hasBrowser = sandbox.capabilities.browser !== false;
  const steps = [
    { name: 'Workspace', done: sandbox.status !== 'queued' || seen.has('sandbox.assigned') },
    { name: 'Rooms isolated', done: seen.has('sandbox.browser.ready') || seen.has('sandbox.agent.ready') },
    ...(hasBrowser ? [{ name: 'Browser', done: seen.has('sandbox.browser.ready') }] : []),
    { name: 'Agent', done: seen.has('sandbox.agent.ready') },
  ];
  const now = steps.findIndex((step) => !step.done);
  return steps.map(({ name, done }, i) => ({ name, state: done ? 'done' : i === now ? 'now' : 'next' }));
}

/** Whether a sandbox takes work now: its rooms run, and nothing holds them. */
export function worksNow({ status }: Pick<Sandbox, 'status'>): boolean {
  return status === 'ready' || status === 'active';
}

/** Whether the live view has a picture to show in this phase. */
export function hasPicture(sandbox: Sandbox): boolean {
  return worksNow(sandbox) && sandbox.capabilities.browser !== false && !browserRests(sandbox);
}

/** Whether the browser is stopped until somebody uses it. */
export function browserRests(sandbox: Sandbox): boolean {
  return worksNow(sandbox) && sandbox.capabilities.browser !== false && sandbox.preview.status === 'off';
}

/** Returns the question that a person is to answer first: in every state in which there is something to answer. */
export function openQuestion(sandbox: Sandbox): Approval | null {
  switch (sandbox.status) {
    case 'ready':
    case 'active':
      return sandbox.approvals[0] ?? null;
    case 'queued':
    case 'assigning':
    case 'pausing':
    case 'paused':
    case 'ending':
    case 'ended':
    case 'failed':
      return null;
  }
}
