import { BatonError } from './error.js';
import type { Event, EventType } from './generated.js';
import type { Transport } from './transport.js';

export interface EventsQuery {
  sandboxId?: string;
  types?: EventType[];
  /** Begin after the event with this id; from now on without it. */
  after?: string;
  /** Ends the iteration. */
  signal?: AbortSignal;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;

/**
 * Follows events in the order they were committed. A connection that breaks is made again and goes on after the last event
 * (`Last-Event-ID`): none is lost, none comes twice. A refusal is thrown; leaving the loop ends the connection.
 */
export async function* followEvents(transport: Transport, query: EventsQuery): AsyncGenerator<Event, void> {
  const stop = new AbortController();
  const signal = query.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, query.signal]);
  let last = query.after;
  let pause = FIRST_PAUSE_MS;
  try {
    while (!signal.aborted) {
      try {
        const response = await transport.ok('GET', '/events', {
          query: { sandboxId: query.sandboxId, types: query.types?.join(',') },
          headers: { accept: 'text/event-stream', ...(last === undefined ? {} : { 'last-event-id': last }) },
          signal,
        });
        for await (const { id, data } of serverSentEvents(response)) {
          pause = FIRST_PAUSE_MS;
          if (id !== '') last = id;
          yield JSON.parse(data) as Event;
        }
      } catch (error) {
        if (signal.aborted) return;
        // What was refused is refused again; what broke may be there again.
        if (error instanceof BatonError && error.status >= 400 && error.status < 500) throw error;
      }
      await passed(pause, signal);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  } finally {
    stop.abort();
  }
}

export interface ServerSentEvent {
  id: string;
  event: string;
  data: string;
}

/** Reads the server-sent events of an answer, until it ends. */
export async function* serverSentEvents(response: Response): AsyncGenerator<ServerSentEvent, void> {
  if (response.body === null) return;
  const decoder = new TextDecoder();
  let rest = '';
  let event: ServerSentEvent = { id: '', event: '', data: '' };
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.map((each) => each.replace(/\r$/, ''))) {
        if (line === '') {
          if (event.data !== '') yield { ...event, data: event.data.slice(1) };
          event = { id: event.id, event: '', data: '' };
        } else {
          const [name, ...value] = line.split(':');
          const said = value.join(':').replace(/^ /, '');
          if (name === 'data') event.data += `\n${said}`;
          else if (name === 'id') event.id = said;
          else if (name === 'event') event.event = said;
        }
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function passed(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
