/** How long to wait before connecting again: soon at first, then patiently, and never all at once with others. */
const FIRST_MS = 250;
const LONGEST_MS = 5_000;

/** Returns the pause before try number `tries` (from 1), in ms; `random` in [0, 1) spreads it. */
export function pauseBefore(tries: number, random: number): number {
  const pause = Math.min(FIRST_MS * 2 ** (tries - 1), LONGEST_MS);
  return Math.round(pause * (0.75 + random * 0.5));
}
