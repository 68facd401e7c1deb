/**
 * The one door to the host.
 *
 * The interface runs in two places: in the desktop window, where requests are carried out in process, and in any browser
 * against `baton serve`. Everything that differs between them is behind [`Host`]; nothing else in the interface asks where it is.
 */
import type { Transport } from '../../../sdk/typescript/src/transport';
import type { Event } from '../core/event';
import type { UnderWay } from './ipc';

/** Where the WebSockets of a live view go, and the token they offer as subprotocol `bearer.TOKEN`. */
export interface LiveEndpoint {
  wsUrl: string;
  token: string;
}

export interface Notice {
  /** Replaces an earlier notice with the same tag. */
  tag: string;
  title: string;
  body: string;
  /** Called when the person chooses the notice. */
  onChosen: () => void;
}

export type EventStreamState =
  | { kind: 'connected' }
  /** `tries` counts from 1; the next one starts at `nextAt` (ms since the epoch). */
  | { kind: 'lost'; tries: number; nextAt: number };

/** The events of every sandbox in the order they were committed, from one id on; comes back by itself and loses nothing. */
export interface EventStream {
  /** Tries at once instead of waiting for the next try. */
  retryNow(): void;
  close(): void;
}

/** The window as the desktop has it. */
export interface DesktopWindow {
  /** Whether closing the window leaves running what runs. */
  keepsRunning(): Promise<boolean>;
  chooseKeepsRunning(keep: boolean): Promise<void>;
  /** Quits, or asks first where something runs. */
  quit(): Promise<void>;
  /** Calls back when the person is to be asked whether to quit; answers how to stop. */
  onQuitAsked(ask: (underWay: UnderWay) => void): () => void;
  /** Says what the person answered. */
  answerQuit(quits: boolean): Promise<void>;
}

export interface Platform {
  kind: 'desktop' | 'browser';
  /** Whether shortcuts are written with ⌘. */
  mac: boolean;
}

export interface Host {
  readonly platform: Platform;
  /** `null` in a browser, whose tabs end nothing. */
  readonly window: DesktopWindow | null;
  /** The TypeScript client's own transport, over what this host has: HTTP, or the shell's commands. */
  readonly transport: Transport;
  /** Follows events after the one with id `after`, or from now on without it. */
  events(after: string | null, onEvent: (event: Event) => void, onState: (state: EventStreamState) => void): EventStream;
  /** Follows what the model of a task says while it says it, until closed; answers how to close. What was missed is missed. */
  speech(taskId: string, onText: (text: string) => void): () => void;
  /** Follows a route that tells over a WebSocket, until closed; comes back by itself. What was missed is missed, so each coming back calls too. */
  follow(path: string, onNews: () => void): () => void;
  liveEndpoint(sandboxId: string): Promise<LiveEndpoint>;
  /** Answers where the WebSocket of a route is: `path` begins with `/v1/`. */
  socketEndpoint(path: string): Promise<LiveEndpoint>;
  /** Saves what a GET route answers as a file of the person's; answers where, if the host knows. */
  saveFrom(path: string, name: string): Promise<string | null>;
  /** Asks the person, once, whether notices may be shown; called when they press a button. Answers whether they may. */
  allowNotices(): Promise<boolean>;
  /** Tells the person; never raises the window. Answers whether it was shown. */
  notify(notice: Notice): Promise<boolean>;
  /** Calls back with each sandbox that the person chooses outside the page, in a notice of the system; answers how to stop. */
  onChosen(open: (sandboxId: string) => void): () => void;
  /** Shows one job in a window of its own. */
  openJob(sandboxId: string): Promise<void>;
  /** Opens an https address outside; in a browser also a ticketed address of the runtime. */
  openExternal(url: string): Promise<void>;
  /** Shows in the title how many sandboxes need the person. */
  setNeedsCount(count: number): void;
}

/** The runtime did not answer. */
export class Unreachable extends Error {
  constructor(cause: unknown) {
    super('the runtime does not answer', { cause });
    this.name = 'Unreachable';
  }
}
