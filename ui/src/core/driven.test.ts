import { expect, test } from 'vitest';
import { afterReturn, readDriven, type Driven } from './driven';
import { AT, handoffOf } from './testing';
import type { Phase } from './phase';

const driven: Driven = { sandboxId: 'sbx_1', requestId: 'ho_1', at: AT };
const needs = (over = {}): Phase => ({ kind: 'needs', handoff: handoffOf(over) });

test('who drove a moment ago goes on', () => {
  expect(afterReturn(driven, 'sbx_1', needs(), AT + 4_000)).toBe('drive');
});

test.each<[string, Phase, number]>([
  ['was away for long', needs(), AT + 70_000],
  ['is asked for something else', needs({ requestId: 'ho_2' }), AT + 4_000],
  ['finds the agent driving', { kind: 'agent' }, AT + 4_000],
  ['finds another person driving', { kind: 'other', controller: 'Ann', since: null }, AT + 4_000],
])('who %s does not', (_, phase, now) => {
  expect(afterReturn(driven, 'sbx_1', phase, now)).toBe('forget');
});

test('nothing is decided before it is known', () => {
  expect(afterReturn(driven, 'sbx_1', { kind: 'needs', handoff: null }, AT)).toBe('wait');
  expect(afterReturn(driven, 'sbx_2', { kind: 'agent' }, AT)).toBe('wait');
  expect(afterReturn(null, 'sbx_1', { kind: 'agent' }, AT)).toBe('wait');
});

test('what a tab kept is read back', () => {
  expect(readDriven(JSON.stringify(driven))).toEqual(driven);
  expect([null, 'nonsense', '4', '{"at":1}'].map(readDriven)).toEqual([null, null, null, null]);
});
