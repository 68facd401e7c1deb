import { BatonError, refusal } from './error.js';

/** Where a runtime answers, and the token that opens it. */
export interface Endpoint {
  /** Such as `http://127.0.0.1:41873`. */
  url: string;
  token: string;
}

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

/** Speaks HTTP to one runtime. */
export class Transport {
  readonly #endpoint: Endpoint;

  constructor(endpoint: Endpoint) {
    this.#endpoint = { ...endpoint, url: endpoint.url.replace(/\/+$/, '') };
  }

  get token(): string {
    return this.#endpoint.token;
  }

  /** The address of a route: `path` begins after `/v1`. */
  address(path: string, query: Query = {}): string {
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
    const search = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString();
    return `${this.#endpoint.url}/v1${path}${search === '' ? '' : `?${search}`}`;
  }

  /** Sends a request, whatever the answer. Throws {@link BatonError} when there is none. */
  async fetch(method: string, path: string, sending: Sending = {}): Promise<Response> {
    const headers: Record<string, string> = { ...sending.headers, authorization: `Bearer ${this.#endpoint.token}` };
    if (sending.json !== undefined) headers['content-type'] = 'application/json';
    if (sending.bytes !== undefined) headers['content-type'] = 'application/octet-stream';
    const body = sending.json === undefined ? (sending.bytes ?? null) : JSON.stringify(sending.json);
    const init: RequestInit = { method, headers, body, cache: 'no-store', credentials: 'omit', signal: sending.signal ?? null };
    try {
      return await fetch(this.address(path, sending.query), init);
    } catch (cause) {
      if (sending.signal?.aborted) throw cause;
      throw new BatonError(0, 'unreachable', 'the runtime does not answer', { cause });
    }
  }

  /** Sends a request that must succeed. */
  async ok(method: string, path: string, sending: Sending = {}): Promise<Response> {
    const response = await this.fetch(method, path, sending);
    if (!response.ok) throw await refusal(response);
    return response;
  }

  /** Sends a request and reads its JSON. The routes answer as docs/openapi.json says, which the types are made from. */
  async json<T>(method: string, path: string, sending: Sending = {}): Promise<T> {
    return (await (await this.ok(method, path, sending)).json()) as T;
  }
}

/** One part of a path. */
export const part = encodeURIComponent;
