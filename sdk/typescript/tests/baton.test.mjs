// Against a real runtime, which BATON_HOME names: `cargo test -p baton-tests --test product -- sdk::` starts one.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Baton, BatonError, verifyWebhook, WebhookError } from '../dist/index.js';

let baton, sandbox;

before(async () => {
  baton = await Baton.connect();
  sandbox = await baton.launch({ name: 'From TypeScript' });
});
after(() => sandbox.kill());

test('a sandbox is made, found and listed', async () => {
  assert.equal(sandbox.info.status, 'ready');
  assert.equal((await baton.get(sandbox.id)).info.name, 'From TypeScript');
  const other = await baton.create({ capabilities: { browser: false } });
  assert.equal((await baton.waitForReady(other.id)).info.status, 'ready');
  const first = await baton.list({ limit: 1 });
  assert.equal(first.data.length, 1);
  const all = [];
  for await (const each of first) all.push(each);
  const ids = all.map((each) => each.id);
  assert.ok(ids.includes(sandbox.id) && ids.includes(other.id) && new Set(ids).size === ids.length);
  assert.equal((await other.kill()).status, 'ended');
});

test('commands and code run, and a failing one is no error', async () => {
  assert.equal((await sandbox.exec('echo', ['ü'])).stdout, 'ü\n');
  assert.equal((await sandbox.exec({ command: 'false' })).exitCode, 1);
  assert.equal((await sandbox.runCode('python', 'print(6 * 7)')).stdout, '42\n');
  const pieces = [];
  for await (const piece of sandbox.execStream('bash', ['-c', 'echo out; echo err >&2; exit 3'])) pieces.push(piece);
  assert.equal(pieces.at(-1).exit.exitCode, 3);
  assert.equal(pieces.map((piece) => piece.stdout ?? '').join(''), 'out\n');
  assert.equal(pieces.map((piece) => piece.stderr ?? '').join(''), 'err\n');
});

test('files are written, read, listed and kept', async () => {
  await sandbox.fs.write('notes/a.txt', 'first');
  await sandbox.fs.write('notes/b.bin', new Uint8Array([0, 255, 7]));
  assert.equal(await sandbox.fs.readText('notes/a.txt'), 'first');
  assert.deepEqual([...(await sandbox.fs.read('/workspace/notes/b.bin'))], [0, 255, 7]);
  assert.deepEqual((await sandbox.fs.list('notes')).map((entry) => entry.path).sort(), ['notes/a.txt', 'notes/b.bin']);
  const artifact = await sandbox.saveArtifact('notes/a.txt');
  assert.deepEqual((await sandbox.getArtifacts()).data.map((each) => each.key), [artifact.key]);
  const { url } = await sandbox.getArtifactDownloadUrl(artifact.key);
  assert.equal(await (await fetch(url)).text(), 'first');
});

test('a terminal shows what is typed, however long', async () => {
  const terminal = await sandbox.terminal({ cols: 100 });
  terminal.write("stty size; printf 'x%.0s' $(seq 70000); echo; exit\n");
  let shown = '';
  for await (const bytes of terminal) shown += new TextDecoder().decode(bytes);
  assert.match(shown, /24 100/);
  assert.match(shown, /x{50}/);
});

test('a refusal has status, code and message', async () => {
  const refused = await sandbox.fs.read('../etc/passwd').catch((error) => error);
  assert.ok(refused instanceof BatonError);
  assert.deepEqual([refused.status, refused.code], [400, 'invalid']);
  const unknown = await baton.get('sbx_unknown').catch((error) => error);
  assert.deepEqual([unknown.status, unknown.code], [404, 'notFound']);
  const wrong = new Baton({ url: baton.transport.address('').replace('/v1', ''), token: 'wrong' });
  assert.equal((await wrong.list().catch((error) => error)).code, 'unauthorized');
  const nowhere = new Baton({ url: 'http://127.0.0.1:9', token: 'x' });
  assert.deepEqual(await nowhere.health().catch(({ status, code }) => [status, code]), [0, 'unreachable']);
});

