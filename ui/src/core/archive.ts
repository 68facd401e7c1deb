/** What is in an archive, read from its own directory: nothing is unpacked. */

export interface Member {
  name: string;
  folder: boolean;
  size: number;
  /** Milliseconds since the epoch; `null` where the archive does not say. */
  modifiedAt: number | null;
}

export interface Listing {
  members: Member[];
  /** There are more than are listed. */
  more: boolean;
}

/** The most that is listed. */
export const MEMBERS_MAX = 5_000;
const TAR_BLOCK = 512;

/** Where the directory of a zip stands. */
export interface ZipDirectory {
  from: number;
  to: number;
}

/** How many bytes of the end [`zipDirectory`] wants to see: the record, and the longest comment behind it. */
export const ZIP_END = 22 + 65_535 + 20;

/** Finds the directory of a zip of `size` bytes in its last bytes; `null` where there is none, as in a file that is cut off. */
export function zipDirectory(end: Uint8Array, size: number): ZipDirectory | null {
  const view = viewOf(end);
  for (let at = end.length - 22; at >= 0; at -= 1) {
    if (view.getUint32(at, true) !== 0x06054b50) continue;
    let length = view.getUint32(at + 12, true);
    let from = view.getUint32(at + 16, true);
    if (from === 0xffffffff && at >= 20 && view.getUint32(at - 20, true) === 0x07064b50) {
      // The large form says where its own end record is; what lies before that, within sight, is enough.
      const record = Number(view.getBigUint64(at - 20 + 8, true)) - (size - end.length);
      if (record < 0 || record + 56 > end.length) return null;
      length = Number(view.getBigUint64(record + 40, true));
      from = Number(view.getBigUint64(record + 48, true));
    }
    return from + length <= size ? { from, to: from + length } : null;
  }
  return null;
}

/** Lists the directory of a zip. */
export function zipMembers(directory: Uint8Array): Listing {
  const view = viewOf(directory);
  const members: Member[] = [];
  let at = 0;
  while (at + 46 <= directory.length && view.getUint32(at, true) === 0x02014b50) {
    if (members.length === MEMBERS_MAX) return { members, more: true };
    const isUtf8 = (view.getUint16(at + 8, true) & 0x800) !== 0;
    const [nameLength, extraLength, noteLength] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true), view.getUint16(at + 32, true)];
    const name = textOf(directory.subarray(at + 46, at + 46 + nameLength), isUtf8);
    members.push({ name, folder: name.endsWith('/'), size: view.getUint32(at + 24, true), modifiedAt: dosTime(view.getUint16(at + 14, true), view.getUint16(at + 12, true)) });
    at += 46 + nameLength + extraLength + noteLength;
  }
  return { members, more: false };
}

/** Lists the members of a tar as far as it was read. */
export function tarMembers(bytes: Uint8Array, whole: boolean): Listing {
  const members: Member[] = [];
  let at = 0;
  let longName: string | null = null;
  while (at + TAR_BLOCK <= bytes.length) {
    const head = bytes.subarray(at, at + TAR_BLOCK);
    if (head[0] === 0) return { members, more: false };
    const size = octal(head.subarray(124, 136));
    const kind = String.fromCharCode(head[156] ?? 0);
    const body = bytes.subarray(at + TAR_BLOCK, at + TAR_BLOCK + size);
    at += TAR_BLOCK + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
    if (kind === 'L') longName = textOf(untilNul(body), true);
    else if (kind === 'x') longName = /\d+ path=([^\n]*)\n/.exec(textOf(body, true))?.[1] ?? longName;
    else if (kind !== 'g') {
      const prefix = textOf(untilNul(head.subarray(345, 500)), true);
      const own = textOf(untilNul(head.subarray(0, 100)), true);
      const name: string = longName ?? (textOf(head.subarray(257, 262), true) === 'ustar' && prefix !== '' ? `${prefix}/${own}` : own);
      longName = null;
      if (members.length === MEMBERS_MAX) return { members, more: true };
      members.push({ name, folder: kind === '5' || name.endsWith('/'), size, modifiedAt: octal(head.subarray(136, 148)) * 1000 });
    }
  }
  return { members, more: !whole };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function textOf(bytes: Uint8Array, isUtf8: boolean): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder(isUtf8 ? 'utf-8' : 'windows-1252').decode(bytes);
  }
}

function untilNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end === -1 ? bytes : bytes.subarray(0, end);
}

function octal(bytes: Uint8Array): number {
  // GNU's form of large numbers: the first bit set, the rest in base 256.
  if (((bytes[0] ?? 0) & 0x80) !== 0) return bytes.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
  const value = Number.parseInt(textOf(untilNul(bytes), true).trim(), 8);
  return Number.isFinite(value) ? value : 0;
}

function dosTime(date: number, time: number): number | null {
  if (date === 0) return null;
  return Date.UTC(1980 + (date >> 9), ((date >> 5) & 15) - 1, date & 31, time >> 11, (time >> 5) & 63, (time & 31) * 2);
}
