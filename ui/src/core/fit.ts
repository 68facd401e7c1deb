/** The size of page that fills a stage without blank edges. */
import type { SandboxConfig, Viewport } from '../types';

/** Sites are made for this much at least: a narrower stage shows a page that is scaled down. */
const NARROWEST = 768;
const WIDEST = 2560;
const HIGHEST = 2048;
const LOWEST = 360;

/** Height of the browser's own bars above a page, as long as it was not seen. */
export const BARS = 88;

/**
 * Returns the page size whose screen, with the browser's own bars of `bars` pixels above it, has the size of the stage: 1:1
 * where that is a width sites are made for, else in its shape.
 */
export function pageFitting(width: number, height: number, bars: number): { width: number; height: number } {
  const pageWidth = Math.floor(Math.min(WIDEST, Math.max(NARROWEST, width)));
  const screenHeight = (pageWidth * height) / Math.max(1, width);
  return { width: pageWidth, height: Math.floor(Math.min(HIGHEST, Math.max(LOWEST, screenHeight - bars))) };
}

/** Returns the body of a new sandbox, with its browser's page set to this size; one without a browser stays as it is. */
export function withViewport(body: SandboxConfig, viewport: Viewport | null): SandboxConfig {
  const browser = body.capabilities?.browser;
  if (viewport === null || browser === false) return body;
  const asked = typeof browser === 'object' ? browser : {};
  return { ...body, capabilities: { ...body.capabilities, browser: { ...asked, viewport } } };
}
