/** Reads separated values (RFC 4180; tabs too) into rows. */

export interface Table {
  head: string[];
  rows: string[][];
  /** How many rows were left out. */
  more: number;
}

/** Returns the first `limit` rows of a table; the first line is its head. */
export function parseTable(source: string, separator: ',' | '\t' | ';', limit: number): Table {
  const all = parseRows(source.replace(/^\uFEFF/, ''), separator);
  const [head = [], ...rest] = all;
  return { head, rows: rest.slice(0, limit), more: Math.max(0, rest.length - limit) };
}

/** Returns the separator that the first line uses most. */
export function separatorOf(source: string): ',' | '\t' | ';' {
  const first = source.split('\n', 1)[0] ?? '';
  const often = (separator: string) => first.split(separator).length;
  const best = ([',', ';', '\t'] as const).reduce((a, b) => (often(b) > often(a) ? b : a));
  return best;
}

/** Returns the columns that hold amounts, which are set to the right. */
export function amounts(rows: readonly string[][]): Set<number> {
  const columns = new Set<number>();
  for (let i = 0; i < (rows[0]?.length ?? 0); i += 1) {
    const cells = rows.map((row) => row[i] ?? '').filter((cell) => cell !== '');
    if (cells.length > 0 && cells.every((cell) => /^[€$£]?\s?[-+]?\d{1,3}([.,\s']?\d{3})*([.,]\d+)?\s?[€%]?$/.test(cell))) columns.add(i);
  }
  return columns;
}

function parseRows(source: string, separator: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  for (let i = 0; i < source.length; i += 1) {
    const c = source[i]!;
    if (quoted) {
      if (c !== '"') cell += c;
      else if (source[i + 1] === '"') {
        cell += '"';
        i += 1;
      } else quoted = false;
    } else if (c === '"' && cell === '') quoted = true;
    else if (c === separator) {
      row.push(cell);
      cell = '';
    } else if (c === '\n') {
      row.push(cell);
      rows.push(row);
      row = [];
      cell = '';
    } else if (c !== '\r') cell += c;
  }
  if (cell !== '' || row.length > 0) rows.push([...row, cell]);
  return rows;
}
