/** Wheel movement as notches: what a mouse wheel gives in steps and a touchpad in crumbs. */

/** What is used of a `WheelEvent`. */
export interface WheelMove {
  deltaX: number;
  deltaY: number;
  /** 0 pixels, 1 lines, 2 pages. */
  deltaMode: number;
  shiftKey: boolean;
}

/** Pixels that browsers scroll for one notch; lines and pages as they count them. */
const NOTCH_PX = 100;
const NOTCH_LINES = 3;
const NOTCH_PAGES = 1;
/** A single event beyond this is a fling; the rest of it would outrun the person. */
const MOST_NOTCHES = 10;

/** Sums up crumbs until they are whole notches. */
export class WheelNotches {
  #x = 0;
  #y = 0;

  /** Returns the whole notches that this movement completes, or `null`; positive is down and right. */
  add(move: WheelMove): { dx: number; dy: number } | null {
    const unit = move.deltaMode === 2 ? NOTCH_PAGES : move.deltaMode === 1 ? NOTCH_LINES : NOTCH_PX;
    // Shift turns a plain wheel sideways; browsers that have done so already report it in deltaX.
    const sideways = move.shiftKey && move.deltaX === 0;
    this.#x = gather(this.#x, (sideways ? move.deltaY : move.deltaX) / unit);
    this.#y = gather(this.#y, (sideways ? 0 : move.deltaY) / unit);
    const dx = whole(this.#x);
    const dy = whole(this.#y);
    if (dx === 0 && dy === 0) return null;
    this.#x -= dx;
    this.#y -= dy;
    return { dx: limit(dx), dy: limit(dy) };
  }

  reset(): void {
    this.#x = 0;
    this.#y = 0;
  }
}

/** A turn the other way starts afresh: it is not first spent on undoing crumbs. */
function gather(crumbs: number, more: number): number {
  return crumbs * more < 0 ? more : crumbs + more;
}

function whole(notches: number): number {
  // A mouse's notch may arrive as 99.99 of 100 pixels under a scaled display.
  const rounded = Math.trunc(notches + Math.sign(notches) * 0.01);
  return rounded === 0 ? 0 : rounded;
}

function limit(notches: number): number {
  return Math.min(Math.max(notches, -MOST_NOTCHES), MOST_NOTCHES);
}
