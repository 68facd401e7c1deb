import { expect, test } from 'vitest';
import { layoutOf, TILES_MAX, tileAfter, tileOfDigit, tileRate, tileScale, wallOf } from './wall';
import type { Group, Item } from './groups';

const item = (id: string): Item => ({ id, title: id, sub: '', time: '', tone: 'agent', state: '', at: 0, open: true, outcome: null, site: null });
const group = (name: Group['name'], ...ids: string[]): Group => ({ name, items: ids.map(item) });

test('who needs a person is first, and what is over is not there', () => {
  const wall = wallOf([group('Needs you', 'c'), group('Running', 'a', 'b'), group('Done today', 'd'), group('Earlier', 'e')]);
  expect(wall.map((each) => each.id)).toEqual(['c', 'a', 'b']);
});

test('no more than sixteen', () => {
  expect(wallOf([group('Running', ...Array.from({ length: 30 }, (_, n) => `${n}`))])).toHaveLength(TILES_MAX);
});

test.each([
  [1, 1400, 800, 1],
  [2, 1400, 800, 2],
  [4, 1400, 800, 2],
  [16, 1400, 800, 6],
  [16, 1600, 1300, 4],
  [3, 700, 1200, 1],
])('%d tiles in %d × %d stand in %d columns', (n, width, height, columns) => {
  expect(layoutOf(n, width, height).columns).toBe(columns);
});

test('a single tile is large, but no poster', () => {
  expect(layoutOf(1, 1400, 800).tile).toBe(760);
});

test('where tiles would be too small, they scroll', () => {
  expect(layoutOf(16, 460, 300)).toEqual({ columns: 2, tile: 224 });
});

test('many tiles show fewer pictures each', () => {
  expect([1, 6, 7, 16].map(tileRate)).toEqual([2, 2, 1, 1]);
});

test('a tile asks for what it shows', () => {
  expect(tileScale(1280, 320)).toBe(4);
  expect(tileScale(1280, 400)).toBe(3);
  expect(tileScale(640, 900)).toBe(1);
  expect(tileScale(3840, 100)).toBe(16);
});

test('arrows move as it looks', () => {
  const at = (key: string, from: number) => tileAfter(key, from, 7, 3);
  expect([at('ArrowRight', 0), at('ArrowDown', 0), at('ArrowDown', 5), at('ArrowUp', 4), at('ArrowUp', 1), at('End', 0), at('x', 0)]).toEqual([1, 3, 5, 1, 1, 6, null]);
});

test('digits pick', () => {
  expect(['1', '9', '0', 'a'].map(tileOfDigit)).toEqual([0, 8, 9, null]);
});
