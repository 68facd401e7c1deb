import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { BadBlock, unpackLz4 } from './lz4';
import { BadPicture, parsePicture } from './picture';
import { Raster } from './raster';

/** Longer than any busy machine needs. */
const PATIENCE = 60_000;

/** Pictures that the room's encoder wrote, with the hash of what is shown after each; see `sandbox-picture/tests/fixtures.rs`. */
function fixtures(): { message: ArrayBuffer; hash: number }[] {
  const file = readFileSync(`${import.meta.dirname}/fixtures/pictures.bin`);
  const found = [];
  for (let at = 0; at < file.length; ) {
    const length = file.readUInt32LE(at);
    const message = new Uint8Array(file.subarray(at + 4, at + 4 + length)).buffer;
    found.push({ message, hash: file.readUInt32LE(at + 4 + length) });
    at += length + 8;
  }
  return found;
}

function fnv({ pixels }: Raster): number {
  return new Uint8Array(pixels.buffer).reduce((hash, byte) => Math.imul(hash ^ byte, 0x0100_0193), 0x811c_9dc5) >>> 0;
}

/** Numbers that are the same in every run. */
function numbers(seed: number): (most: number) => number {
  let state = seed;
  return (most) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % most;
  };
}

/** Writes pictures byte by byte, so that reading is tested against the layout and not against itself. */
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
  header(kind: number, flags: number, number: number, capturedAtUs: bigint, width = 4, height = 2): this {
    this.u8(kind, flags, 2, 0);
    for (let shift = 0; shift < 32; shift += 8) this.u8((number >>> shift) & 0xff);
    for (let shift = 0n; shift < 64n; shift += 8n) this.u8(Number((capturedAtUs >> shift) & 0xffn));
    return this.u16(width, height);
  }
  counts(copies: number, indexed: number, trueColour: number, colours: number, compression = 0): this {
    return this.u16(copies, indexed, trueColour, colours).u8(compression, 0, 0, 0);
  }
  buffer(): ArrayBuffer {
    return new Uint8Array(this.#bytes).buffer;
  }
}

const SMALL = new Bytes()
  .header(1, 2, 0x01020304, 0x0001_0203_0405_0607n)
  .counts(1, 1, 1, 2)
  .u16(0, 0, 2, 1, 1, 0)
  .u16(2, 1, 2, 1)
  .u16(3, 0, 1, 1)
  .u8(9, 8, 7, 255, 6, 5, 4, 255)
  .u8(1, 2, 3, 255, 1, 0)
  .buffer();

describe('pictures', () => {
  test('the header, copies, parts and colours are read in order', () => {
    const picture = parsePicture(SMALL);
    expect(picture).toMatchObject({
      kind: 'lossless',
      number: 0x01020304,
      capturedAtUs: 0x0001_0203_0405_0607,
      exact: true,
      screen: { width: 4, height: 2 },
      copies: [{ x: 0, y: 0, width: 2, height: 1, fromX: 1, fromY: 0 }],
      indexed: [{ x: 2, y: 1, width: 2, height: 1 }],
      trueColour: [{ x: 3, y: 0, width: 1, height: 1 }],
      packed: false,
      length: 6,
    });
    if (picture.kind !== 'lossless') throw new Error('not lossless');
    const raster = new Raster(4, 2);
    raster.pixels.set([10, 11, 12, 13]);
    raster.draw(picture);
    const [a, b] = [0xff070809, 0xff040506];
    expect([...raster.pixels]).toEqual([11, 12, 12, 0xff030201, 0xff000000, 0xff000000, b, a]);
  });

  test('an access unit keeps its place and whether it is a key frame', () => {
    const bytes = new Bytes().header(2, 1, 7, 5n, 1280, 808).u16(64, 128, 640, 360).u8(0, 0, 0, 1, 0x67, 66).buffer();
    expect(parsePicture(bytes)).toEqual({
      kind: 'h264',
      number: 7,
      capturedAtUs: 5,
      exact: false,
      screen: { width: 1280, height: 808 },
      key: true,
      part: { x: 64, y: 128, width: 640, height: 360 },
      accessUnit: new Uint8Array([0, 0, 0, 1, 0x67, 66]),
    });
  });

  test('what is cut short, too large, outside or unknown is refused', () => {
    for (let length = 0; length < SMALL.byteLength; length++) {
      expect(() => parsePicture(SMALL.slice(0, length)), `${length} bytes`).toThrow(BadPicture);
    }
    const refused: [string, Bytes][] = [
      ['kind 3', new Bytes().header(3, 0, 1, 1n).counts(0, 0, 0, 0)],
      ['too large', new Bytes().header(1, 0, 1, 1n, 65_535, 65_535).counts(0, 0, 0, 0)],
      ['outside', new Bytes().header(1, 0, 1, 1n).counts(0, 0, 1, 0).u16(3, 0, 2, 1).u8(0, 0, 0, 0, 0, 0, 0, 0)],
      ['from outside', new Bytes().header(1, 0, 1, 1n).counts(1, 0, 0, 0).u16(0, 0, 2, 2, 3, 0)],
      ['larger than the screen', new Bytes().header(1, 0, 1, 1n).counts(0, 2, 0, 1).u16(0, 0, 4, 2, 0, 0, 4, 2).u8(0, 0, 0, 0)],
      ['compression 7', new Bytes().header(1, 0, 1, 1n).counts(0, 0, 0, 0, 7)],
      ['colours', new Bytes().header(1, 0, 1, 1n).counts(0, 0, 0, 257)],
      ['outside', new Bytes().header(2, 0, 1, 1n).u16(0, 0, 5, 2).u8(0, 0, 0, 1)],
    ];
    for (const [why, bytes] of refused) expect(() => parsePicture(bytes.buffer()), why).toThrow(why);
    const version = new Uint8Array(SMALL.slice(0));
    version[2] = 3;
    expect(() => parsePicture(version.buffer)).toThrow('version 3');
  });
});

