/** Checkpoints, in words. */
import { plainName } from './plain';
import { fileSize, when, type Clock } from './time';
import type { ChangedFile, Checkpoint, CheckpointDiff } from '../types';

/** Most files that are named before one goes back. */
const NAMED = 12;

export function checkpointName({ label }: { label?: string | null }): string {
  return label == null ? 'Checkpoint' : plainName(label);
}

/** Returns when it was taken and what it holds: `10:41 · 3 files, 12 MB · 2 tabs`. */
export function checkpointWords({ createdAt, files, size, tabs }: Checkpoint, clock: Clock): string {
  const held = `${count(files, 'file')}, ${fileSize(size)}`;
  return [when(createdAt, clock), held, ...(tabs > 0 ? [count(tabs, 'tab')] : [])].join(' · ');
}

export interface DiffLine {
  path: string;
  becomes: string;
}

/** Returns what going back does to each file, and how many files are not named. */
export function diffLines({ data, truncated }: CheckpointDiff): { lines: DiffLine[]; more: string | null } {
  const lines = data.slice(0, NAMED).map((file) => ({ path: file.path, becomes: becomes(file) }));
  const left = data.length - lines.length;
  if (left === 0 && !truncated) return { lines, more: null };
  return { lines, more: `and ${truncated ? 'more than ' : ''}${left.toLocaleString('en')} more` };
}

function becomes({ change, size, sizeThen }: ChangedFile): string {
  switch (change) {
    case 'added':
      return 'goes away';
    case 'removed':
      return `comes back, ${fileSize(sizeThen)}`;
    case 'changed':
      return size === sizeThen ? 'becomes what it was' : `becomes what it was: ${fileSize(sizeThen)}, now ${fileSize(size)}`;
  }
}

const count = (n: number, what: string): string => `${n.toLocaleString('en')} ${n === 1 ? what : `${what}s`}`;
