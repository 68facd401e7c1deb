import { expect, test } from 'vitest';
import { endWords, newPictures } from './code';
import type { ExecResult } from '../types';

const RAN: ExecResult = { exitCode: 0, signal: null, stdout: '', stderr: '', stdoutTruncated: false, stderrTruncated: false, durationMs: 40, timedOut: false };

test('a run says how it ended', () => {
  expect(endWords(RAN)).toBe('Done in 40 ms');
  expect(endWords({ ...RAN, exitCode: 3, durationMs: 2_500 })).toBe('Failed with 3 after 2.5 s');
  expect(endWords({ ...RAN, signal: 'SIGKILL' })).toBe('Ended by SIGKILL after 40 ms');
  expect(endWords({ ...RAN, timedOut: true })).toBe('Stopped after 40 ms: it took too long');
});

test('pictures that came or changed are those that the run left', () => {
  const entry = (path: string, modifiedAt: number, kind = 'file') => ({ path, kind, modifiedAt, size: 1 });
  const before = [entry('old.png', 1), entry('changed.png', 1)];
  const after = [entry('old.png', 1), entry('changed.png', 2), entry('new/plot.svg', 3), entry('data.csv', 3), entry('folder.png', 3, 'directory')];
  expect(newPictures(before, after)).toEqual(['new/plot.svg', 'changed.png']);
});