test('the browser is driven, watched and handed over', async () => {
  const size = { width: 900, height: 600 };
  assert.equal((await sandbox.startPreview()).status, 'ready');
  assert.deepEqual((await sandbox.resizePreview(size)).viewport, size);
  await sandbox.navigatePreview('http://portal.example/');
  assert.equal((await sandbox.getPreview()).url, 'http://portal.example/');
  assert.match((await sandbox.getPreviewViewerUrl({ mode: 'control' })).url, /viewer\.html#ticket=/);
  const { handoff } = await sandbox.requestHumanHandoff({ reason: 'mfa', message: 'Type the code' });
  assert.equal(handoff.status, 'pending');
  assert.equal((await sandbox.acceptHumanHandoff('Ada')).handoff.status, 'accepted');
  const held = await sandbox.navigatePreview('about:blank').catch((error) => error);
  assert.deepEqual([held.status, held.code], [409, 'heldByPerson']);
  const done = await sandbox.completeHumanHandoff('all set');
  assert.deepEqual([done.handoff.status, done.handoff.receipt.note], ['completed', 'all set']);
});

test('tasks run to their end', async () => {
  const playbook = 'name: Short\nsteps:\n  - exec: { command: echo, args: [fine] }\n';
  assert.equal((await sandbox.prompt({ playbook })).result, 'fine');
  const { taskId } = await sandbox.promptAsync({ playbook, metadata: { order: 7 } });
  let task;
  do task = await sandbox.getAgentTask(taskId);
  while (['queued', 'running'].includes(task.status));
  assert.deepEqual([task.status, task.metadata.order], ['completed', 7]);
});

test('events go on after the last one when the connection breaks', async () => {
  const stop = new AbortController();
  const real = globalThis.fetch;
  let connections = 0;
  // Breaks the first connection after its first event.
  globalThis.fetch = async (address, init) => {
    const response = await real(address, init);
    if (!String(address).includes('/v1/events') || (connections += 1) > 1) return response;
    const first = response.body.pipeThrough(
      new TransformStream({
        transform(bytes, told) {
          told.enqueue(bytes);
          if (new TextDecoder().decode(bytes).includes('data:')) told.terminate();
        },
      }),
    );
    return new Response(first, response);
  };
  try {
    const types = ['sandbox.exec.completed'];
    const after = await newest();
    const seen = [];
    const following = (async () => {
      for await (const event of baton.events({ sandboxId: sandbox.id, types, after, signal: stop.signal })) {
        seen.push(event.data.command);
        if (seen.length === 3) return;
      }
    })();
    for (const word of ['one', 'two', 'three']) await sandbox.exec('echo', [word]);
    await following;
    assert.deepEqual(seen, ['echo one', 'echo two', 'echo three']);
    assert.equal(connections, 2);
  } finally {
    stop.abort();
    globalThis.fetch = real;
  }
  const refused = baton.events({ after: 'evt_unknown' }).next();
  await assert.rejects(refused, (error) => error instanceof BatonError && error.code === 'invalid');
});

async function newest() {
  const page = await baton.transport.call('GET /sandboxes/{id}/events', { path: { id: sandbox.id }, query: { limit: 200 } });
  return page.data.at(-1).id;
}

test('a webhook delivery is verified, and a changed or old one is not', async () => {
  const secret = `whsec_${Buffer.from('a secret of some length').toString('base64')}`;
  const body = JSON.stringify({ type: 'sandbox.ready', timestamp: '2026-11-26T00:00:00Z', data: { text: 'ü' } });
  const headers = (timestamp, signed = body) => ({
    'Webhook-Id': 'msg_1',
    'webhook-timestamp': String(timestamp),
    'webhook-signature': `v1,AAAA v1,${createHmac('sha256', 'a secret of some length').update(`msg_1.${timestamp}.${signed}`).digest('base64')}`,
  });
  const now = Math.floor(Date.now() / 1000);
  assert.equal((await verifyWebhook(body, headers(now), secret)).type, 'sandbox.ready');
  assert.equal((await verifyWebhook(Buffer.from(body), new Headers(headers(now)), secret)).data.text, 'ü');
  await assert.rejects(verifyWebhook(body.replace('ready', 'ended'), headers(now), secret), WebhookError);
  await assert.rejects(verifyWebhook(body, headers(now - 301), secret), WebhookError);
  await assert.rejects(verifyWebhook(body, headers(now), `whsec_${Buffer.from('another').toString('base64')}`), WebhookError);
  await assert.rejects(verifyWebhook(body, {}, secret), WebhookError);
});
