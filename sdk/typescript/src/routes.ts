import type { Routes } from './generated.js';
import { part, search, type Sending } from './sending.js';

/** A route of docs/openapi.json: its method, and its path after `/v1`. */
export type Route = keyof Routes;

/** A route whose answer is JSON. */
export type JsonRoute = { [R in Route]: Routes[R] extends { answer: unknown } ? R : never }[Route];

export type Answer<R extends JsonRoute> = Routes[R]['answer'];

/** What a route takes: the parts of its path, its query and its body, as the document says. */
export type Given<R extends Route> = Omit<Routes[R], 'answer'> & Pick<Sending, 'bytes' | 'headers' | 'signal'>;

/** Nothing has to be given to a route that needs nothing. */
export type Arguments<R extends Route> = object extends Given<R> ? [given?: Given<R>] : [given: Given<R>];

/** Returns the method of a route, its path, and what is sent to it. */
export function requestOf<R extends Route>(route: R, [given]: Arguments<R>): { method: string; path: string; sending: Sending } {
  const { path: parts = {}, ...sending } = (given ?? {}) as Sending & { path?: Record<string, string> };
  const [method = '', template = ''] = route.split(' ');
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => part(parts[name] ?? ''));
  return { method, path, sending };
}

/** Returns the path of a route after `/v1`, with its query: for addresses that something else opens. */
export function pathOf<R extends Route>(route: R, ...given: Arguments<R>): string {
  const { path, sending } = requestOf(route, given);
  return path + search(sending.query);
}
