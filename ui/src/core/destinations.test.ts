import { expect, test } from 'vitest';
import type { NetworkDestination } from '../types';
import { placeOf, totalOf, useOf } from './destinations';

const destination = (over: Partial<NetworkDestination>): NetworkDestination => ({
  host: 'shop.example', port: 443, by: 'browser', connections: 3, refused: 0, sentBytes: 14_000, receivedBytes: 1_200_000, firstAt: 1, lastAt: 2, ...over,
});

test('a destination is named by its host, and by its port where that is not a usual one', () => {
  expect([destination({}), destination({ port: 80 }), destination({ port: 8080 }), destination({ host: '*', port: 0 })].map(placeOf)).toEqual(['shop.example', 'shop.example', 'shop.example:8080', 'Further destinations']);
});

test('who went there, and what was refused', () => {
  expect(useOf(destination({}))).toBe('browser, 3 connections');
  expect(useOf(destination({ by: 'commands', connections: 0, refused: 1 }))).toBe('commands, refused once');
  expect(useOf(destination({ connections: 1, refused: 2 }))).toBe('browser, 1 connection, refused 2 times');
});

test('the total counts a place once, and none that only refused', () => {
  const all = [destination({}), destination({ by: 'commands', connections: 1, sentBytes: 1000, receivedBytes: 0 }), destination({ host: 'closed.example', connections: 0, refused: 4, sentBytes: 0, receivedBytes: 0 })];
  expect(totalOf(all)).toBe('Received 1.2 MB and sent 15 kB at 1 destination');
});
