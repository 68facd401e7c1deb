import { expect, test } from 'vitest';
import { afterClosing, inOrder, nextName } from './terminals';

test('a new terminal has the lowest free number', () => {
  expect(nextName([])).toBe('1');
  expect(nextName(['1', '3', 'build'])).toBe('2');
});

test('when one closes its neighbour is shown', () => {
  expect(afterClosing(['1', '2', '3'], '2')).toBe('3');
  expect(afterClosing(['1', '2', '3'], '3')).toBe('2');
  expect(afterClosing(['1'], '1')).toBeNull();
});

test('terminals stand in the order of their numbers', () => {
  expect(inOrder(['10', '2', 'a', '1'])).toEqual(['1', '2', '10', 'a']);
});
