/** Bytes as rows of sixteen, for what no other viewer shows. */

export interface HexRow {
  at: string;
  bytes: string;
  text: string;
}

/** Bytes of one row. */
export const ROW = 16;

export function hexRows(bytes: Uint8Array, from: number): HexRow[] {
  const rows: HexRow[] = [];
  for (let i = 0; i < bytes.length; i += ROW) {
    const part = [...bytes.subarray(i, i + ROW)];
    const pairs = part.map((byte) => byte.toString(16).padStart(2, '0'));
    rows.push({
      at: (from + i).toString(16).padStart(8, '0'),
      bytes: `${pairs.slice(0, 8).join(' ')}  ${pairs.slice(8).join(' ')}`.trimEnd(),
      text: part.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '·')).join(''),
    });
  }
  return rows;
}
