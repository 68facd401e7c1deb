export type Query = Record<string, string | number | boolean | null | undefined>;

export interface Sending {
  query?: Query | undefined;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as bytes. */
  bytes?: Uint8Array<ArrayBuffer> | Blob | string;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

/** One part of a path. */
export const part = encodeURIComponent;

/** Returns a query as it stands in an address; what is absent is left out. */
export function search(query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  const written = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString();
  return written === '' ? '' : `?${written}`;
}
