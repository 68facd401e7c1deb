import { expect, test } from 'vitest';
import { matches, step } from './find';

test('words are found in the pages whatever their case and spaces', () => {
  const found = matches(['One total, and a TOTAL', 'none', 'The\ntotal of  all'], 'total');
  expect(found).toEqual([{ page: 0, nth: 0 }, { page: 0, nth: 1 }, { page: 2, nth: 0 }]);
  expect(matches(['The\ntotal  of'], 'the total of')).toHaveLength(1);
  expect(matches(['anything'], '  ')).toEqual([]);
});

test('a step goes round', () => {
  const found = matches(['a a a'], 'a');
  expect(step(found, null, 1)).toBe(0);
  expect(step(found, 2, 1)).toBe(0);
  expect(step(found, 0, -1)).toBe(2);
  expect(step([], null, 1)).toBeNull();
});
