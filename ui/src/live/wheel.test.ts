import { describe, expect, test } from 'vitest';
import { WheelNotches } from './wheel';
import type { WheelMove } from './wheel';

function move(deltaY: number, more: Partial<WheelMove> = {}): WheelMove {
  return { deltaX: 0, deltaY, deltaMode: 0, shiftKey: false, ...more };
}

function check(moves: WheelMove[], expected: [dx: number, dy: number]) {
  const notches = new WheelNotches();
  const sum: [number, number] = [0, 0];
  for (const one of moves) {
    const made = notches.add(one);
    sum[0] += made?.dx ?? 0;
    sum[1] += made?.dy ?? 0;
  }
  expect(sum).toEqual(expected);
}

describe('wheel notches', () => {
  test('a mouse wheel gives one for each step, in every unit', () => {
    check([move(100), move(100)], [0, 2]);
    check([move(3, { deltaMode: 1 })], [0, 1]);
    check([move(-1, { deltaMode: 2 })], [0, -1]);
    check([move(99.6)], [0, 1]);
  });

  test('crumbs of a touchpad add up', () => {
    check(Array.from({ length: 25 }, () => move(8)), [0, 2]);
    check([move(60), move(30)], [0, 0]);
  });

  test('turning back starts afresh', () => {
    check([move(90), move(-100)], [0, -1]);
  });

  test('shift turns a plain wheel sideways', () => {
    check([move(100, { shiftKey: true })], [1, 0]);
    check([move(0, { deltaX: 100, shiftKey: true })], [1, 0]);
  });

  test('a fling does not outrun the person', () => {
    check([move(50_000)], [0, 10]);
  });
});
