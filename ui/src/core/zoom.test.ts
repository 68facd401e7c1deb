import { expect, test } from 'vitest';
import { pageFitting } from './fit';
import { FIT, percent, shownAt, WHOLE, zoomed, zoomKey } from './zoom';

const screen = { width: 1280, height: 808 };

test('a screen of the stage’s own size stands 1:1 and fills it', () => {
  expect(shownAt(FIT, screen, screen)).toEqual({ width: 1280, height: 808, scale: 1, rest: { right: 0, bottom: 0 }, pans: false });
});

test('a few pixels less are no reason to blur', () => {
  expect(shownAt(FIT, screen, { width: 1286, height: 812 }).scale).toBe(1);
  expect(shownAt(FIT, screen, { width: 1279, height: 808 }).scale).toBeLessThan(1);
});

test('another size is scaled whole from the top left', () => {
  const shown = shownAt(FIT, screen, { width: 640, height: 600 });
  expect(shown).toEqual({ width: 640, height: 404, scale: 0.5, rest: { right: 0, bottom: 196 }, pans: false });
});

test('at a chosen scale what does not fit is panned to', () => {
  expect(shownAt(WHOLE, screen, { width: 640, height: 900 })).toMatchObject({ width: 1280, pans: true, rest: { right: 0, bottom: 92 } });
});

test('a stage that is not laid out yet shows the screen as it is', () => {
  expect(shownAt(FIT, screen, { width: 0, height: 0 }).scale).toBe(1);
});

test('steps go from what is shown, whatever that is', () => {
  expect(zoomed(0.6, 'in')).toEqual({ kind: 'scale', scale: 0.67 });
  expect(zoomed(0.6, 'out')).toEqual({ kind: 'scale', scale: 0.5 });
  expect(zoomed(1, 'in')).toEqual({ kind: 'scale', scale: 1.1 });
  expect(zoomed(3, 'in')).toEqual({ kind: 'scale', scale: 3 });
  expect(zoomed(0.1, 'out')).toEqual({ kind: 'scale', scale: 0.25 });
});

test('keys', () => {
  expect(['+', '=', '-', '0', '1', 'x'].map(zoomKey)).toEqual(['in', 'in', 'out', 'fit', 'whole', null]);
  expect(percent(0.6667)).toBe('67 %');
});

test.each([
  [768, 572],
  [820, 560],
  [900, 720],
  [1400, 900],
  [1720, 1300],
])('a page made for a stage of %d × %d fills it 1:1', (width, height) => {
  const page = pageFitting(width, height, 88);
  expect(shownAt(FIT, { width: page.width, height: page.height + 88 }, { width, height })).toMatchObject({ scale: 1, pans: false, rest: { right: 0, bottom: 0 } });
});

test('a stage too small for sites gets a page that is scaled into it, in its shape', () => {
  const page = pageFitting(500, 400, 88);
  expect(page.width).toBe(768);
  const shown = shownAt(FIT, { width: page.width, height: page.height + 88 }, { width: 500, height: 400 });
  expect(shown.rest.right).toBeLessThan(2);
  expect(shown.rest.bottom).toBeLessThan(2);
});
