/**
 * Follows the events of the runtime over one WebSocket, for both hosts.
 *
 * ```text
 *   connecting ──open──▶ connected ──close──▶ lost(tries) ──after a pause, or retryNow──▶ connecting
 * ```
 *
 * Each message is one event. A new connection asks for what came after the last event seen, so nothing is lost or seen twice.
 */
import { readEvent, type Event } from '../core/event';
import type { EventStream, EventStreamState, LiveEndpoint } from './types';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

export function followEvents(
  endpoint: () => Promise<LiveEndpoint>,
  after: string | null,
  onEvent: (event: Event) => void,
  onState: (state: EventStreamState) => void,
): EventStream {
  let last = after;
  let tries = 0;
  let closed = false;
  let socket: WebSocket | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;

  const connect = async () => {
    timer = null;
    let at: LiveEndpoint;
    try {
      at = await endpoint();
    } catch {
      // The host cannot say where the runtime is: as good as a refused connection.
      lost();
      return;
    }
    if (closed) return;
    const url = last === null ? at.wsUrl : `${at.wsUrl}?after=${encodeURIComponent(last)}`;
    const mine = new WebSocket(url, ['baton', `bearer.${at.token}`]);
    socket = mine;
    mine.onopen = () => {
      tries = 0;
      onState({ kind: 'connected' });
    };
    mine.onmessage = (message: MessageEvent<unknown>) => {
      const event = parseEvent(message.data);
      if (event === null) return;
      last = event.id;
      onEvent(event);
    };
    mine.onclose = () => {
      if (socket === mine) lost();
    };
  };

  const lost = () => {
    socket = null;
    if (closed) return;
    tries += 1;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS);
    onState({ kind: 'lost', tries, nextAt: Date.now() + pauseMs });
    timer = setTimeout(() => void connect(), pauseMs);
  };

  void connect();

  return {
    retryNow() {
      if (timer === null) return;
      clearTimeout(timer);
      void connect();
    },
    close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      socket?.close();
    },
  };
}

/** Answers the event in a message, or `null` for anything else (a keep-alive). */
export function parseEvent(data: unknown): Event | null {
  if (typeof data !== 'string') return null;
  try {
    return readEvent(JSON.parse(data));
  } catch {
    return null;
  }
}
