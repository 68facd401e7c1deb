import { describe, expect, test } from 'vitest';
import { BadPicture, parsePicture } from './picture';

/** Writes pictures as the room does, byte by byte, so that reading is tested against the layout and not against itself. */
class Bytes {
  readonly #bytes: number[] = [];
  u8(...values: number[]): this {
    this.#bytes.push(...values);
    return this;
  }
  u16(...values: number[]): this {
    for (const value of values) this.u8(value & 0xff, value >> 8);
    return this;
  }
  header(kind: number, flags: number, number: number, capturedAtUs: bigint): this {
    this.u8(kind, flags, 0, 0);
    for (let shift = 0; shift < 32; shift += 8) this.u8((number >>> shift) & 0xff);
    for (let shift = 0n; shift < 64n; shift += 8n) this.u8(Number((capturedAtUs >> shift) & 0xffn));
    return this;
  }
  buffer(): ArrayBuffer {
    return new Uint8Array(this.#bytes).buffer;
  }
}

describe('pictures', () => {
  test('tiles of every encoding are read in order', () => {
    const bytes = new Bytes()
      .header(1, 2, 0x01020304, 0x0001_0203_0405_0607n)
      .u16(3)
      .u16(64, 128, 2, 1)
      .u8(0, 1, 2, 3, 255, 5, 6, 7, 255)
      .u16(0, 0, 64, 64)
      .u8(1, 9, 8, 7, 255)
      .u16(0, 300, 1280, 400)
      .u8(2)
      .u16(0, 312)
      .buffer();
    expect(parsePicture(bytes)).toEqual({
      kind: 'tiles',
      number: 0x01020304,
      capturedAtUs: 0x0001_0203_0405_0607,
      exact: true,
      tiles: [
        { x: 64, y: 128, width: 2, height: 1, encoding: 'raw', rgba: new Uint8ClampedArray([1, 2, 3, 255, 5, 6, 7, 255]) },
        { x: 0, y: 0, width: 64, height: 64, encoding: 'solid', rgba: [9, 8, 7, 255] },
        { x: 0, y: 300, width: 1280, height: 400, encoding: 'copy', fromX: 0, fromY: 312 },
      ],
    });
  });

  test('an access unit keeps its size and whether it is a key frame', () => {
    const bytes = new Bytes().header(2, 1, 7, 5n).u16(1280, 807).u8(0, 0, 0, 1, 0x67, 66).buffer();
    expect(parsePicture(bytes)).toEqual({
      kind: 'h264',
      number: 7,
      capturedAtUs: 5,
      exact: false,
      key: true,
      width: 1280,
      height: 807,
      accessUnit: new Uint8Array([0, 0, 0, 1, 0x67, 66]),
    });
  });

  test('pixels are views of the message, not copies', () => {
    const bytes = new Bytes().header(1, 0, 1, 1n).u16(1).u16(0, 0, 1, 1).u8(0, 1, 2, 3, 255).buffer();
    const picture = parsePicture(bytes);
    if (picture.kind !== 'tiles' || picture.tiles[0]?.encoding !== 'raw') throw new Error('not a raw tile');
    expect(picture.tiles[0].rgba.buffer).toBe(bytes);
  });

  test('what is cut short or unknown is refused by name', () => {
    const whole = new Bytes().header(1, 0, 1, 1n).u16(1).u16(0, 0, 1, 1).u8(0, 1, 2, 3, 255).buffer();
    for (let length = 0; length < whole.byteLength; length++) {
      expect(() => parsePicture(whole.slice(0, length)), `${length} bytes`).toThrow(BadPicture);
    }
    expect(() => parsePicture(new Bytes().header(3, 0, 1, 1n).u16(0).buffer())).toThrow('kind 3');
    expect(() => parsePicture(new Bytes().header(1, 0, 1, 1n).u16(1).u16(0, 0, 1, 1).u8(9, 0, 0, 0, 0).buffer())).toThrow('encoding 9');
  });
});
