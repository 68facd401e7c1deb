/**
 * Binary pictures as the room sends them; `sandbox_picture::wire` has the layout. Little-endian.
 *
 * Everything is checked here: what leaves this file fits into its screen and into its message.
 */
const VERSION = 2;
const HEADER_LEN = 20;
const COUNTS_LEN = 12;
const COPY_LEN = 12;
const RECT_LEN = 8;
const KIND_LOSSLESS = 1;
const KIND_H264 = 2;
const FLAG_KEY = 1;
const FLAG_EXACT = 2;
const MAX_COLOURS = 256;
const MAX_PIXELS = 1 << 24;

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Copy extends Rect {
  fromX: number;
  fromY: number;
}

interface Header {
  number: number;
  /** µs of the source's clock. */
  capturedAtUs: number;
  /** Every pixel is the sandbox's own after this picture. */
  exact: boolean;
  screen: { width: number; height: number };
}

export interface Lossless extends Header {
  kind: 'lossless';
  copies: Copy[];
  trueColour: Rect[];
  indexed: Rect[];
  /** RGBA as one number, as it lies in memory. */
  colours: Uint32Array;
  /** RGBA of the true-colour parts, then an index for each pixel of the others; packed as `packed` says. */
  data: Uint8Array<ArrayBuffer>;
  packed: boolean;
  /** Bytes of the data when unpacked. */
  length: number;
}

export interface Film extends Header {
  kind: 'h264';
  key: boolean;
  part: Rect;
  accessUnit: Uint8Array<ArrayBuffer>;
}

export type Picture = Lossless | Film;

/** A picture that cannot be read: the two sides speak different versions, or the room is not what it should be. */
export class BadPicture extends Error {}

/** Takes one binary message apart. Data and access units are views of `bytes`, not copies. */
export function parsePicture(bytes: ArrayBuffer): Picture {
  if (bytes.byteLength < HEADER_LEN) throw new BadPicture(`${bytes.byteLength} bytes are no picture`);
  const view = new DataView(bytes);
  if (view.getUint8(2) !== VERSION) throw new BadPicture(`version ${view.getUint8(2)} is unknown`);
  const kind = view.getUint8(0);
  const flags = view.getUint8(1);
  const header: Header = {
    number: view.getUint32(4, true),
    // Microseconds since boot stay far beneath 2^53.
    capturedAtUs: Number(view.getBigUint64(8, true)),
    exact: (flags & FLAG_EXACT) !== 0,
    screen: { width: view.getUint16(16, true), height: view.getUint16(18, true) },
  };
  if (header.screen.width * header.screen.height > MAX_PIXELS) throw new BadPicture('the screen is too large');
  switch (kind) {
    case KIND_LOSSLESS:
      return parseLossless(header, view);
    case KIND_H264:
      return parseFilm(header, view, (flags & FLAG_KEY) !== 0);
    default:
      throw new BadPicture(`pictures of kind ${kind} are unknown`);
  }
}

function parseLossless(header: Header, view: DataView<ArrayBuffer>): Lossless {
  const { screen } = header;
  if (view.byteLength < HEADER_LEN + COUNTS_LEN) throw new BadPicture('the picture is cut short');
  const [nCopies, nIndexed, nTrueColour, nColours] = [0, 2, 4, 6].map((at) => view.getUint16(HEADER_LEN + at, true)) as [number, number, number, number];
  const compression = view.getUint8(HEADER_LEN + 8);
  if (compression > 1) throw new BadPicture(`compression ${compression} is unknown`);
  if (nColours > MAX_COLOURS) throw new BadPicture('there are too many colours');
  const copiesAt = HEADER_LEN + COUNTS_LEN;
  const indexedAt = copiesAt + nCopies * COPY_LEN;
  const trueColourAt = indexedAt + nIndexed * RECT_LEN;
  const coloursAt = trueColourAt + nTrueColour * RECT_LEN;
  const dataAt = coloursAt + nColours * 4;
  if (view.byteLength < dataAt) throw new BadPicture('the picture is cut short');

  const copies: Copy[] = [];
  for (let at = copiesAt; at < indexedAt; at += COPY_LEN) {
    const copy = { ...rectAt(view, at, screen), fromX: view.getUint16(at + 8, true), fromY: view.getUint16(at + 10, true) };
    if (copy.fromX + copy.width > screen.width || copy.fromY + copy.height > screen.height) throw new BadPicture('a copy comes from outside');
    copies.push(copy);
  }
  const indexed: Rect[] = [];
  for (let at = indexedAt; at < trueColourAt; at += RECT_LEN) indexed.push(rectAt(view, at, screen));
  const trueColour: Rect[] = [];
  for (let at = trueColourAt; at < coloursAt; at += RECT_LEN) trueColour.push(rectAt(view, at, screen));
  const most = screen.width * screen.height;
  const nIndices = areaOf(indexed);
  const nPixels = areaOf(trueColour);
  if (nIndices + nPixels > most || areaOf(copies) > most) throw new BadPicture('the parts are larger than the screen');
  const colours = new Uint32Array(nColours);
  for (let n = 0; n < nColours; n++) colours[n] = view.getUint32(coloursAt + n * 4, true);
  const length = nPixels * 4 + nIndices;
  const data = new Uint8Array(view.buffer, dataAt);
  if (compression === 0 && data.length !== length) throw new BadPicture('the pixels have another size');
  return { ...header, kind: 'lossless', copies, trueColour, indexed, colours, data, packed: compression === 1, length };
}

function parseFilm(header: Header, view: DataView<ArrayBuffer>, key: boolean): Film {
  if (view.byteLength <= HEADER_LEN + RECT_LEN) throw new BadPicture('the picture is cut short');
  const part = rectAt(view, HEADER_LEN, header.screen);
  return { ...header, kind: 'h264', key, part, accessUnit: new Uint8Array(view.buffer, HEADER_LEN + RECT_LEN) };
}

function rectAt(view: DataView, at: number, screen: { width: number; height: number }): Rect {
  const x = view.getUint16(at, true);
  const y = view.getUint16(at + 2, true);
  const width = view.getUint16(at + 4, true);
  const height = view.getUint16(at + 6, true);
  if (x + width > screen.width || y + height > screen.height) throw new BadPicture('a part lies outside the screen');
  return { x, y, width, height };
}

function areaOf(rects: readonly Rect[]): number {
  return rects.reduce((sum, { width, height }) => sum + width * height, 0);
}
