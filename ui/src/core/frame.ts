/**
 * The frame around the live view: one colour, one sentence, one primary button, always in the same place.
 *
 * Owns the words of every state; carrying out what a button says is the view's.
 */
import { askSentence, askSub } from './approval';
import { browserRests, worksNow, type Phase } from './phase';
import { plainName } from './plain';
import { pageOf } from './words';
import { count, duration, stopwatch } from './time';
import type { Artifact, Handoff, Sandbox, Task } from '../types';

export type FrameTone = 'agent' | 'needs' | 'you' | 'idle' | 'bad';
export type FrameIcon = 'agent' | 'hand' | 'person' | 'none' | 'check' | 'warning' | 'broken';

export type Act =
  | 'takeControl'
  | 'askHandBack'
  | 'sendHandBack'
  | 'keepDriving'
  | 'askControl'
  | 'giveControl'
  | 'keepControl'
  | 'cancelTake'
  | 'cancelStart'
  | 'notNow'
  | 'approveOnce'
  | 'typeSecret'
  | 'openResults'
  | 'runAgain'
  | 'newTask'
  | 'editTask'
  | 'openStory'
  | 'resume'
  | 'startBrowser'
  | 'reconnect';

export interface ActButton {
  act: Act;
  label: string;
  /** As shown on the button; empty for none. */
  key: string;
}

export interface Frame {
  tone: FrameTone;
  icon: FrameIcon;
  dashed: boolean;
  say: string;
  sub: string;
  primary: ActButton | null;
  ghost: ActButton | null;
}

export interface FrameInput {
  sandbox: Sandbox;
  phase: Phase;
  /** What the agent did last, in words. */
  doing: string | null;
  artifacts: readonly Artifact[];
  /** How long people drove, and how often. */
  takeovers: { times: number; heldMs: number };
  /** The person is asked for a note before handing back. */
  handingBack: boolean;
  /** Who asks the person that drives for control; whether that is the person at this page. */
  asker?: { name: string; isYou: boolean } | null;
  /** The connection that is gone: the runtime's, or only the picture's. */
  lost: { what: 'runtime' | 'picture'; tries: number } | null;
  /** A browser that was stopped is being started. */
  startsBrowser?: boolean;
  now: number;
}

const TAKE: ActButton = { act: 'takeControl', label: 'Take control', key: 'F9' };

/** Returns what the frame shows. */
export function frameOf(input: FrameInput): Frame {
  if (input.lost !== null && (input.lost.what === 'runtime' || isLive(input.phase))) return lostFrame(input.lost);
  const { phase } = input;
  switch (phase.kind) {
    case 'starting':
      return {
        ...frame('idle', 'none', 'Starting', startingSub(phase.steps)),
        primary: { act: 'cancelStart', label: 'Cancel', key: 'Esc' },
      };
    case 'agent':
      return { ...frame('agent', 'agent', 'The agent is driving', input.doing ?? 'Getting ready'), primary: TAKE };
    case 'needs':
      return {
        ...frame('needs', 'hand', needsSentence(phase.handoff), needsSub(phase.handoff)),
        primary: TAKE,
        ghost: { act: 'notNow', label: 'Not now', key: '' },
      };
    case 'asked':
      return {
        ...frame('needs', 'hand', askSentence(phase.approval), askSub(phase.approval, phase.more)),
        primary: { act: 'approveOnce', label: 'Approve once', key: 'Ctrl ↵' },
        ghost: TAKE,
      };
    case 'you':
      if (input.handingBack) return handingBackFrame();
      return input.asker == null ? drivingFrame(phase, input.now) : askedForControlFrame(input.asker.name);
    case 'other':
      return otherFrame(otherName(phase.controller), input.asker ?? null);
    case 'handing':
      return handingFrame(phase.to);
    case 'idle':
      if (input.startsBrowser === true) return frame('idle', 'none', 'Starting the browser', 'Its tabs and sign-ins come back.');
      if (browserRests(input.sandbox)) {
        return {
          ...frame('idle', 'none', 'The browser is stopped', 'Nobody used it for a while. It comes back with its tabs and sign-ins.'),
          primary: { act: 'startBrowser', label: 'Start the browser', key: '' },
          ghost: { act: 'newTask', label: 'New task', key: '' },
        };
      }
      return {
        ...frame('idle', 'none', 'Nobody is driving', 'The sandbox is ready: give it a task, or take control yourself.'),
        primary: TAKE,
        ghost: { act: 'newTask', label: 'New task', key: '' },
      };
    case 'done':
      return doneFrame(input, phase);
    case 'paused':
      return phase.settling
        ? frame('idle', 'none', 'Pausing', 'What is being done now is finished first.')
        : { ...frame('idle', 'none', 'Paused', 'Everything stands still. It goes on where it stopped.'), primary: { act: 'resume', label: 'Resume', key: '' } };
    case 'ending':
      return frame('idle', 'none', 'Ending', 'Results and history are kept.');
    case 'ended':
      return {
        ...frame('idle', 'none', 'Ended', 'No task ran here. Files and history are kept.'),
        primary: { act: 'newTask', label: 'New task', key: 'Ctrl N' },
      };
    case 'failed':
      return {
        ...frame('bad', 'warning', failedSentence(phase.failure?.message), 'The story and saved results are kept. Nothing else is running.'),
        primary: { act: 'runAgain', label: 'Try again', key: '↵' },
        ghost: { act: 'openStory', label: 'What happened', key: '' },
      };
  }
}

