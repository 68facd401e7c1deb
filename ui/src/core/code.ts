/** Code that a person runs in the sandbox. */

import type { CodeLanguage, ExecResult } from '../types';

export const LANGUAGES: { name: CodeLanguage; label: string; file: string }[] = [
  { name: 'python', label: 'Python', file: 'code.py' },
  { name: 'javascript', label: 'JavaScript', file: 'code.js' },
  { name: 'typescript', label: 'TypeScript', file: 'code.ts' },
  { name: 'bash', label: 'Bash', file: 'code.sh' },
];

/** Returns how a run ended, in words. */
export function endWords({ exitCode, signal, durationMs, timedOut }: Pick<ExecResult, 'exitCode' | 'signal' | 'durationMs' | 'timedOut'>): string {
  const took = durationMs < 1000 ? `${durationMs} ms` : `${(durationMs / 1000).toFixed(1)} s`;
  if (timedOut) return `Stopped after ${took}: it took too long`;
  if (signal != null) return `Ended by ${signal} after ${took}`;
  return exitCode === 0 ? `Done in ${took}` : `Failed with ${exitCode} after ${took}`;
}

interface Entry {
  path: string;
  kind: string;
  modifiedAt: number;
  size: number;
}

/** The most pictures that are shown of one run. */
export const PICTURES_MAX = 12;
const PICTURE = /\.(png|jpe?g|gif|webp|svg)$/i;

/** Returns the pictures that a run left: files that were not there before, or are others now. */
export function newPictures(before: readonly Entry[], after: readonly Entry[]): string[] {
  const known = new Map(before.map((entry) => [entry.path, `${entry.modifiedAt} ${entry.size}`]));
  const made = after.filter((entry) => entry.kind === 'file' && PICTURE.test(entry.path) && known.get(entry.path) !== `${entry.modifiedAt} ${entry.size}`);
  return made.sort((a, b) => b.modifiedAt - a.modifiedAt).slice(0, PICTURES_MAX).map((entry) => entry.path);
}
