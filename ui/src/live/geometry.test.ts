import { describe, expect, test } from 'vitest';
import { fit, toNearest, toScreen } from './geometry';

const SCREEN = { width: 1280, height: 800 };

describe('fitting', () => {
  test('a wider box has its letterbox at the sides', () => {
    expect(fit(SCREEN, { left: 10, top: 20, width: 1000, height: 400 })).toEqual({ left: 190, top: 20, width: 640, height: 400 });
  });

  test('a taller box has its letterbox above and below', () => {
    expect(fit(SCREEN, { left: 0, top: 0, width: 640, height: 1000 })).toEqual({ left: 0, top: 300, width: 640, height: 400 });
  });
});

describe('the pointer', () => {
  const box = { left: 10, top: 20, width: 1000, height: 400 };
  function check(x: number, y: number, expected: [number, number] | null) {
    expect(toScreen({ x, y }, SCREEN, box)).toEqual(expected === null ? null : { x: expected[0], y: expected[1] });
  }

  test('maps to whole pixels of the screen', () => {
    check(190, 20, [0, 0]);
    check(190.4, 20, [0, 0]);
    check(190.5, 20, [1, 0]);
    check(829.9, 419.9, [1279, 799]);
    check(510, 220, [640, 400]);
  });

  test('is nowhere in the letterbox', () => {
    check(189, 200, null);
    check(831, 200, null);
    check(510, 19, null);
    check(510, 420, null);
  });

  test('is nowhere while the box has no size', () => {
    expect(toScreen({ x: 0, y: 0 }, SCREEN, { left: 0, top: 0, width: 0, height: 0 })).toBeNull();
    expect(toNearest({ x: 0, y: 0 }, SCREEN, { left: 0, top: 0, width: 0, height: 0 })).toBeNull();
    expect(toScreen({ x: 5, y: 5 }, { width: 0, height: 0 }, box)).toBeNull();
  });

  test('stays at the edge when a drag leaves the screen', () => {
    expect(toNearest({ x: -500, y: 220 }, SCREEN, box)).toEqual({ x: 0, y: 400 });
    expect(toNearest({ x: 5000, y: 5000 }, SCREEN, box)).toEqual({ x: 1279, y: 799 });
  });
});
