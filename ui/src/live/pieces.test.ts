import { describe, expect, test } from 'vitest';
import { BadPiece, Joiner, cut } from './pieces';

function bytes(...values: number[]): ArrayBuffer {
  return new Uint8Array(values).buffer;
}

describe('pieces', () => {
  test('any cut joins, message after message', () => {
    const joiner = new Joiner();
    for (const length of [1, 2, 11, 12, 13, 100, 1_000]) {
      const message = Uint8Array.from({ length }, (_, at) => (at * 7 + length) % 256);
      for (const maxLen of [5, 6, 16, length + 4, 4_000]) {
        const joined = [...cut(message, maxLen)].map((piece) => joiner.push(piece.buffer));
        expect(new Uint8Array(joined.pop()!)).toEqual(message);
        expect(joined.every((early) => early === null)).toBe(true);
      }
    }
  });

  test('a piece that no cut makes is refused, and the next message is joined', () => {
    const first = bytes(4, 0, 0, 0, 1, 2);
    const bad: ArrayBuffer[][] = [
      [bytes()],
      [bytes(0, 0, 0)],
      [bytes(0, 0, 0, 0)],
      [bytes(255, 255, 255, 255, 7)],
      [first, bytes(3, 0, 0, 0, 3, 4)],
      [first, bytes(0, 0, 0, 0, 3, 4, 5, 6, 7)],
      [first, bytes(2, 0, 0, 0, 3, 4), first],
    ];
    const joiner = new Joiner();
    for (const pieces of bad) {
      const last = pieces.pop()!;
      for (const piece of pieces) expect(joiner.push(piece)).toBeNull();
      expect(() => joiner.push(last)).toThrow(BadPiece);
      expect(new Uint8Array(joiner.push(bytes(0, 0, 0, 0, 9))!)).toEqual(new Uint8Array([9]));
    }
  });
});
