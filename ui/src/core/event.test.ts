import { expect, test } from 'vitest';
import { readEvent, type Event } from './event';
import { AT } from './testing';

const told = (type: string, data: unknown) => readEvent({ id: 'evt_1', sandboxId: 'sbx_1', seq: 1, by: 'agent', at: AT, type, data });

test('an event is told by its type, and its payload goes with it', () => {
  const event = told('sandbox.handoff.accepted', { requestId: 'ho_1', controller: 'Ada' });
  if (event?.type !== 'sandbox.handoff.accepted') throw new Error('it is of that type');
  expect(event.data.controller).toBe('Ada');
});

test('what this page does not know is an event all the same', () => {
  for (const [type, data] of [['sandbox.moon.rose', { over: 'there' }], ['sandbox.ready', 'text'], ['toString', {}]] as const) {
    expect(told(type, data)).toMatchObject({ id: 'evt_1', seq: 1, type: 'unknown', kind: type, data });
  }
});

test('what is no event is none', () => {
  for (const value of [null, 7, 'text', [], {}, { id: 'evt_1' }, { id: 1, sandboxId: 'sbx_1', seq: 1, type: 'sandbox.ready', data: {} }]) {
    expect(readEvent(value)).toBeNull();
  }
});

test('a switch that leaves a type out does not compile', () => {
  // @ts-expect-error Every type but this one is missing.
  const incomplete = (event: Event): string => {
    switch (event.type) {
      case 'unknown':
        return event.kind;
    }
  };
  expect(incomplete(told('sandbox.moon.rose', {})!)).toBe('sandbox.moon.rose');
});
