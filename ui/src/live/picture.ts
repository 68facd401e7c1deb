/**
 * Binary pictures as the room sends them, little-endian:
 *
 * ```text
 * u8 kind, u8 flags, u16 reserved, u32 number, u64 captured at (µs), then by kind:
 *   1 tiles:  u16 n, n × { u16 x, u16 y, u16 w, u16 h, u8 encoding, then bytes by encoding }
 *             0 raw: w·h·4 RGBA   1 solid: 4 RGBA   2 copy: u16 from_x, u16 from_y
 *   2 h264:   u16 width, u16 height, Annex B access unit; flag 1 = key frame
 * ```
 * Flag 2 says that the view is bit-exact after this picture.
 */
const HEADER_LEN = 16;
const KIND_TILES = 1;
const KIND_H264 = 2;
const FLAG_KEY = 1;
const FLAG_EXACT = 2;

export type Tile = { x: number; y: number; width: number; height: number } & (
  | { encoding: 'raw'; rgba: Uint8ClampedArray<ArrayBuffer> }
  | { encoding: 'solid'; rgba: readonly [number, number, number, number] }
  | { encoding: 'copy'; fromX: number; fromY: number }
);

interface Header {
  number: number;
  /** µs of the source's clock. */
  capturedAtUs: number;
  exact: boolean;
}

export type Picture = Header &
  (
    | { kind: 'tiles'; tiles: Tile[] }
    | { kind: 'h264'; key: boolean; width: number; height: number; accessUnit: Uint8Array<ArrayBuffer> }
  );

/** A picture that cannot be read: the two sides speak different versions. */
export class BadPicture extends Error {}

/** Takes one binary message apart. Pixels and access units are views of `bytes`, not copies. */
export function parsePicture(bytes: ArrayBuffer): Picture {
  if (bytes.byteLength < HEADER_LEN) throw new BadPicture(`${bytes.byteLength} bytes are no picture`);
  const view = new DataView(bytes);
  const kind = view.getUint8(0);
  const flags = view.getUint8(1);
  const header: Header = {
    number: view.getUint32(4, true),
    // Microseconds since boot stay far beneath 2^53.
    capturedAtUs: Number(view.getBigUint64(8, true)),
    exact: (flags & FLAG_EXACT) !== 0,
  };
  try {
    switch (kind) {
      case KIND_TILES:
        return { ...header, kind: 'tiles', tiles: parseTiles(view) };
      case KIND_H264:
        return {
          ...header,
          kind: 'h264',
          key: (flags & FLAG_KEY) !== 0,
          width: view.getUint16(HEADER_LEN, true),
          height: view.getUint16(HEADER_LEN + 2, true),
          accessUnit: new Uint8Array(bytes, HEADER_LEN + 4),
        };
      default:
        throw new BadPicture(`pictures of kind ${kind} are unknown`);
    }
  } catch (cause) {
    if (cause instanceof RangeError) throw new BadPicture('the picture is cut short', { cause });
    throw cause;
  }
}

function parseTiles(view: DataView<ArrayBuffer>): Tile[] {
  const count = view.getUint16(HEADER_LEN, true);
  const tiles: Tile[] = [];
  let at = HEADER_LEN + 2;
  for (let n = 0; n < count; n++) {
    const place = {
      x: view.getUint16(at, true),
      y: view.getUint16(at + 2, true),
      width: view.getUint16(at + 4, true),
      height: view.getUint16(at + 6, true),
    };
    const encoding = view.getUint8(at + 8);
    at += 9;
    switch (encoding) {
      case 0: {
        const length = place.width * place.height * 4;
        tiles.push({ ...place, encoding: 'raw', rgba: new Uint8ClampedArray(view.buffer, view.byteOffset + at, length) });
        at += length;
        break;
      }
      case 1:
        tiles.push({
          ...place,
          encoding: 'solid',
          rgba: [view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3)],
        });
        at += 4;
        break;
      case 2:
        tiles.push({ ...place, encoding: 'copy', fromX: view.getUint16(at, true), fromY: view.getUint16(at + 2, true) });
        at += 4;
        break;
      default:
        throw new BadPicture(`tiles of encoding ${encoding} are unknown`);
    }
  }
  return tiles;
}
