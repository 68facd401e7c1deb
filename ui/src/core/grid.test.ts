import { expect, test } from 'vitest';
import { amount, columnName, inSight, nextOrder, ordered, widths } from './grid';

const ROWS = [['b', '10'], ['a', '9,5'], ['', '1.000,25'], ['C', '']];

test('a press orders up, then down, then not', () => {
  const up = nextOrder(null, 1);
  expect(up).toEqual({ column: 1, descending: false });
  const down = nextOrder(up, 1);
  expect(down).toEqual({ column: 1, descending: true });
  expect(nextOrder(down, 1)).toBeNull();
  expect(nextOrder(down, 0)).toEqual({ column: 0, descending: false });
});

test('numbers go by value, texts as a dictionary does, and empty cells come last', () => {
  expect(ordered(ROWS, null)).toEqual([0, 1, 2, 3]);
  expect(ordered(ROWS, { column: 0, descending: false })).toEqual([1, 0, 3, 2]);
  expect(ordered(ROWS, { column: 1, descending: false })).toEqual([1, 0, 2, 3]);
  expect(ordered(ROWS, { column: 1, descending: true })).toEqual([2, 0, 1, 3]);
});

test.each([
  ['1,234.50', 1234.5],
  ['1.234,50', 1234.5],
  ['12,5', 12.5],
  ['1,000', 1000],
  ['€ 3', 3],
  ['-2e3', -2000],
  ['2026-10', null],
  ['', null],
])('%j is the amount %j', (text, expected) => expect(amount(text)).toBe(expected));

test('a column is as wide as what stands in it, within reason', () => {
  expect(widths(['a', 'a longer head'], [['x'.repeat(500), 'y']])).toEqual([48, 15]);
  expect(widths([], [])).toEqual([]);
});

test('what is in sight is drawn, and a little around it', () => {
  expect(inSight(0, 300, 30, 1_000)).toEqual({ from: 0, to: 22 });
  expect(inSight(3_000, 300, 30, 105)).toEqual({ from: 88, to: 105 });
});

test('columns have the names of spreadsheets', () => {
  expect([0, 25, 26, 701, 702].map(columnName)).toEqual(['A', 'Z', 'AA', 'ZZ', 'AAA']);
});
