/**
 * A large file read by windows: a part of it is held at a time, and it moves by whole lines.
 *
 * All in bytes; `to` is the first byte that is not in it.
 */

export interface Window {
  from: number;
  to: number;
}

/** How much one step reads. */
export const STEP = 256 << 10;
/** The most that is held at once: what moves out at one end is read again when it is wanted. */
export const HELD = 1 << 20;

const LINE = 10;

/** Returns the part to read for the end of a file. */
export function tailOf(size: number): Window {
  return { from: Math.max(0, size - STEP), to: size };
}

/** Returns the part to read for the beginning. */
export function headOf(size: number): Window {
  return { from: 0, to: Math.min(STEP, size) };
}

/** Returns the part to read for what stands around a place. */
export function around(at: number, size: number): Window {
  const from = Math.max(0, Math.min(at - STEP / 2, size - STEP));
  return { from, to: Math.min(size, from + STEP) };
}

/** Returns the part before a window, or `null` at the beginning. */
export function before({ from }: Window): Window | null {
  return from === 0 ? null : { from: Math.max(0, from - STEP), to: from };
}

/** Returns the part after a window, or `null` at the end. */
export function after({ to }: Window, size: number): Window | null {
  return to >= size ? null : { from: to, to: Math.min(size, to + STEP) };
}

/**
 * Cuts what was read to whole lines, and returns where it truly begins and ends. An edge at the file's own beginning or end
 * stays; a line that is longer than the part is cut where the part ends.
 */
export function wholeLines(read: Uint8Array, at: Window, size: number, edges: { start: boolean; end: boolean }): { bytes: Uint8Array; at: Window } {
  let first = 0;
  let last = read.length;
  if (edges.start && at.from > 0) {
    const line = read.indexOf(LINE);
    if (line !== -1 && line + 1 < read.length) first = line + 1;
  }
  if (edges.end && at.from + read.length < size) {
    const line = read.lastIndexOf(LINE);
    if (line !== -1 && line + 1 > first) last = line + 1;
  }
  return { bytes: read.subarray(first, last), at: { from: at.from + first, to: at.from + last } };
}

/** Returns where a window stands in its file, in words: `199.0–200.0 MB of 200.0 MB`. */
export function placeWords({ from, to }: Window, size: number): string {
  const mb = (bytes: number) => (bytes / 1e6).toFixed(1);
  if (from === 0 && to >= size) return `${mb(size)} MB, all of it`;
  return `${mb(from)}–${mb(to)} MB of ${mb(size)} MB`;
}
