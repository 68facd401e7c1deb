import type { ListPage } from './generated.js';

/** One page of a list; iterating over it goes on through the pages after it. */
export interface Page<T> extends AsyncIterable<T> {
  data: T[];
  /** Asks for the page after this one; `null` on the last. */
  nextCursor: string | null;
}

export interface PageQuery {
  /** 1 to 200; 50 without it. */
  limit?: number;
  /** `nextCursor` of the page before. */
  cursor?: string;
}

/** Makes a page of what the runtime answers to `ask`. */
export async function page<Raw, T>(ask: (cursor: string | undefined) => Promise<ListPage<Raw>>, made: (raw: Raw) => T, cursor?: string): Promise<Page<T>> {
  const raw = await ask(cursor);
  const data = raw.data.map(made);
  const { nextCursor } = raw;
  return {
    data,
    nextCursor,
    async *[Symbol.asyncIterator]() {
      yield* data;
      if (nextCursor !== null) yield* await page(ask, made, nextCursor);
    },
  };
}
