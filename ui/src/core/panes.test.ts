import { expect, test } from 'vitest';
import { dragged, keyedWidth, PANES_UNCHOSEN, panesFor, PICTURE_MIN, readPanes } from './panes';

const picture = (width: number, choice = PANES_UNCHOSEN) => {
  const panes = panesFor(width, choice);
  return width - panes.list.now - (panes.drawer || choice.sideFolded ? 0 : panes.side.now);
};

test('at 1280 the picture has three fifths of the width with its margins', () => {
  expect(picture(1280)).toBeGreaterThanOrEqual(1280 * 0.6 + 20);
});

test('a narrow window has the panel in a drawer', () => {
  expect(panesFor(1024, PANES_UNCHOSEN).drawer).toBe(true);
  expect(panesFor(1280, PANES_UNCHOSEN).drawer).toBe(false);
  expect(picture(1024)).toBeGreaterThan(800);
});

test.each([900, 1024, 1101, 1280, 1440, 1920, 2560])('however wide panes were dragged, at %d the picture stays', (width) => {
  expect(picture(width, { ...PANES_UNCHOSEN, list: 2000, side: 2000 })).toBeGreaterThanOrEqual(Math.min(PICTURE_MIN, width - 420));
});

test('what was dragged in a wide window comes back with it', () => {
  const choice = { ...PANES_UNCHOSEN, side: 700 };
  expect(panesFor(1280, choice).side.now).toBeLessThan(700);
  expect(panesFor(1920, choice).side.now).toBe(700);
});

test('a pane that is dragged to nothing folds, and one that is dragged out again unfolds', () => {
  const panes = panesFor(1440, PANES_UNCHOSEN);
  const folded = dragged(PANES_UNCHOSEN, 'list', 40, panes);
  expect(folded).toEqual({ ...PANES_UNCHOSEN, listFolded: true });
  expect(dragged(folded, 'list', 260, panes)).toEqual({ ...PANES_UNCHOSEN, list: 260 });
  expect(dragged(PANES_UNCHOSEN, 'side', 200, panes).side).toBe(panes.side.min);
  expect(dragged(PANES_UNCHOSEN, 'side', 30, panes).sideFolded).toBe(true);
});

test('keys move an edge the way it looks', () => {
  const range = { min: 260, now: 300, max: 400 };
  expect(keyedWidth('ArrowLeft', false, range, 'ArrowLeft')).toBe(316);
  expect(keyedWidth('ArrowRight', false, range, 'ArrowLeft')).toBe(284);
  expect(keyedWidth('ArrowRight', true, range, 'ArrowRight')).toBe(364);
  expect(keyedWidth('Home', false, range, 'ArrowLeft')).toBe(260);
  expect(keyedWidth('End', false, range, 'ArrowLeft')).toBe(400);
  expect(keyedWidth('a', false, range, 'ArrowLeft')).toBeNull();
});

test('what is kept is read back, and nonsense is nothing', () => {
  const choice = { list: 200, side: null, listFolded: false, sideFolded: true };
  expect(readPanes(JSON.parse(JSON.stringify(choice)))).toEqual(choice);
  expect(readPanes({ list: 'wide', side: -4 })).toEqual(PANES_UNCHOSEN);
  expect(readPanes(null)).toEqual(PANES_UNCHOSEN);
});
