/** What the bar under the live view says: one colour, one sentence, one button. Plain values; the page draws them. */
import type { LiveState } from '../live';
import type { ViewerMode } from '../live/words';

export type Tone = 'agent' | 'needs' | 'you' | 'idle' | 'bad';
export type Icon = 'agent' | 'hand' | 'person' | 'none' | 'broken';
export type Act = 'take' | 'askHandBack' | 'retry';

export interface Bar {
  tone: Tone;
  icon: Icon;
  /** Control is on its way from one to the other. */
  dashed: boolean;
  say: string;
  sub: string;
  button: { act: Act; label: string; key: string } | null;
}

/** What the page shows over the picture. */
export type Veil = { kind: 'none' } | { kind: 'connecting' } | { kind: 'lost' } | { kind: 'ended'; reason: string };

const TAKE = { act: 'take', label: 'Take control', key: 'F9' } as const;
export const LAPSE_SHOWN_MS = 120_000;

export function barOf(state: LiveState, mode: ViewerMode, now: number): Bar {
  switch (state.connection.kind) {
    case 'connecting':
      return bar('idle', 'none', 'Connecting', 'The picture comes in a moment.');
    case 'lost':
      return {
        ...bar('bad', 'broken', 'The picture stopped', `The task goes on. Reconnecting, try ${state.connection.tries}; nothing is lost.`),
        button: { act: 'retry', label: 'Reconnect now', key: '' },
      };
    case 'ended':
      return bar('idle', 'none', 'Ended', 'There is nothing more to see here.');
    case 'live':
      return drivingBar(state, mode, now);
  }
}

function drivingBar({ control, denied }: LiveState, mode: ViewerMode, now: number): Bar {
  if (control === null) return bar('idle', 'none', 'Connecting', 'The picture comes in a moment.');
  const may = mode === 'control';
  const sub = (text: string) => denied ?? (may ? text : `${text} This link can watch.`);
  if (control.settling) {
    return { ...bar('you', 'person', 'Handing over…', 'One action is finishing: two seconds at most.'), dashed: true };
  }
  const take = may ? TAKE : null;
  // A question is answered in the window; whoever watches sees that the agent stands still, and why.
  if (control.asks !== null && control.asks !== undefined && control.mode !== 'waiting' && control.mode !== 'human') {
    return { ...bar('needs', 'hand', `Asks: ${control.asks}`, sub('Answer it in the Baton window. Nothing expires.')), button: take };
  }
  switch (control.mode) {
    case 'ai':
      return { ...bar('agent', 'agent', 'The agent is driving', sub('You see what it sees.')), button: take };
    case 'shared':
      return { ...bar('agent', 'agent', 'A program is driving', sub('You see what it sees.')), button: take };
    case 'waiting':
      return { ...bar('needs', 'hand', needs(may, control.asks), sub('The agent waits here. Nothing expires.')), button: take };
    case 'idle':
      return { ...bar('idle', 'none', 'Nobody is driving', sub('The browser waits.')), button: take };
    case 'human': {
      if (!control.yours) {
        const who = control.controller || 'Somebody else';
        return bar('you', 'person', `${who} is driving`, sub('Control is theirs until they hand back.'));
      }
      // Who drives through a link answers in words: they hand back when they are done.
      const asker = control.wantedBy == null ? '' : ` ${control.wantedBy} asks for control: hand back when you are done.`;
      const secret = 'The agent cannot see or touch this. Nothing you type is kept.';
      return {
        ...bar('you', 'person', 'You are driving', denied ?? `${secret}${asker}${countdown(control.lapsesAt, now)}`),
        button: { act: 'askHandBack', label: 'Hand back', key: 'F9' },
      };
    }
  }
}

function needs(may: boolean, asks: string | null | undefined): string {
  const who = may ? 'Needs you' : 'Waits for a person';
  return asks == null || asks === '' ? who : `${who}: ${asks}`;
}

/** Names the job that is seen; empty until it is known. */
export function jobOf({ control }: LiveState): string {
  return control?.job ?? '';
}

export function veilOf(state: LiveState): Veil {
  switch (state.connection.kind) {
    case 'connecting':
      return { kind: 'connecting' };
    case 'lost':
      return { kind: 'lost' };
    case 'ended':
      return { kind: 'ended', reason: state.connection.reason };
    case 'live':
      return { kind: 'none' };
  }
}

/** Says who drives in one word, for the page's own state. */
export function driverOf(state: LiveState): 'you' | 'other' | 'agent' | 'needs' | 'idle' | 'handing' | 'nobody' {
  const control = state.control;
  if (control === null) return 'nobody';
  if (control.settling) return 'handing';
  switch (control.mode) {
    case 'ai':
    case 'shared':
      return 'agent';
    case 'waiting':
      return 'needs';
    case 'idle':
      return 'idle';
    case 'human':
      return control.yours ? 'you' : 'other';
  }
}

function countdown(lapsesAt: number | null | undefined, now: number): string {
  const left = lapsesAt == null ? Infinity : lapsesAt - now;
  if (left > LAPSE_SHOWN_MS) return '';
  const seconds = Math.max(Math.ceil(left / 1000), 0);
  return ` No input: control lapses in ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}.`;
}

function bar(tone: Tone, icon: Icon, say: string, sub: string): Bar {
  return { tone, icon, dashed: false, say, sub, button: null };
}
