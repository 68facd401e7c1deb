/** Where the sandbox's screen lies in the element that shows it. */
import type { Screen } from './words';

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Point {
  x: number;
  y: number;
}

/**
 * Returns the part of `box` that the screen covers, in the same pixels.
 *
 * Fitting as in CSS Images 3, `object-fit: contain`: whole, centred, letterbox around it.
 */
export function fit(screen: Screen, box: Box): Box {
  const scale = Math.min(box.width / screen.width, box.height / screen.height);
  const width = screen.width * scale;
  const height = screen.height * scale;
  return { left: box.left + (box.width - width) / 2, top: box.top + (box.height - height) / 2, width, height };
}

/** Maps a point of the page to a pixel of the screen; `null` in the letterbox. Origin top left, both. */
export function toScreen(point: Point, screen: Screen, box: Box): Point | null {
  const shown = fit(screen, box);
  const x = ((point.x - shown.left) * screen.width) / shown.width;
  const y = ((point.y - shown.top) * screen.height) / shown.height;
  // Also false when the box has no size, where nothing is a number.
  if (!(x >= 0 && y >= 0 && x < screen.width && y < screen.height)) return null;
  return { x: Math.floor(x), y: Math.floor(y) };
}

/** As [`toScreen`], but a point outside goes to the nearest pixel: a drag that leaves the screen goes on at its edge. */
export function toNearest(point: Point, screen: Screen, box: Box): Point | null {
  const shown = fit(screen, box);
  if (!(shown.width > 0 && shown.height > 0)) return null;
  return {
    x: clamp(Math.floor(((point.x - shown.left) * screen.width) / shown.width), screen.width - 1),
    y: clamp(Math.floor(((point.y - shown.top) * screen.height) / shown.height), screen.height - 1),
  };
}

function clamp(value: number, max: number): number {
  return Math.min(Math.max(value, 0), max);
}
