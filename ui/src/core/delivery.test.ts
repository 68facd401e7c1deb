import { expect, test } from 'vitest';
import type { Delivery } from '../types';
import { deliveryWords, typesIn } from './delivery';

const NOW = 1_000_000;
const sent: Delivery = { id: 'msg_1', webhookId: 'wh_1', eventId: null, type: 'sandbox.ready', status: 'pending', attempts: 0, lastStatus: null, lastError: null, lastAttemptAt: null, nextAttemptAt: NOW, deliveredAt: null, createdAt: NOW };

const check = (change: Partial<Delivery>, kind: string, words: string) => expect(deliveryWords({ ...sent, ...change }, NOW)).toEqual({ kind, words });

test('a delivery says where it stands and why', () => {
  check({}, 'waiting', 'Being sent');
  check({ status: 'delivered', attempts: 1 }, 'good', 'Delivered');
  check({ status: 'delivered', attempts: 3 }, 'good', 'Delivered at attempt 3');
  check({ attempts: 1, lastError: 'the receiver answered 500', nextAttemptAt: NOW + 30_000 }, 'waiting', 'the receiver answered 500; again in 0:30');
  check({ status: 'failed', attempts: 8, lastError: 'the receiver answered 500', nextAttemptAt: null }, 'bad', 'Given up: the receiver answered 500');
});

test('event types are read with commas or blanks between', () => {
  expect(typesIn(' sandbox.ready,sandbox.handoff.*\nsandbox.ended ')).toEqual(['sandbox.ready', 'sandbox.handoff.*', 'sandbox.ended']);
  expect(typesIn('  ')).toEqual([]);
});
