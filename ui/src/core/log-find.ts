/**
 * Words that are looked for in a file that is never held whole: part after part is read, and what is remembered is where they
 * stand.
 *
 * It is looked for in bytes, so that a place is a place of the file whatever stands before it, broken letters too.
 */
import type { Window } from './windows';
import type { Encoding } from './viewer';

/** Where a match stands, in bytes of the file. */
export interface Found {
  at: number;
  length: number;
}

/** How much is read at once. */
export const PART = 1 << 20;
/** The most matches that are remembered. */
export const FOUND_MAX = 10_000;

/** Every byte is one letter of this, and every letter one byte. */
const BYTES = new TextDecoder('windows-1252');

/** Returns what finds words in bytes, upper and lower case alike; `null` where the encoding has no such letter. */
export function finderOf(words: string, encoding: Encoding): { pattern: RegExp; longest: number } | null {
  const parts: string[] = [];
  let longest = 0;
  for (const letter of words) {
    const forms = [...new Set([letter, letter.toLowerCase(), letter.toUpperCase()])].map((form) => encoded(form, encoding)).filter((bytes) => bytes !== null);
    if (forms.length === 0) return null;
    longest += Math.max(...forms.map((bytes) => bytes.length));
    const written = forms.map((bytes) => BYTES.decode(bytes).replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
    // Of single bytes an engine skips ahead by a table.
    parts.push(forms.every((bytes) => bytes.length === 1) ? `[${written.join('')}]` : `(?:${written.join('|')})`);
  }
  return parts.length === 0 ? null : { pattern: new RegExp(parts.join(''), 'g'), longest };
}

/**
 * Looks for words in a part of a file and yields what each reading found, and up to where it has looked. A match that a
 * reading cuts is found by the next one.
 */
export async function* findIn(read: (from: number, to: number) => Promise<Uint8Array<ArrayBuffer>>, { from, to }: Window, words: string, encoding: Encoding): AsyncGenerator<{ found: Found[]; upTo: number }> {
  const finder = finderOf(words, encoding);
  if (finder === null) return;
  const width = encoding.startsWith('utf-16') ? 2 : 1;
  let next = from;
  let taken = from;
  while (next < to) {
    const bytes = await read(next, Math.min(to, next + PART));
    if (bytes.length === 0) return;
    const found: Found[] = [];
    for (const match of BYTES.decode(bytes).matchAll(finder.pattern)) {
      const at = next + match.index;
      if (at < taken || at % width !== 0) continue;
      found.push({ at, length: match[0].length });
      taken = at + match[0].length;
    }
    const upTo = next + bytes.length;
    yield { found, upTo };
    next = upTo >= to ? upTo : Math.max(next + 1, upTo - finder.longest + 1);
  }
}

/** Returns the match from which one goes on: the first at or after a place, or else the first of all. */
export function firstFrom(found: readonly Found[], place: number): number | null {
  if (found.length === 0) return null;
  return Math.max(0, found.findIndex(({ at }) => at >= place));
}

/** Returns how far the looking is, in words: `12 found, 34 %`, `Match 3 of 120`. */
export function findingWords({ nFound, current, read, size, running }: { nFound: number; current: number | null; read: number; size: number; running: boolean }): string {
  const n = nFound.toLocaleString('en');
  if (running) {
    const share = `${Math.floor((100 * read) / Math.max(1, size))} %`;
    return nFound === 0 ? `Looking… ${share}` : `${n} found, ${share}`;
  }
  if (nFound === 0) return 'Nothing found';
  const of = nFound >= FOUND_MAX ? `the first ${n}` : n;
  return current === null ? `${n} found` : `Match ${(current + 1).toLocaleString('en')} of ${of}`;
}

function encoded(text: string, encoding: Encoding): Uint8Array | null {
  switch (encoding) {
    case 'utf-16le':
    case 'utf-16be':
      return wide(text, encoding === 'utf-16le');
    case 'windows-1252':
      return narrow(text);
    default:
      return new TextEncoder().encode(text);
  }
}

function wide(text: string, littleEndian: boolean): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(text.length * 2));
  for (let i = 0; i < text.length; i += 1) bytes.setUint16(i * 2, text.charCodeAt(i), littleEndian);
  return new Uint8Array(bytes.buffer);
}

const LETTERS = BYTES.decode(Uint8Array.from({ length: 256 }, (_, byte) => byte));

function narrow(text: string): Uint8Array | null {
  const bytes = [...text].map((letter) => LETTERS.indexOf(letter));
  return bytes.includes(-1) ? null : Uint8Array.from(bytes);
}
