import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { EventStreamState } from './types';
import { followEvents, parseEvent } from './events';

class FakeSocket {
  static all: FakeSocket[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: ((event: { wasClean: boolean }) => void) | null = null;
  closed = false;
  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {
    FakeSocket.all.push(this);
  }
  close() {
    this.closed = true;
    this.onclose?.({ wasClean: true });
  }
}

const event = (n: number) => JSON.stringify({ id: `evt_${n}`, sandboxId: 'sbx_1', seq: n, type: 'sandbox.created', by: 'api', at: 0, data: {} });
const newest = () => FakeSocket.all.at(-1)!;

async function follow(after: string | null) {
  const seen: string[] = [];
  const states: EventStreamState[] = [];
  const stream = followEvents(
    () => Promise.resolve({ wsUrl: 'ws://127.0.0.1:1/v1/events', token: 'secret' }),
    after,
    (each) => seen.push(each.id),
    (state) => states.push(state),
  );
  await vi.advanceTimersByTimeAsync(0);
  return { seen, states, stream };
}

beforeEach(() => {
  FakeSocket.all = [];
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', FakeSocket);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('the token travels as a subprotocol and never in the address', async () => {
  await follow(null);
  expect(newest().url).toBe('ws://127.0.0.1:1/v1/events');
  expect(newest().protocols).toEqual(['baton', 'bearer.secret']);
});

test('a new connection resumes after the last event seen', async () => {
  const { seen, states } = await follow('evt_4');
  expect(newest().url).toContain('?after=evt_4');
  newest().onopen?.();
  newest().onmessage?.({ data: event(5) });
  newest().onclose?.({ wasClean: false });
  expect(states.at(-1)).toMatchObject({ kind: 'lost', tries: 1 });
  await vi.advanceTimersByTimeAsync(250);
  expect(newest().url).toContain('?after=evt_5');
  newest().onopen?.();
  expect(states.at(-1)).toEqual({ kind: 'connected' });
  expect(seen).toEqual(['evt_5']);
});

test('pauses grow to five seconds, and a person may skip them', async () => {
  const { states, stream } = await follow(null);
  for (let i = 0; i < 8; i += 1) {
    newest().onclose?.({ wasClean: false });
    await vi.advanceTimersByTimeAsync(5_000);
  }
  expect(states.at(-1)).toMatchObject({ kind: 'lost', tries: 8 });
  newest().onclose?.({ wasClean: false });
  const before = FakeSocket.all.length;
  stream.retryNow();
  await vi.advanceTimersByTimeAsync(0);
  expect(FakeSocket.all).toHaveLength(before + 1);
});

test('a closed stream stays closed', async () => {
  const { stream, states } = await follow(null);
  stream.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(FakeSocket.all).toHaveLength(1);
  expect(states).toEqual([]);
});

test('what is no event is passed over', () => {
  expect([parseEvent('{}'), parseEvent('no json'), parseEvent(7), parseEvent('{"id":1}')]).toEqual([null, null, null, null]);
  expect(parseEvent(event(1))?.seq).toBe(1);
});