function frame(tone: FrameTone, icon: FrameIcon, say: string, sub: string): Frame {
  return { tone, icon, dashed: false, say, sub, primary: null, ghost: null };
}

function isLive(phase: Phase): boolean {
  return phase.kind !== 'done' && phase.kind !== 'ended' && phase.kind !== 'failed';
}

/** Tries after which the runtime is not only slow. */
const STARTED_ANEW = 5;

function lostFrame(lost: { what: 'runtime' | 'picture'; tries: number }): Frame {
  // Of the task it is known that it goes on only while the runtime answers.
  const [what, rest] =
    lost.what === 'picture'
      ? ['The picture stopped', `The task goes on. Reconnecting, try ${lost.tries}; nothing is lost.`]
      : ['The connection is lost', `Reconnecting, try ${lost.tries}. ${lost.tries > STARTED_ANEW ? 'If Baton was restarted, open the address it printed.' : 'What was done is kept.'}`];
  return {
    ...frame('bad', 'broken', what, rest),
    primary: { act: 'reconnect', label: 'Reconnect now', key: '↵' },
  };
}

function startingSub(steps: readonly { name: string; state: string }[]): string {
  const done = steps.filter((step) => step.state === 'done').length;
  return `Usually a few seconds. ${done} of ${steps.length} ready.`;
}

/** Returns the request as a sentence: `Needs you: sign in to portal.example`. */
export function needsSentence(handoff: Handoff | null): string {
  // A person who took control unasked and left is not asked for anything.
  if (handoff?.requestedBy === 'dashboard') return 'You left while driving';
  return handoff === null ? 'Needs you' : `Needs you: ${lowerFirst(firstSentence(handoff.message))}`;
}

function needsSub(handoff: Handoff | null): string {
  if (handoff?.requestedBy === 'dashboard') return 'The page waits as you left it: take control again, then hand back.';
  const expiry = handoff?.expiresAt == null ? 'Nothing expires.' : 'The request has an end of its own.';
  const until = handoff?.until ?? null;
  const rest = restAfterFirst(handoff?.message ?? '');
  const goesOn =
    until?.url != null
      ? ` It goes on when ${pageOf(until.url)} is open.`
      : ' It goes on when you hand back.';
  return rest === '' ? `The agent waits here. ${expiry}${goesOn}` : `${rest} The agent waits; ${lowerFirst(expiry)}`;
}

function drivingFrame(phase: Extract<Phase, { kind: 'you' }>, now: number): Frame {
  const left = phase.lapsesAt === null ? null : phase.lapsesAt - now;
  const countdown = left !== null && left < 120_000 ? ` No input: control lapses in ${stopwatch(left)}.` : '';
  return {
    ...frame('you', 'person', 'You are driving', `The agent cannot see or touch this. Nothing you type is kept.${countdown}`),
    primary: { act: 'askHandBack', label: 'Hand back', key: 'F9' },
    ghost: { act: 'typeSecret', label: 'Type a secret…', key: '' },
  };
}

/** A person who drives is asked; nothing is taken from them. */
function askedForControlFrame(name: string): Frame {
  return {
    ...frame('you', 'person', `${otherName(name)} asks for control`, 'You are driving until you answer. The page stays as you left it.'),
    primary: { act: 'giveControl', label: 'Give control', key: '' },
    ghost: { act: 'keepControl', label: 'Keep driving', key: '' },
  };
}

function otherFrame(name: string, asker: { isYou: boolean } | null): Frame {
  if (asker?.isYou === true) return frame('you', 'person', `${name} is driving`, 'You asked for control. They are asked now; you get it when they say yes.');
  return {
    ...frame('you', 'person', `${name} is driving`, 'You can watch. Control is theirs until they hand back.'),
    primary: { act: 'askControl', label: 'Ask for control', key: 'F9' },
  };
}

function handingBackFrame(): Frame {
  return {
    ...frame('you', 'person', 'Hand back?', 'The agent takes a fresh look and goes on from here.'),
    dashed: true,
    primary: { act: 'sendHandBack', label: 'Hand back', key: '↵' },
    ghost: { act: 'keepDriving', label: 'Keep driving', key: 'Esc' },
  };
}

function handingFrame(to: 'you' | 'agent'): Frame {
  if (to === 'agent') {
    return { ...frame('agent', 'agent', 'Handing back…', 'Noting what changed; the agent looks afresh.'), dashed: true };
  }
  return {
    ...frame('you', 'person', 'Handing over…', 'The agent is finishing one action: two seconds at most.'),
    dashed: true,
    primary: { act: 'cancelTake', label: 'Cancel', key: 'Esc' },
  };
}

