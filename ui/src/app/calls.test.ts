import { describe, expect, test } from 'vitest';
import { Transport } from '../../../sdk/typescript/src/transport';
import { overShell, type Invoke } from '../host/in-process';
import { Unreachable } from '../host/types';
import { addressOf, Calls, Refused } from './calls';

interface Asked {
  method: string;
  path: string;
  body: unknown;
}

/** Calls whose answers are `answer`, and what was asked. */
function calls(answer: (asked: Asked) => unknown, status = 200): { calls: Calls; asked: Asked[] } {
  const asked: Asked[] = [];
  const fetch = (path: string, { method = '', body }: RequestInit) => {
    const one = { method, path, body: typeof body === 'string' ? JSON.parse(body) : body };
    asked.push(one);
    return Promise.resolve(Response.json(answer(one), { status }));
  };
  return { calls: new Calls(new Transport({ url: '', token: '', fetch })), asked };
}

test('a route becomes its method, its path with each part written safely, and its body', async () => {
  const { calls: made, asked } = calls(() => ({ taskId: 'task_1' }));
  await made.shown('POST /sandboxes/{id}/tasks', { path: { id: 'sbx/../1' }, json: { prompt: 'look' } });
  expect(asked).toEqual([{ method: 'POST', path: '/v1/sandboxes/sbx%2F..%2F1/tasks', body: { prompt: 'look' } }]);
});

test('a query is written behind the path; what is absent is left out', () => {
  const path = { id: 'sbx_1' };
  expect(addressOf('GET /sandboxes/{id}', { path, query: { waitFor: 'ready', timeoutMs: undefined } })).toBe('/v1/sandboxes/sbx_1?waitFor=ready');
  expect(addressOf('GET /sandboxes/{id}/fs/read', { path, query: { path: 'a b&c.txt' } })).toBe('/v1/sandboxes/sbx_1/fs/read?path=a+b%26c.txt');
});

test('a list is asked for page after page', async () => {
  const pages: Record<string, unknown> = { '/v1/webhooks?limit=200': { data: [1, 2], nextCursor: 'b' }, '/v1/webhooks?limit=200&cursor=b': { data: [3], nextCursor: null } };
  const { calls: made } = calls(({ path }) => pages[path]);
  expect(await made.list('GET /webhooks', {})).toEqual([1, 2, 3]);
});

test('what is shown is plain, what is sent back is letter for letter', async () => {
  const name = 'evil\u202egnp.exe';
  const { calls: made } = calls(() => ({ data: [{ name }], nextCursor: null }));
  const path = { id: 'sbx_1' };
  expect((await made.shown('GET /sandboxes/{id}/terminals', { path })).data[0]?.name).toBe('evilgnp.exe');
  expect((await made.exact('GET /sandboxes/{id}/terminals', { path })).data[0]?.name).toBe(name);
});

test('a refusal keeps its code, its words, its hint and its place', async () => {
  const error = { code: 'invalid', message: 'the step is not known', hint: 'see the playbook', details: { line: 3, column: 5 } };
  const { calls: made } = calls(() => ({ error }), 400);
  const refusal = await made.shown('POST /playbooks/check', { json: { playbook: 'x' } }).catch((cause: unknown) => cause);
  expect(refusal).toBeInstanceOf(Refused);
  expect(refusal).toMatchObject({
    status: 400,
    problem: { code: 'invalid', message: 'The step is not known', hint: 'see the playbook', line: 3, column: 5 },
  });
});

test('no answer is no refusal', async () => {
  const made = new Calls(new Transport({ url: '', token: '', fetch: () => Promise.reject(new TypeError('gone')) }));
  await expect(made.shown('GET /health')).rejects.toBeInstanceOf(Unreachable);
});

describe('over the shell', () => {
  /** Calls over a shell whose commands answer `answers`, and the commands that were called. */
  function shell(answers: Record<string, () => unknown>): { calls: Calls; commands: unknown[][] } {
    const commands: unknown[][] = [];
    const invoke: Invoke = async <T>(...command: unknown[]) => {
      commands.push(command);
      return (await answers[String(command[0])]?.()) as T;
    };
    return { calls: new Calls(new Transport({ url: '', token: '', fetch: overShell(invoke) })), commands };
  }

  test('what is read comes as bytes, and a refusal as its route said it', async () => {
    const { calls: made, commands } = shell({ read: () => new TextEncoder().encode('{"status":"ok","version":"1"}').buffer });
    expect(await made.shown('GET /health')).toMatchObject({ status: 'ok' });
    expect(commands).toEqual([['read', { path: '/v1/health', range: null }]]);

    const body = { error: { code: 'notFound', message: 'there is no sandbox sbx_1' } };
    const none = shell({ read: () => Promise.reject(Object.assign(new Error('refused'), { status: 404, body })) });
    await expect(none.calls.shown('GET /sandboxes/{id}', { path: { id: 'sbx_1' } })).rejects.toMatchObject({ status: 404, problem: { code: 'notFound' } });
  });

  test('the rest is a request with its body, or an empty answer', async () => {
    const { calls: made, commands } = shell({ request: () => ({ status: 204, body: null }) });
    expect((await made.open('DELETE /models/{name}', { path: { name: 'big' } })).status).toBe(204);
    await made.open('POST /keys/unlock', { json: { passphrase: 'word' } });
    expect(commands).toEqual([
      ['request', { method: 'DELETE', path: '/v1/models/big', body: null }],
      ['request', { method: 'POST', path: '/v1/keys/unlock', body: { passphrase: 'word' } }],
    ]);
  });

  test('bytes are written as bytes', async () => {
    const { calls: made, commands } = shell({ write: () => ({ status: 200, body: { path: 'a', size: 1 } }) });
    const path = { id: 'sbx_1' };
    await made.exact('PUT /sandboxes/{id}/fs/write', { path, query: { path: 'a' }, bytes: new Blob(['x']) });
    expect(commands).toEqual([['write', new TextEncoder().encode('x'), { headers: { 'x-path': encodeURIComponent('/v1/sandboxes/sbx_1/fs/write?path=a') } }]]);
  });

  test('a command that fails is no answer', async () => {
    const { calls: made } = shell({ request: () => Promise.reject('the runtime is closing') });
    await expect(made.shown('POST /tasks/{taskId}/cancel', { path: { taskId: 'task_1' } })).rejects.toBeInstanceOf(Unreachable);
  });
});