describe('the decoder', () => {
  test('what the room wrote is shown bit for bit', { timeout: PATIENCE }, () => {
    const all = fixtures();
    expect(all.length).toBeGreaterThan(20);
    let raster: Raster | null = null;
    const used = { copies: 0, indexed: 0, trueColour: 0, packed: 0, plain: 0 };
    for (const { message, hash } of all) {
      const picture = parsePicture(message);
      if (picture.kind !== 'lossless') throw new Error('not lossless');
      raster ??= new Raster(picture.screen.width, picture.screen.height);
      raster.draw(picture);
      expect(fnv(raster), `picture ${picture.number}`).toBe(hash);
      used.copies += picture.copies.length;
      used.indexed += picture.indexed.length;
      used.trueColour += picture.trueColour.length;
      used[picture.packed ? 'packed' : 'plain'] += 1;
    }
    // Each way is among them.
    for (const [what, count] of Object.entries(used)) expect(count, what).toBeGreaterThan(0);
  });

  test('a picture that was tampered with is refused or drawn within its screen', { timeout: PATIENCE }, () => {
    const next = numbers(2_463_534_242);
    const all = fixtures();
    let refused = 0;
    for (let round = 0; round < 1_000; round++) {
      const bytes = new Uint8Array(all[next(all.length)]!.message.slice(0));
      // Most often in the front, where the counts and places are.
      for (let n = 0; n <= next(4); n++) bytes[next(next(2) === 0 ? Math.min(bytes.length, 80) : bytes.length)] = next(256);
      const message = next(8) === 0 ? bytes.slice(0, next(bytes.length)).buffer : bytes.buffer;
      try {
        const picture = parsePicture(message);
        if (picture.kind !== 'lossless' || picture.screen.width * picture.screen.height > 1 << 16) continue;
        const raster = new Raster(picture.screen.width, picture.screen.height);
        raster.draw(picture);
      } catch (cause) {
        expect(cause).toBeInstanceOf(BadPicture);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(50);
  });

  test('a wrong picture draws nothing', () => {
    const bytes = new Uint8Array(SMALL.slice(0));
    bytes[bytes.length - 1] = 2;
    const picture = parsePicture(bytes.buffer);
    const raster = new Raster(4, 2);
    expect(() => picture.kind === 'lossless' && raster.draw(picture)).toThrow('no colour');
    expect(fnv(raster)).toBe(fnv(new Raster(4, 2)));
  });
});

describe('LZ4', () => {
  const unpacked = (block: number[], length: number) => {
    const out = new Uint8Array(length);
    unpackLz4(new Uint8Array(block), 0, out, length);
    return [...out];
  };

  test('literals, matches and matches that overlap themselves', () => {
    expect(unpacked([0x30, 1, 2, 3], 3)).toEqual([1, 2, 3]);
    expect(unpacked([0x22, 1, 2, 2, 0, 0x10, 9], 9)).toEqual([1, 2, 1, 2, 1, 2, 1, 2, 9]);
    expect(unpacked([0x1f, 7, 1, 0, 30, 0x10, 9], 51)).toEqual([...Array<number>(50).fill(7), 9]);
    expect(unpacked([0x3f, 1, 2, 3, 3, 0, 10, 0x10, 9], 33)).toEqual([...Array.from({ length: 32 }, (_, n) => (n % 3) + 1), 9]);
  });

  test('a bomb, and a match from before the beginning, are refused', () => {
    // 255 × 255 more bytes are promised than there is room for.
    expect(() => unpacked([0x1f, 7, 1, 0, ...Array<number>(255).fill(255), 0], 100)).toThrow(BadBlock);
    expect(() => unpacked([0x10, 1, 5, 0, 0x10, 9], 6)).toThrow(BadBlock);
    expect(() => unpacked([0x10, 1, 0, 0, 0x10, 9], 6)).toThrow(BadBlock);
    expect(() => unpacked([0xf0], 20)).toThrow(BadBlock);
    expect(() => unpacked([0x20, 1, 2], 3)).toThrow('another length');
  });
});
