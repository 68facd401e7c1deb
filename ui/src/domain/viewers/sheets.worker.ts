/** Takes a spreadsheet apart: values as they are shown, no formulas, no links, no macros. */
import { read, utils } from '@e965/xlsx';
import { columnName } from '../../core/grid';
import type { Sheet } from './sheets';

const ROWS_MAX = 50_000;
const COLUMNS_MAX = 256;

addEventListener('message', ({ data }: MessageEvent<Uint8Array>) => {
  try {
    postMessage({ sheets: sheetsOf(data) });
  } catch (error) {
    postMessage({ error: String(error) });
  }
});

function sheetsOf(bytes: Uint8Array): Sheet[] {
  const book = read(bytes, { type: 'array', dense: true, cellFormula: false, cellHTML: false, cellStyles: false, bookVBA: false, bookProps: false, sheetRows: ROWS_MAX + 1 });
  return book.SheetNames.map((name) => {
    const sheet = book.Sheets[name]!;
    const full = utils.decode_range(sheet['!fullref'] ?? sheet['!ref'] ?? 'A1');
    const range = utils.decode_range(sheet['!ref'] ?? 'A1');
    range.s = { r: 0, c: 0 };
    range.e.c = Math.min(range.e.c, COLUMNS_MAX - 1);
    const rows = utils.sheet_to_json<unknown[]>(sheet, { header: 1, raw: false, defval: '', blankrows: true, range }).map((row) => row.map(String));
    const head = Array.from({ length: range.e.c + 1 }, (_, i) => columnName(i));
    return { name, head, rows, more: Math.max(0, full.e.r + 1 - rows.length) };
  });
}
