import { describe, expect, test } from 'vitest';
import { Order } from './order';

function order() {
  const log: string[] = [];
  return {
    log,
    order: new Order<string, string>({
      paint: (item, frame) => log.push(frame === null ? item : `${item}=${frame}`),
      skip: (item) => log.push(`skip ${item}`),
      drop: (frame) => log.push(`drop ${frame}`),
    }),
  };
}

describe('pictures', () => {
  test('that are ready are painted at once', () => {
    const { order: pictures, log } = order();
    pictures.ready(1, 'tiles');
    expect(log).toEqual(['tiles']);
    expect(pictures.waiting).toBe(false);
  });

  test('wait for a video picture before them', () => {
    const { order: pictures, log } = order();
    pictures.decoding(1, 'video');
    pictures.ready(2, 'tiles');
    expect(log).toEqual([]);
    pictures.decoded(1, 'frame');
    expect(log).toEqual(['video=frame', 'tiles']);
  });

  test('keep their places between several video pictures', () => {
    const { order: pictures, log } = order();
    pictures.decoding(1, 'a');
    pictures.ready(2, 'b');
    pictures.decoding(3, 'c');
    pictures.ready(4, 'd');
    pictures.decoded(1, 'A');
    expect(log).toEqual(['a=A', 'b']);
    pictures.decoded(3, 'C');
    expect(log).toEqual(['a=A', 'b', 'c=C', 'd']);
  });

  test('that the decoder dropped are skipped when a later frame comes', () => {
    const { order: pictures, log } = order();
    pictures.decoding(1, 'a');
    pictures.ready(2, 'b');
    pictures.decoding(3, 'c');
    pictures.decoded(3, 'C');
    expect(log).toEqual(['skip a', 'b', 'c=C']);
  });

  test('that nobody waits for are given back', () => {
    const { order: pictures, log } = order();
    pictures.decoding(1, 'a');
    pictures.clear();
    pictures.decoded(1, 'A');
    expect(log).toEqual(['drop A']);
    expect(pictures.waiting).toBe(false);
  });
});
