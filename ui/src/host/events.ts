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
import { lastingSocket } from './socket';
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
  const from = ({ wsUrl, token }: LiveEndpoint) => ({ token, wsUrl: last === null ? wsUrl : `${wsUrl}?after=${encodeURIComponent(last)}` });
  return lastingSocket(async () => from(await endpoint()), {
    onOpen: () => {
      tries = 0;
      onState({ kind: 'connected' });
    },
    onMessage: (data) => {
      const event = parseEvent(data);
      if (event === null) return;
      last = event.id;
      onEvent(event);
    },
    onLost: () => {
      tries += 1;
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS);
      onState({ kind: 'lost', tries, nextAt: Date.now() + pauseMs });
      return pauseMs;
    },
  });
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
