/** The wall: every job that runs as a small live tile, those that need a person first. */
import type { Group, Item } from './groups';

export const TILES_MAX = 16;
/** Up to so many tiles show two pictures a second; more show one each, so that all together stay cheap. */
const LIVELY_UP_TO = 6;
/** Height of what a tile says beneath its picture. */
export const CAPTION = 52;
const GAP = 12;
/** A tile narrower than this says nothing any more: the wall scrolls instead. */
const NARROWEST = 200;
/** One larger than this shows no more. */
const WIDEST = 760;

/** Returns the jobs of the wall in its order. */
export function wallOf(groups: readonly Group[]): Item[] {
  const running = groups.filter((group) => group.name === 'Needs you' || group.name === 'Running');
  return running.flatMap((group) => group.items).slice(0, TILES_MAX);
}

/** Returns the columns that give the largest tiles that all fit, and how wide these are; tiles have the shape of a screen. */
export function layoutOf(nTiles: number, width: number, height: number): { columns: number; tile: number } {
  let best = { columns: 1, tile: 0 };
  for (let columns = 1; columns <= Math.max(1, nTiles); columns += 1) {
    const rows = Math.ceil(nTiles / columns);
    const across = (width - GAP * (columns - 1)) / columns;
    const down = ((height - GAP * (rows - 1)) / rows - CAPTION) * 1.6;
    const tile = Math.min(across, down);
    if (tile > best.tile) best = { columns, tile };
  }
  if (best.tile >= NARROWEST) return { columns: best.columns, tile: Math.min(WIDEST, Math.floor(best.tile)) };
  const columns = Math.max(1, Math.floor((width + GAP) / (NARROWEST + GAP)));
  return { columns, tile: Math.floor((width - GAP * (columns - 1)) / columns) };
}

/** Returns how many pictures a second each tile asks for. */
export function tileRate(nTiles: number): number {
  return nTiles <= LIVELY_UP_TO ? 2 : 1;
}

/** Returns how many times smaller than the screen a tile of this width wants its pictures. */
export function tileScale(screenWidth: number, tileWidth: number): number {
  return Math.max(1, Math.min(16, Math.floor(screenWidth / Math.max(1, tileWidth))));
}

/** Returns where a key leads from the tile `at`; `null` for keys without a meaning. */
export function tileAfter(key: string, at: number, nTiles: number, columns: number): number | null {
  const last = nTiles - 1;
  switch (key) {
    case 'ArrowRight':
      return Math.min(last, at + 1);
    case 'ArrowLeft':
      return Math.max(0, at - 1);
    case 'ArrowDown':
      return at + columns <= last ? at + columns : at;
    case 'ArrowUp':
      return at - columns >= 0 ? at - columns : at;
    case 'Home':
      return 0;
    case 'End':
      return last;
    default:
      return null;
  }
}

/** Returns the tile that a digit picks: 1 is the first, 0 the tenth. */
export function tileOfDigit(key: string): number | null {
  return /^\d$/.test(key) ? (Number(key) + 9) % 10 : null;
}
