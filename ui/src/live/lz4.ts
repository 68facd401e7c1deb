/** Unpacks one LZ4 block. Nothing outside the two ranges is ever read or written, whatever the block says. */

/** A block that is not one, or does not have the length that was promised. */
export class BadBlock extends Error {}

/** Longer runs are cheaper by the engine's own copy. */
const LONG = 16;

/** Fills `out` from 0 to `length` with what the block `from` holds between `at` and its end. */
export function unpackLz4(from: Uint8Array, at: number, out: Uint8Array, length: number): void {
  const end = from.length;
  if (length > out.length) throw new BadBlock('no room for the block');
  let filled = 0;
  while (at < end) {
    const token = from[at++]!;
    let literals = token >> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255) {
        if (at >= end) throw new BadBlock('the block is cut short');
        more = from[at++]!;
        literals += more;
      }
    }
    if (literals > end - at || literals > length - filled) throw new BadBlock('literals do not fit');
    if (literals > LONG) {
      out.set(from.subarray(at, at + literals), filled);
      at += literals;
      filled += literals;
    } else {
      for (const stop = at + literals; at < stop; ) out[filled++] = from[at++]!;
    }
    // The last sequence is literals alone.
    if (at === end) break;
    if (end - at < 2) throw new BadBlock('the block is cut short');
    const distance = from[at]! | (from[at + 1]! << 8);
    at += 2;
    let run = (token & 15) + 4;
    if (run === 19) {
      let more = 255;
      while (more === 255) {
        if (at >= end) throw new BadBlock('the block is cut short');
        more = from[at++]!;
        run += more;
      }
    }
    if (distance === 0 || distance > filled || run > length - filled) throw new BadBlock('a match does not fit');
    filled = repeat(out, filled, distance, run);
  }
  if (filled !== length) throw new BadBlock('the block has another length');
}

/** Appends `run` bytes from `distance` back, which may overlap what they make; returns where they end. */
function repeat(out: Uint8Array, filled: number, distance: number, run: number): number {
  const start = filled - distance;
  if (run <= LONG) {
    for (let n = 0; n < run; n++) out[filled + n] = out[start + n]!;
  } else if (distance === 1) {
    out.fill(out[start]!, filled, filled + run);
  } else {
    // What is there already doubles with each copy.
    for (let done = 0; done < run; ) {
      const next = Math.min(distance + done, run - done);
      out.copyWithin(filled + done, start, start + next);
      done += next;
    }
  }
  return filled + run;
}
