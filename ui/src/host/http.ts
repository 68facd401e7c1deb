/**
 * The host when a browser shows the interface of `baton serve`: the TypeScript client, with what a page has beside it.
 *
 * The address carries a one-time ticket in its fragment. It is taken out of the address at once and exchanged for the token,
 * which lives in this tab's session storage and never in an address.
 */
import { Transport } from '../../../sdk/typescript/src/transport';
import { followEvents } from './events';
import { followRoute } from './follow';
import { followSpeech } from './speech';
import type { EventStream, EventStreamState, Host, LiveEndpoint, Notice, Platform } from './types';
import type { Event } from '../core/event';

const TOKEN_KEY = 'baton.token';

/** No ticket and no token: the person needs a fresh address. */
export class NotAdmitted extends Error {}

export async function httpHost(): Promise<Host> {
  // A fresh address of the same runtime differs in its fragment alone: pasted into this tab, it loads nothing by itself.
  addEventListener('hashchange', () => location.hash !== '' && location.reload());
  const base = location.origin;
  const ticket = takeTicket();
  const token = ticket === null ? await kept(base) : await redeem(base, ticket);
  if (token === null) throw new NotAdmitted('no ticket in the address');
  sessionStorage.setItem(TOKEN_KEY, token);
  return new HttpHost(base, token);
}

/** Returns the token that this tab has from before, unless the runtime was started anew and does not know it. */
async function kept(base: string): Promise<string | null> {
  const token = sessionStorage.getItem(TOKEN_KEY);
  if (token === null || !(await isForgotten(base, token))) return token;
  sessionStorage.removeItem(TOKEN_KEY);
  return null;
}

/** Whether a runtime answers there that does not know the token, as after it was started anew. */
async function isForgotten(base: string, token: string): Promise<boolean> {
  const asked = new Transport({ url: base, token }).fetch('GET', '/runtime');
  return asked.then((answer) => answer.status === 401, () => false);
}

function takeTicket(): string | null {
  const fragment = location.hash.slice(1);
  if (fragment === '') return null;
  history.replaceState(null, '', location.pathname + location.search);
  return new URLSearchParams(fragment).get('ticket') ?? fragment;
}

async function redeem(base: string, ticket: string): Promise<string> {
  const response = await fetch(`${base}/v1/tickets/redeem`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ticket }),
  });
  const body: unknown = await response.json().catch(() => null);
  if (response.ok && typeof body === 'object' && body !== null && 'token' in body && typeof body.token === 'string') {
    return body.token;
  }
  // A ticket works once: a reload of the tab that used it still has its token.
  const before = await kept(base);
  if (before !== null) return before;
  throw new NotAdmitted('the ticket was used already, or is too old');
}

class HttpHost implements Host {
  readonly platform: Platform = { kind: 'browser', mac: /Mac|iP(hone|ad)/.test(navigator.userAgent) };
  readonly window = null;
  readonly #base: string;
  readonly transport: Transport;

  constructor(base: string, token: string) {
    this.#base = base;
    this.transport = new Transport({ url: base, token });
  }

  events(after: string | null, onEvent: (event: Event) => void, onState: (state: EventStreamState) => void): EventStream {
    const endpoint = { wsUrl: `${this.#base.replace(/^http/, 'ws')}/v1/events`, token: this.transport.token };
    const look = (state: EventStreamState) => {
      onState(state);
      // A page whose runtime was started anew would try for ever: it is made anew, and then says how to get in.
      if (state.kind === 'lost' && state.tries % 3 === 0) {
        void isForgotten(this.#base, this.transport.token).then((forgotten) => forgotten && location.reload());
      }
    };
    return followEvents(() => Promise.resolve(endpoint), after, onEvent, look);
  }

  speech(taskId: string, onText: (text: string) => void): () => void {
    const endpoint = { wsUrl: `${this.#base.replace(/^http/, 'ws')}/v1/tasks/${taskId}/speech`, token: this.transport.token };
    return followSpeech(() => Promise.resolve(endpoint), onText);
  }

  liveEndpoint(sandboxId: string): Promise<LiveEndpoint> {
    const base = this.#base.replace(/^http/, 'ws');
    return Promise.resolve({ wsUrl: `${base}/v1/sandboxes/${sandboxId}/stream`, token: this.transport.token });
  }

  follow(path: string, onNews: () => void): () => void {
    return followRoute(() => this.socketEndpoint(path), onNews);
  }

  socketEndpoint(path: string): Promise<LiveEndpoint> {
    return Promise.resolve({ wsUrl: `${this.#base.replace(/^http/, 'ws')}${path}`, token: this.transport.token });
  }

  async saveFrom(path: string, name: string): Promise<string | null> {
    const response = await this.transport.fetch('GET', path.slice('/v1'.length));
    if (!response.ok) throw new Error('the file cannot be read any more');
    const url = URL.createObjectURL(await response.blob());
    const anchor = document.createElement('a');
    anchor.href = url;
    anchor.download = name;
    anchor.click();
    // The browser reads the address after this turn of the loop.
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    return null;
  }

  async allowNotices(): Promise<boolean> {
    if (!('Notification' in globalThis)) return false;
    if (Notification.permission !== 'default') return Notification.permission === 'granted';
    return (await Notification.requestPermission()) === 'granted';
  }

  async notify(notice: Notice): Promise<boolean> {
    if (!('Notification' in globalThis) || Notification.permission !== 'granted') return false;
    const shown = new Notification(notice.title, { body: notice.body, tag: notice.tag });
    shown.onclick = () => {
      shown.close();
      window.focus();
      notice.onChosen();
    };
    return true;
  }

  // A notice of a browser calls back by itself.
  onChosen(_open: (sandboxId: string) => void): () => void {
    return () => undefined;
  }

  openJob(sandboxId: string): Promise<void> {
    // A window that this page opens has its storage, and with it the token.
    window.open(`${location.pathname}?job=${encodeURIComponent(sandboxId)}`, `baton-${sandboxId}`, 'popup,width=1180,height=820');
    return Promise.resolve();
  }

  openExternal(url: string): Promise<void> {
    const anchor = document.createElement('a');
    anchor.href = url;
    anchor.rel = 'noopener noreferrer';
    anchor.target = '_blank';
    anchor.click();
    return Promise.resolve();
  }

  setNeedsCount(count: number): void {
    document.title = count === 0 ? 'Baton' : `(${count}) Baton`;
  }
}
