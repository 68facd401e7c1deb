/** Spreadsheets as tables. The parser runs in a worker that is ended when it is done, or takes too long. */

export interface Sheet {
  name: string;
  head: string[];
  rows: string[][];
  /** How many rows were left out. */
  more: number;
}

/** A file made to keep a parser busy is given up. */
const PATIENCE_MS = 30_000;

export function readSheets(bytes: Uint8Array<ArrayBuffer>): Promise<Sheet[]> {
  const worker = new Worker(new URL('./sheets.worker.ts', import.meta.url), { type: 'module' });
  return new Promise<Sheet[]>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('it takes too long')), PATIENCE_MS);
    worker.onmessage = ({ data }: MessageEvent<{ sheets: Sheet[] } | { error: string }>) => {
      clearTimeout(timer);
      if ('sheets' in data) resolve(data.sheets);
      else reject(new Error(data.error));
    };
    worker.onerror = (event) => {
      clearTimeout(timer);
      reject(new Error(event.message));
    };
    // A worker has no origin to be named.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    worker.postMessage(bytes);
  }).finally(() => worker.terminate());
}
