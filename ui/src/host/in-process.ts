/** Requests of the TypeScript client as commands of the shell: what `fetch` is over HTTP, for the runtime in this process. */
import type { Endpoint } from '../../../sdk/typescript/src/transport';
import type { Reply } from './ipc';

/** Calls a command of the shell, as the desktop API does. */
export type Invoke = <T>(command: string, args?: Record<string, unknown> | Uint8Array, options?: { headers: Record<string, string> }) => Promise<T>;

export function overShell(invoke: Invoke): NonNullable<Endpoint['fetch']> {
  return async (path, { method = 'GET', headers, body }) => {
    if (body instanceof Blob) {
      const bytes = new Uint8Array(await body.arrayBuffer());
      return answered(await invoke<Reply>('write', bytes, { headers: { 'x-path': encodeURIComponent(path) } }));
    }
    if (method === 'GET') return read(invoke, path, new Headers(headers).get('range'));
    return answered(await invoke<Reply>('request', { method, path, body: typeof body === 'string' ? JSON.parse(body) : null }));
  };
}

/** Answers what a GET answers, as bytes; the shell rejects with the route's answer when it is not 2xx. */
async function read(invoke: Invoke, path: string, range: string | null): Promise<Response> {
  try {
    return new Response(await invoke<ArrayBuffer>('read', { path, range }));
  } catch (cause) {
    if (isReply(cause)) return answered(cause);
    throw cause;
  }
}

function answered({ status, body }: Reply): Response {
  return new Response(body === null ? null : JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
}

function isReply(value: unknown): value is Reply {
  return typeof value === 'object' && value !== null && typeof (value as Reply).status === 'number';
}
