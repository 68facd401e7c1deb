import { expect, test } from 'vitest';
import type { Checkpoint } from '../types';
import { differenceWords, versionBefore, versionsOf } from './versions';

const HOUR = 3_600_000;
const clock = { now: 20 * HOUR, offsetMinutes: 0 };
const checkpoint = (id: string, createdAt: number, label: string | null = null): Checkpoint => ({ id, sandboxId: 'sbx', label, automatic: true, size: 1, newBytes: 1, files: 1, tabs: 0, sha256: '', createdAt });
const KEPT = [checkpoint('a', 9 * HOUR), checkpoint('c', 12 * HOUR, 'Before you took over'), checkpoint('b', 10 * HOUR)];

test('versions are listed newest first, and the one that the task began with is named so', () => {
  expect(versionsOf(KEPT, 11 * HOUR, clock).map(({ id, words }) => [id, words])).toEqual([
    ['c', '12:00, before you took over'],
    ['b', '10:00, the start of the task'],
    ['a', '09:00, checkpoint'],
  ]);
});

test('a task that began before every checkpoint has none of its own', () => {
  expect(versionsOf(KEPT, 8 * HOUR, clock).some(({ words }) => words.includes('the start'))).toBe(false);
});

test.each([
  [11 * HOUR, 'b'],
  [13 * HOUR, 'c'],
  [8 * HOUR, 'c'],
])('a file written at %d is compared with %s first', (modifiedAt, id) => {
  expect(versionBefore(versionsOf(KEPT, null, clock), modifiedAt)?.id).toBe(id);
});

test('without a checkpoint there is nothing to compare with', () => expect(versionBefore([], 1)).toBeNull());

test.each([
  [{ places: 0, added: 0, removed: 0 }, 'Nothing differs'],
  [{ places: 1, added: 1, removed: 0 }, '1 change: 1 line added'],
  [{ places: 2, added: 3, removed: 1 }, '2 changes: 3 lines added, 1 line removed'],
  [{ places: 1, added: 0, removed: 4 }, '1 change: 4 lines removed'],
])('what differs is said in lines: %j', (difference, words) => expect(differenceWords(difference)).toBe(words));
