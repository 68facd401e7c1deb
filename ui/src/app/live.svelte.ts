/**
 * One sandbox's live view, as the interface uses it: what it shows as reactive state, and what a person can do in it.
 *
 * Pictures and input are the live view's own (`src/live`); this only carries its state into the page and owns its end.
 */
import type { Host } from '../host/types';
import type { Screen } from '../types/generated/Screen';
import type { ControlView } from '../types/generated/ControlView';

/** What is drawn onto, and what a person's hands do: the part of `src/live` that the interface relies on. */
export interface LiveView {
  attach(canvas: HTMLCanvasElement): () => void;
  onState(listener: (state: LiveState) => void): () => void;
  take(controller: string): void;
  handBack(note: string | null): void;
  /** Types committed text, past every clipboard. */
  type(text: string): void;
  paste(text: string): void;
  /** Brings what the sandbox's clipboard holds into this machine's. */
  copy(): void;
  /** Puts the keyboard into the sandbox. */
  focus(): void;
  retryNow(): void;
  close(): void;
}

export interface LiveState {
  connection: { kind: 'connecting' } | { kind: 'live' } | { kind: 'lost'; tries: number } | { kind: 'ended'; reason: string };
  control: ControlView | null;
  /** The sandbox's screen, in its own pixels. */
  screen: Screen | null;
  /** From a click to its picture, in ms, as last measured. */
  delayMs: number | null;
  /** What carries the picture: `exact` for bit-exact tiles, `video`, … and why, in words. */
  transport: string;
  transportWhy: string;
  denied: string | null;
}

export const NO_LIVE: LiveState = {
  connection: { kind: 'connecting' },
  control: null,
  screen: null,
  delayMs: null,
  transport: '',
  transportWhy: '',
  denied: null,
};

export type OpenLiveView = (host: Host, sandboxId: string) => LiveView;

export class LiveSeat {
  readonly sandboxId: string;
  state = $state.raw<LiveState>(NO_LIVE);
  readonly view: LiveView;
  readonly #stopListening: () => void;

  constructor(open: OpenLiveView, host: Host, sandboxId: string) {
    this.sandboxId = sandboxId;
    this.view = open(host, sandboxId);
    this.#stopListening = this.view.onState((state) => (this.state = state));
  }

  close(): void {
    this.#stopListening();
    this.view.close();
  }
}