function doneFrame(input: FrameInput, phase: Extract<Phase, { kind: 'done' }>): Frame {
  const { task, outcome } = phase;
  const again: ActButton = { act: 'runAgain', label: 'Run again', key: '' };
  switch (outcome) {
    case 'completed':
      return {
        ...frame('idle', 'check', doneSentence(input.artifacts), sentences(figures(input, task), openness(input.sandbox))),
        primary: { act: 'openResults', label: 'Open results', key: '↵' },
        ghost: again,
      };
    case 'failed':
      return {
        ...frame('bad', 'warning', failedSentence(task.error?.message), sentences(figures(input, task), 'Files and results so far are kept.', openness(input.sandbox))),
        primary: { act: 'editTask', label: 'Edit and run again', key: '↵' },
        ghost: again,
      };
    case 'cancelled':
      return {
        ...frame('idle', 'none', 'Stopped', sentences(figures(input, task), 'Files and results so far are kept.', openness(input.sandbox))),
        primary: { act: 'runAgain', label: 'Run again', key: '↵' },
        ghost: { act: 'editTask', label: 'Edit and run again', key: '' },
      };
  }
}

/** Says whether the sandbox of a task that is over still runs. */
export function openness(sandbox: Sandbox): string {
  switch (sandbox.status) {
    case 'ready':
    case 'active':
      return browserRests(sandbox) ? 'Its sandbox is still open, and its browser starts again when it is used.' : 'Its sandbox is still open.';
    case 'queued':
    case 'assigning':
    case 'pausing':
    case 'paused':
      return 'Its sandbox is still open.';
    case 'ending':
      return 'Its sandbox is ending.';
    case 'ended':
    case 'failed':
      return 'Its sandbox has ended.';
  }
}

function sentences(...parts: string[]): string {
  return parts.filter((part) => part !== '').map((part) => (part.endsWith('.') ? part : `${part}.`)).join(' ');
}

function doneSentence(artifacts: readonly Artifact[]): string {
  const [first] = artifacts;
  if (first === undefined) return 'Done';
  const name = plainName(first.name);
  return artifacts.length === 1 ? `Done: ${name}` : `Done: ${name} and ${artifacts.length - 1} more`;
}

function failedSentence(message: string | undefined): string {
  return message === undefined || message === '' ? 'It failed' : `It failed: ${firstSentence(message)}`;
}

/** Returns the figures of a task: `9 min, 1 takeover of 0:42, 14 steps`. */
function figures(input: FrameInput, task: Pick<Task, 'startedAt' | 'endedAt' | 'usage'>): string {
  const parts: string[] = [];
  if (task.startedAt != null && task.endedAt != null) parts.push(duration(task.endedAt - task.startedAt));
  const { times, heldMs } = input.takeovers;
  if (times === 1) parts.push(`1 takeover of ${stopwatch(heldMs)}`);
  if (times > 1) parts.push(`${times} takeovers, ${stopwatch(heldMs)} together`);
  if (task.usage.steps > 0) parts.push(count(task.usage.steps, 'step'));
  return parts.join(', ');
}

function otherName(controller: string | null): string {
  return plainName(controller ?? '') || 'Somebody else';
}

export function firstSentence(message: string): string {
  return /^.*?[.!?](?=\s)/s.exec(message)?.[0].replace(/[.]$/, '') ?? message.replace(/[.]$/, '');
}

function restAfterFirst(message: string): string {
  const rest = message.slice(firstSentence(message).length).replace(/^[.\s]+/, '');
  return rest === '' || /[.!?]$/.test(rest) ? rest : `${rest}.`;
}

function lowerFirst(sentence: string): string {
  // An abbreviation keeps its capitals: "PIN for the card".
  return /^[A-Z][a-z]/.test(sentence) ? sentence.charAt(0).toLowerCase() + sentence.slice(1) : sentence;
}

/** Whether a person may ask for control in this phase, whatever the primary button says. */
export function mayTakeControl(sandbox: Sandbox, phase: Phase): boolean {
  if (sandbox.capabilities.browser === false) return false;
  switch (phase.kind) {
    case 'agent':
    case 'needs':
    case 'asked':
    case 'idle':
      return true;
    case 'done':
      return worksNow(sandbox);
    case 'starting':
    case 'you':
    case 'other':
    case 'handing':
    case 'paused':
    case 'ending':
    case 'ended':
    case 'failed':
      return false;
  }
}


/** Says why a person cannot take control in this phase. */
export function whyNoControl(sandbox: Sandbox, phase: Phase): string {
  if (sandbox.capabilities.browser === false) return 'This sandbox has no browser to take control of.';
  switch (phase.kind) {
    case 'other':
      return `${otherName(phase.controller)} is driving. You can take control when they hand back.`;
    case 'starting':
      return 'The browser is not open yet.';
    case 'handing':
      return 'Control is on its way.';
    case 'you':
      return 'You are driving already.';
    case 'paused':
      return 'This sandbox is paused: resume it first.';
    case 'done':
    case 'ending':
    case 'ended':
    case 'failed':
      return 'This sandbox has ended: there is no browser to take control of.';
    case 'agent':
    case 'needs':
    case 'asked':
    case 'idle':
      return 'Control cannot be taken now.';
  }
}
