/** When the person last looked at each file, so that what changed since can be marked. Kept for this session of the page. */

const looks = new Map<string, Map<string, number>>();

/** Returns path → time of the version that was looked at. */
export function looksAt(sandboxId: string): ReadonlyMap<string, number> {
  return looks.get(sandboxId) ?? new Map();
}

export function looked(sandboxId: string, path: string, modifiedAt: number): ReadonlyMap<string, number> {
  const known = new Map(looks.get(sandboxId));
  known.set(path, modifiedAt);
  looks.set(sandboxId, known);
  return known;
}
