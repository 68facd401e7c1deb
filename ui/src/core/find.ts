/** Words that are looked for in the pages of a document. */

export interface Match {
  page: number;
  /** Which one on its page, from 0. */
  nth: number;
}

/** Returns where words stand, whatever their case and the spaces between them. */
export function matches(pages: readonly string[], words: string): Match[] {
  const wanted = flat(words);
  if (wanted === '') return [];
  return pages.flatMap((text, page) => {
    const found: Match[] = [];
    const within = flat(text);
    for (let at = within.indexOf(wanted); at !== -1; at = within.indexOf(wanted, at + wanted.length)) found.push({ page, nth: found.length });
    return found;
  });
}

/** Returns the match after, or before, the current one; the first one without one. */
export function step(found: readonly Match[], now: number | null, by: 1 | -1): number | null {
  if (found.length === 0) return null;
  if (now === null) return by === 1 ? 0 : found.length - 1;
  return (now + by + found.length) % found.length;
}

function flat(text: string): string {
  return text.toLowerCase().replace(/\s+/g, ' ').trim();
}
