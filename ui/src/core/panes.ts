/**
 * How the window's width is shared between the list of work, the picture and the panel beside it.
 *
 * A person's widths are kept as they were dragged; what does not fit now is given up for now, the panel's before the list's,
 * so that the picture is never narrower than [`PICTURE_MIN`].
 */

/** What a person chose; `null` for the width that goes with the window. */
export interface PaneChoice {
  list: number | null;
  side: number | null;
  listFolded: boolean;
  sideFolded: boolean;
}

export const PANES_UNCHOSEN: PaneChoice = { list: null, side: null, listFolded: false, sideFolded: false };

export interface Range {
  min: number;
  now: number;
  max: number;
}

export interface Panes {
  /** Widths in CSS pixels; a folded list is a rail of [`RAIL`]. */
  list: Range;
  side: Range;
  listFolded: boolean;
  /** The panel lies over the picture and is opened on demand. */
  drawer: boolean;
}

/** Width of a folded list. */
export const RAIL = 52;
/** The picture is never narrower, however wide the rest was dragged. */
export const PICTURE_MIN = 480;
/** Up to here the panel is a drawer. */
const DRAWER_UP_TO = 1100;
const LIST = { min: 180, max: 420 };
const SIDE = { min: 260, max: 760 };
/** A list that is dragged narrower than this folds. */
const FOLDS_BELOW = 120;

/** Returns the widths for a window of this width. */
export function panesFor(width: number, choice: PaneChoice): Panes {
  const drawer = width <= DRAWER_UP_TO;
  const sideShown = !drawer && !choice.sideFolded;
  const listSpace = width - PICTURE_MIN - (sideShown ? SIDE.min : 0);
  const listMax = clamp(listSpace, LIST.min, LIST.max);
  const list = clamp(choice.list ?? defaultList(width), LIST.min, listMax);
  const sideSpace = width - PICTURE_MIN - (choice.listFolded ? RAIL : list);
  const sideMax = clamp(sideSpace, SIDE.min, SIDE.max);
  const side = clamp(choice.side ?? defaultSide(width), SIDE.min, sideMax);
  return {
    list: { min: LIST.min, now: list, max: listMax },
    side: { min: SIDE.min, now: side, max: sideMax },
    listFolded: choice.listFolded,
    drawer,
  };
}

/** Returns the choice after the edge of a pane was put where the pane has this width. A pane that is dragged to almost nothing folds. */
export function dragged(choice: PaneChoice, pane: 'list' | 'side', width: number, panes: Panes): PaneChoice {
  if (width < FOLDS_BELOW) return pane === 'list' ? { ...choice, listFolded: true } : { ...choice, sideFolded: true };
  const { min, max } = panes[pane];
  const kept = clamp(Math.round(width), min, max);
  return pane === 'list' ? { ...choice, list: kept, listFolded: false } : { ...choice, side: kept, sideFolded: false };
}

/** Height of the timeline beneath the picture. */
const TIMELINE = 38;

/** Returns what lies around the picture in its column: its frame, its bar, the line above it. As the stage's own style has it. */
export function stageMargins(windowWidth: number, windowHeight: number): { width: number; height: number } {
  const tight = windowWidth <= 1500 || windowHeight <= 800;
  const [sides, ends, gap] = tight ? [16, 16, 8] : [32, 26, 10];
  return { width: sides + 4, height: ends + 30 + gap + TIMELINE + 76 + 4 };
}

const STEP = 16;
const LEAP = 64;

/** Returns the width that a key gives a pane, or `null` for keys without a meaning. `grows` is the arrow that makes it wider. */
export function keyedWidth(key: string, shift: boolean, { min, now, max }: Range, grows: 'ArrowLeft' | 'ArrowRight'): number | null {
  const shrinks = grows === 'ArrowLeft' ? 'ArrowRight' : 'ArrowLeft';
  const by = shift ? LEAP : STEP;
  switch (key) {
    case grows:
      return Math.min(max, now + by);
    case shrinks:
      return Math.max(min, now - by);
    case 'Home':
      return min;
    case 'End':
      return max;
    default:
      return null;
  }
}

/** Reads what was kept; an invalid width counts as not chosen. */
export function readPanes(kept: unknown): PaneChoice {
  if (typeof kept !== 'object' || kept === null) return PANES_UNCHOSEN;
  const { list, side, listFolded, sideFolded } = kept as Record<keyof PaneChoice, unknown>;
  const width = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null);
  return { list: width(list), side: width(side), listFolded: listFolded === true, sideFolded: sideFolded === true };
}

// At 1280 both together leave the picture three fifths of the width; at 1920 both breathe.
function defaultList(width: number): number {
  return clamp(Math.round(width * 0.1625), LIST.min, 304);
}

function defaultSide(width: number): number {
  return clamp(Math.round(width * 0.22), SIDE.min, 480);
}

function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(max, value));
}
