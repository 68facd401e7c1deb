/**
 * When the person last looked at each file, so that what changed since can be marked. Kept for this session of the page.
 *
 * What is there when a workspace is first listed is no news: only what comes or changes afterwards is.
 */
import type { FileEntry } from '../types';

const looks = new Map<string, ReadonlyMap<string, number>>();

/** Returns path → time of the version that counts as seen; `null` before the first listing. */
export function looksAt(sandboxId: string): ReadonlyMap<string, number> | null {
  return looks.get(sandboxId) ?? null;
}

/** Takes the first listing as seen. */
export function listed(sandboxId: string, entries: readonly FileEntry[]): ReadonlyMap<string, number> {
  const known = looks.get(sandboxId);
  if (known !== undefined) return known;
  const first = new Map(entries.map((entry) => [entry.path.replace(/^\/?workspace\//, ''), entry.modifiedAt]));
  looks.set(sandboxId, first);
  return first;
}

/** Takes one version of a file as seen. */
export function looked(sandboxId: string, path: string, modifiedAt: number): ReadonlyMap<string, number> {
  const known = new Map(looks.get(sandboxId));
  known.set(path, modifiedAt);
  looks.set(sandboxId, known);
  return known;
}
