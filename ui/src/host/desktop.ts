/**
 * The host inside the desktop window: the only file that imports the desktop API.
 *
 * Requests are carried out in process. Events, pictures and input use the runtime's loopback WebSockets, because media and
 * logs through the shell's own channel would be evaluated as script.
 */
import { invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import { followEvents } from './events';
import { followRoute } from './follow';
import { followSpeech } from './speech';
import type { Answer, Bytes, DesktopWindow, EventStream, EventStreamState, Host, LiveEndpoint, Method, Notice, Part, Platform, UnderWay } from './types';
import { rangeOf, Unreachable } from './types';
import type { Event } from '../core/event';

export function desktopHost(): Host {
  return new DesktopHost();
}

/** What the command `request` answers: status and body of the route, as HTTP would have. */
interface InProcessAnswer {
  status: number;
  body: unknown;
}

class DesktopHost implements Host {
  readonly platform: Platform = { kind: 'desktop', mac: /Mac/.test(navigator.userAgent) };
  readonly window: DesktopWindow = {
    keepsRunning: () => this.#invoke<boolean>('keeps_running', {}),
    chooseKeepsRunning: async (keep) => void (await this.#invoke<null>('choose_keeps_running', { keep })),
    quit: async () => void (await this.#invoke<null>('quit', { asked: false })),
    onQuitAsked: (ask) => {
      const listening = listen<UnderWay>('quit-asked', (asked) => {
        ask(asked.payload);
        void this.#invoke<null>('quit_question_shown', {});
      });
      return () => void listening.then((stop) => stop());
    },
    answerQuit: async (quits) => void (await (quits ? this.#invoke<null>('quit', { asked: true }) : this.#invoke<null>('quit_answered', {}))),
  };

  async request(method: Method, path: string, body?: unknown): Promise<Answer> {
    const answer = await this.#invoke<InProcessAnswer>('request', { method, path, body: body ?? null });
    return { status: answer.status, json: answer.body };
  }

  /** Answers the raw body of a GET; the shell rejects with the route's answer when it is not 2xx. */
  async read(path: string, part?: Part): Promise<Bytes> {
    try {
      const body = await invoke<ArrayBuffer>('read', { path, range: part === undefined ? null : rangeOf(part) });
      return { status: 200, contentType: 'application/octet-stream', bytes: new Uint8Array(body) };
    } catch (cause) {
      if (isAnswer(cause)) return { status: cause.status, contentType: 'application/json', bytes: new Uint8Array() };
      throw new Unreachable(cause);
    }
  }

  async write(path: string, bytes: Blob): Promise<Answer> {
    const body = new Uint8Array(await bytes.arrayBuffer());
    try {
      const answer = await invoke<InProcessAnswer>('write', body, { headers: { 'x-path': encodeURIComponent(path) } });
      return { status: answer.status, json: answer.body };
    } catch (cause) {
      throw new Unreachable(cause);
    }
  }

  events(after: string | null, onEvent: (event: Event) => void, onState: (state: EventStreamState) => void): EventStream {
    const endpoint = async () => {
      const { url, token } = await this.#endpoint();
      return { wsUrl: `${url.replace(/^http/, 'ws')}/v1/events`, token };
    };
    return followEvents(endpoint, after, onEvent, onState);
  }

  speech(taskId: string, onText: (text: string) => void): () => void {
    const endpoint = async () => {
      const { url, token } = await this.#endpoint();
      return { wsUrl: `${url.replace(/^http/, 'ws')}/v1/tasks/${taskId}/speech`, token };
    };
    return followSpeech(endpoint, onText);
  }

  async liveEndpoint(sandboxId: string): Promise<LiveEndpoint> {
    const { url, token } = await this.#endpoint();
    return { wsUrl: `${url.replace(/^http/, 'ws')}/v1/sandboxes/${sandboxId}/stream`, token };
  }

  follow(path: string, onNews: () => void): () => void {
    return followRoute(() => this.socketEndpoint(path), onNews);
  }

  async socketEndpoint(path: string): Promise<LiveEndpoint> {
    const { url, token } = await this.#endpoint();
    return { wsUrl: `${url.replace(/^http/, 'ws')}${path}`, token };
  }

  /** The shell fetches and writes it: the bytes never pass the page. */
  saveFrom(path: string, name: string): Promise<string | null> {
    return this.#invoke<string>('save', { path, name });
  }

  // The shell follows the events itself, so that a request is told of also while this page sleeps.
  allowNotices(): Promise<boolean> {
    return Promise.resolve(true);
  }

  notify(_notice: Notice): Promise<boolean> {
    return Promise.resolve(false);
  }

  onChosen(open: (sandboxId: string) => void): () => void {
    const listening = listen<string>('open-sandbox', (chosen) => open(chosen.payload));
    return () => void listening.then((stop) => stop());
  }

  async openJob(sandboxId: string): Promise<void> {
    await this.#invoke<null>('open_job', { sandboxId });
  }

  async openExternal(url: string): Promise<void> {
    await this.#invoke<null>('open_external', { url });
  }

  setNeedsCount(count: number): void {
    document.title = count === 0 ? 'Baton' : `(${count}) Baton`;
  }

  #endpoint(): Promise<{ url: string; token: string }> {
    return this.#invoke('endpoint', {});
  }

  async #invoke<T>(command: string, args: Record<string, unknown>): Promise<T> {
    try {
      return await invoke<T>(command, args);
    } catch (cause) {
      throw new Unreachable(cause);
    }
  }
}

function isAnswer(value: unknown): value is InProcessAnswer {
  return typeof value === 'object' && value !== null && typeof (value as InProcessAnswer).status === 'number';
}
