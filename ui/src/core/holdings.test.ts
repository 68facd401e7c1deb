import { expect, test } from 'vitest';
import { besideWords, filesWords } from './holdings';

const HELD = { workspaceBytes: 200_000_000, files: 1, folders: 0, trashBytes: 0, artifactBytes: 0, checkpointBytes: 0, truncated: false };

test('what is held is told with its size', () => {
  expect(filesWords(HELD)).toBe('200 MB in 1 file');
  expect(filesWords({ ...HELD, files: 12_000, truncated: true })).toBe('200 MB in more than 12,000 files');
  expect(besideWords(HELD)).toEqual([]);
  expect(besideWords({ ...HELD, trashBytes: 3_000_000, artifactBytes: 1_000 })).toEqual(['1.0 kB of results', '3.0 MB in the trash']);
});
