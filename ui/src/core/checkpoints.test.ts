import { expect, test } from 'vitest';
import { checkpointName, diffLines } from './checkpoints';

test('a checkpoint without a name has a plain one', () => {
  expect(checkpointName({ label: 'before paying' })).toBe('before paying');
  expect(checkpointName({})).toBe('Checkpoint');
});

test('going back says what becomes of each file', () => {
  const file = (path: string, change: 'added' | 'removed' | 'changed', size: number, sizeThen: number) => ({ path, change, size, sizeThen });
  const data = [file('a', 'added', 5, 0), file('b', 'removed', 0, 2_000), file('c', 'changed', 3, 3), file('d', 'changed', 1_000, 2_000)];
  const { lines, more } = diffLines({ data, truncated: false });
  expect(lines.map((line) => line.becomes)).toEqual([
    'goes away',
    'comes back, 2.0 kB',
    'becomes what it was',
    'becomes what it was: 2.0 kB, now 1.0 kB',
  ]);
  expect(more).toBe(null);
});

test('a long list says how much more there is', () => {
  const data = Array.from({ length: 20 }, (_, at) => ({ path: `f${at}`, change: 'added' as const, size: 1, sizeThen: 0 }));
  expect(diffLines({ data, truncated: false }).more).toBe('and 8 more');
  expect(diffLines({ data, truncated: true }).more).toBe('and more than 8 more');
});
