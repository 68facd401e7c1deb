/** A table of texts: its order, its columns, and the rows that are in sight. */

export type Order = { column: number; descending: boolean } | null;

/** Returns the order after a press on the head of a column: up, down, as it was. */
export function nextOrder(order: Order, column: number): Order {
  if (order === null || order.column !== column) return { column, descending: false };
  return order.descending ? null : { column, descending: true };
}

/** Returns the numbers of the rows in an order. Numbers go by value, texts as a dictionary does, empty cells last. */
export function ordered(rows: readonly (readonly string[])[], order: Order): number[] {
  const all = rows.map((_, i) => i);
  if (order === null) return all;
  const { column, descending } = order;
  const keys = rows.map((row) => row[column] ?? '');
  const numbers = keys.map(amount);
  const numeric = keys.every((key, i) => key.trim() === '' || numbers[i] !== null);
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
  const compare = (a: number, b: number) => (numeric ? (numbers[a] ?? 0) - (numbers[b] ?? 0) : collator.compare(keys[a]!, keys[b]!));
  return all.sort((a, b) => {
    const empty = Number(keys[a]!.trim() === '') - Number(keys[b]!.trim() === '');
    if (empty !== 0) return empty;
    return (descending ? -compare(a, b) : compare(a, b)) || a - b;
  });
}

/** Reads an amount in either way of writing it; `null` for what is none. */
export function amount(text: string): number | null {
  const bare = text.replace(/[\s'€$£%\u00a0]/g, '');
  if (!/^[-+]?[\d.,]*\d[\d.,]*(e[-+]?\d+)?$/i.test(bare)) return null;
  const comma = bare.lastIndexOf(',');
  const dot = bare.lastIndexOf('.');
  let plain = bare;
  if (comma !== -1 && dot !== -1) plain = comma > dot ? bare.replaceAll('.', '').replace(',', '.') : bare.replaceAll(',', '');
  else if (comma !== -1) plain = /,\d{3}(,|$)/.test(bare) ? bare.replaceAll(',', '') : bare.replace(',', '.');
  else if (bare.indexOf('.') !== dot) plain = bare.replaceAll('.', '');
  const value = Number(plain);
  return Number.isFinite(value) ? value : null;
}

/** Returns how wide each column is, in letters, from its head and its first rows. */
export function widths(head: readonly string[], rows: readonly (readonly string[])[]): number[] {
  const sample = rows.slice(0, 200);
  const n = Math.max(head.length, ...sample.map((row) => row.length), 0);
  return Array.from({ length: n }, (_, i) => {
    const longest = Math.max((head[i] ?? '').length + 2, ...sample.map((row) => (row[i] ?? '').length));
    return Math.min(48, Math.max(6, longest));
  });
}

/** Returns which rows are drawn: those in sight and some around them. */
export function inSight(top: number, height: number, rowHeight: number, n: number): { from: number; to: number } {
  const from = Math.max(0, Math.floor(top / rowHeight) - 12);
  return { from, to: Math.min(n, Math.ceil((top + height) / rowHeight) + 12) };
}

/** Returns the name of a column as spreadsheets have it: A, B, …, Z, AA. */
export function columnName(i: number): string {
  return i < 26 ? String.fromCharCode(65 + i) : columnName(Math.floor(i / 26) - 1) + columnName(i % 26);
}
