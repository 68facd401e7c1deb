/** The size of page that fills a box without blank edges. */

const NARROWEST = 1024;
const WIDEST = 1920;
const HIGHEST = 1400;
const LOWEST = 480;

/**
 * Returns the page size whose screen, with the browser's own bars of `bars` pixels above it, has the shape of the box.
 *
 * As wide as the box where that is a width sites are made for; never narrower than a small desktop.
 */
export function pageFitting(width: number, height: number, bars: number): { width: number; height: number } {
  const pageWidth = Math.round(Math.min(WIDEST, Math.max(NARROWEST, width)));
  const screenHeight = (pageWidth * height) / Math.max(1, width);
  return { width: pageWidth, height: Math.round(Math.min(HIGHEST, Math.max(LOWEST, screenHeight - bars))) };
}
