import { BatonError, refusal } from './error.js';
import { requestOf, type Answer, type Arguments, type JsonRoute, type Route } from './routes.js';
import { search, type Query, type Sending } from './sending.js';

/** Where a runtime answers, and the token that opens it. */
export interface Endpoint {
  /** Such as `http://127.0.0.1:41873`. */
  url: string;
  token: string;
  /** Carries each request, such as through a proxy; the platform's own `fetch` without it. */
  fetch?: (address: string, init: RequestInit) => Promise<Response>;
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
    return `${this.#endpoint.url}/v1${path}${search(query)}`;
  }

  /** Calls a route that answers JSON: `call('GET /sandboxes/{id}', { path: { id } })`. What it takes and answers is checked by its type. */
  async call<R extends JsonRoute>(route: R, ...given: Arguments<R>): Promise<Answer<R>> {
    // The routes answer as docs/openapi.json says, which the types are made from.
    return (await (await this.open(route, ...given)).json()) as Answer<R>;
  }

  /** Calls a route, and answers what it answers: bytes, a text, a stream. */
  open<R extends Route>(route: R, ...given: Arguments<R>): Promise<Response> {
    const { method, path, sending } = requestOf(route, given);
    return this.ok(method, path, sending);
  }

  /** Sends a request, whatever the answer. Throws {@link BatonError} when there is none. */
  async fetch(method: string, path: string, sending: Sending = {}): Promise<Response> {
    const headers: Record<string, string> = { ...sending.headers, authorization: `Bearer ${this.#endpoint.token}` };
    if (sending.json !== undefined) headers['content-type'] = 'application/json';
    if (sending.bytes !== undefined) headers['content-type'] = 'application/octet-stream';
    const body = sending.json === undefined ? (sending.bytes ?? null) : JSON.stringify(sending.json);
    const init: RequestInit = { method, headers, body, cache: 'no-store', credentials: 'omit', signal: sending.signal ?? null };
    try {
      return await (this.#endpoint.fetch ?? fetch)(this.address(path, sending.query), init);
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
