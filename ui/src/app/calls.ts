/**
 * Calls the routes of the runtime through the TypeScript client: a route, what it takes and what it answers are checked
 * against docs/openapi.json by their types. A refusal is thrown as [`Refused`], no answer as [`Unreachable`].
 */
import { BatonError } from '../../../sdk/typescript/src/error';
import { pathOf, type Answer, type Arguments, type Given, type JsonRoute, type Route } from '../../../sdk/typescript/src/routes';
import type { Transport } from '../../../sdk/typescript/src/transport';
import { plainDeep } from '../core/plain';
import { problemOf, type Problem } from '../core/problem';
import { Unreachable } from '../host/types';
import type { ListPage, Routes } from '../types';

/** The runtime said no, with a code and a sentence. */
export class Refused extends Error {
  readonly problem: Problem;
  readonly status: number;

  constructor(status: number, problem: Problem) {
    super(problem.message);
    this.name = 'Refused';
    this.status = status;
    this.problem = problem;
  }
}

/** A route that answers a list in pages. */
export type ListRoute = { [R in JsonRoute]: Answer<R> extends ListPage<unknown> ? R : never }[JsonRoute];
type Item<R extends ListRoute> = Answer<R>['data'][number];
type PathOf<R extends Route> = Routes[R] extends { path: infer P } ? { path: P } : { path?: undefined };

/** Pages are asked for until the list is whole, or this many items. */
const LIST_LIMIT = 1_000;
/** The largest page. */
export const PAGE = 200;

export class Calls {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Answers what the runtime says, as it may be shown. */
  async shown<R extends JsonRoute>(route: R, ...given: Arguments<R>): Promise<Answer<R>> {
    return plainDeep(await this.exact(route, ...given));
  }

  /** Answers what the runtime says, letter for letter: names that are sent back to it. */
  async exact<R extends JsonRoute>(route: R, ...given: Arguments<R>): Promise<Answer<R>> {
    return this.#transport.call(route, ...given).catch(rethrow);
  }

  /** Answers the body as it comes: bytes, or a text. */
  async open<R extends Route>(route: R, ...given: Arguments<R>): Promise<Response> {
    return this.#transport.open(route, ...given).catch(rethrow);
  }

  /** Answers the items of a list, page after page, as they may be shown. */
  async list<R extends ListRoute>(route: R, { path }: PathOf<R>, most = LIST_LIMIT): Promise<Item<R>[]> {
    const all: Item<R>[] = [];
    let cursor: string | null = null;
    do {
      const given = { path, query: { limit: PAGE, ...(cursor === null ? {} : { cursor }) } } as unknown as Given<R>;
      const page: ListPage<Item<R>> = await this.shown(route, ...([given] as Arguments<R>));
      all.push(...page.data);
      cursor = page.nextCursor;
    } while (cursor !== null && all.length < most);
    return all;
  }

  /** Answers whatever stands at an address of the runtime, such as `/v1/artifacts/art_1/content`, from its beginning on. */
  async beginning(address: string, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const asked = this.#transport.fetch('GET', address.slice(ROOT.length), { headers: { range: rangeOf({ from: 0, to: length }) } });
    const response = await asked.catch(rethrow);
    return response.ok ? bytesOf(response) : new Uint8Array();
  }
}

const ROOT = '/v1';

/** Returns the address of a route for something else than a call: a WebSocket, a download. */
export function addressOf<R extends Route>(route: R, ...given: Arguments<R>): string {
  return ROOT + pathOf(route, ...given);
}

/** A part of a file, in bytes. */
export interface Part {
  from: number;
  to: number;
}

/** Returns a part as the header `Range` says it. */
export function rangeOf({ from, to }: Part): string {
  return `bytes=${from}-${to - 1}`;
}

export async function bytesOf(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await response.arrayBuffer());
}

function rethrow(cause: unknown): never {
  if (!(cause instanceof BatonError)) throw cause;
  if (cause.status === 0) throw new Unreachable(cause);
  const { code, message, hint, details } = cause;
  throw new Refused(cause.status, problemOf(cause.status, plainDeep({ error: { code, message, hint, details } })));
}
