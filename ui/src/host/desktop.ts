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
import type { Endpoint, UnderWay } from './ipc';
import { overShell } from './in-process';
import type { DesktopWindow, EventStream, EventStreamState, Host, LiveEndpoint, Notice, Platform } from './types';
import { Unreachable } from './types';
import { Transport } from '../../../sdk/typescript/src/transport';
import type { Event } from '../core/event';

export function desktopHost(): Host {
  return new DesktopHost();
}

class DesktopHost implements Host {
  /** No address and no token: the shell carries each request to the runtime inside it. */
  readonly transport = new Transport({ url: '', token: '', fetch: overShell(invoke) });
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

  #endpoint(): Promise<Endpoint> {
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
