/** The pixels of the screen in memory, as lossless pictures make them. No DOM: the surface shows it. */
import { BadBlock, unpackLz4 } from './lz4';
import { BadPicture } from './picture';
import type { Copy, Lossless, Rect } from './picture';

export class Raster {
  readonly width: number;
  readonly height: number;
  /** RGBA of each pixel as one number, as it lies in memory. */
  readonly pixels: Uint32Array<ArrayBuffer>;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint32Array(width * height).fill(0xff000000);
  }

  /** Draws a picture of this size; returns what may have changed. Nothing is drawn of one that is wrong. */
  draw(picture: Lossless): Rect[] {
    const { copies, trueColour, indexed, colours } = picture;
    const { data, indicesAt } = unpack(picture);
    for (let at = indicesAt; at < picture.length; at++) if (data[at]! >= colours.length) throw new BadPicture('an index names no colour');
    for (const copy of copies) this.#copy(copy);
    this.#drawTrueColour(trueColour, new Uint32Array(data.buffer, 0, indicesAt / 4));
    this.#drawIndexed(indexed, data, indicesAt, colours);
    return [...copies, ...trueColour, ...indexed];
  }

  /** As if through a buffer of its own: rows are taken from the side that is overwritten last. */
  #copy({ x, y, width, height, fromX, fromY }: Copy): void {
    const { pixels } = this;
    const row = (n: number) => {
      const from = (fromY + n) * this.width + fromX;
      pixels.copyWithin((y + n) * this.width + x, from, from + width);
    };
    if (width === this.width) {
      pixels.copyWithin(y * this.width, fromY * this.width, (fromY + height) * this.width);
    } else if (y > fromY) {
      for (let n = height - 1; n >= 0; n--) row(n);
    } else {
      for (let n = 0; n < height; n++) row(n);
    }
  }

  #drawTrueColour(parts: readonly Rect[], rgba: Uint32Array): void {
    let at = 0;
    for (const { x, y, width, height } of parts) {
      for (let row = y; row < y + height; row++) {
        this.pixels.set(rgba.subarray(at, at + width), row * this.width + x);
        at += width;
      }
    }
  }

  #drawIndexed(parts: readonly Rect[], indices: Uint8Array, at: number, colours: Uint32Array): void {
    const { pixels } = this;
    for (const { x, y, width, height } of parts) {
      for (let row = y; row < y + height; row++) {
        let to = row * this.width + x;
        for (const stop = to + width; to < stop; ) pixels[to++] = colours[indices[at++]!]!;
      }
    }
  }
}

/** Kept from picture to picture: as large as the largest so far. */
let scratch = new Uint8Array(1 << 16);

function unpack({ data, packed, length, trueColour }: Lossless): { data: Uint8Array<ArrayBuffer>; indicesAt: number } {
  if (scratch.length < length) scratch = new Uint8Array(Math.max(length, scratch.length * 2));
  if (packed) {
    try {
      unpackLz4(data, 0, scratch, length);
    } catch (cause) {
      if (cause instanceof BadBlock) throw new BadPicture(cause.message, { cause });
      throw cause;
    }
  } else {
    scratch.set(data);
  }
  return { data: scratch, indicesAt: trueColour.reduce((sum, { width, height }) => sum + width * height * 4, 0) };
}
