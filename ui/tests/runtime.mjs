/**
 * A stand-in for the runtime that serves one state of `world.mjs` in the shapes of the contract, so that pictures of every
 * state can be taken and checked without a sandbox. It decides nothing; the product never contains it.
 */
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { WebSocketServer } from 'ws';
import { CONTENT, NOW, world } from './world.mjs';

const DIST = join(import.meta.dirname, '../dist');
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
/** The policy that the program itself sends: what breaks it breaks here first. */
export const POLICY =
  "default-src 'self'; connect-src 'self' ws://127.0.0.1:*; img-src 'self' blob: data:; media-src 'self' blob:; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; frame-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The refusal of a playbook with a wrong step. */
const TYPO = { error: { code: 'invalid', message: 'unknown step “clik”', hint: 'Did you mean click?', details: { line: 4, column: 5 } } };

/** What a page showed after a step. */
const STEP = `<svg xmlns="http://www.w3.org/2000/svg" width="1280" height="720" font-family="sans-serif"><rect width="1280" height="720" fill="#f6f7f9"/>
  <rect width="1280" height="72" fill="#1d3a5f"/><text x="40" y="46" font-size="28" fill="#fff">Portal</text>
  <text x="40" y="150" font-size="40" fill="#223">Invoices</text>${[0, 1, 2, 3].map((n) => `<rect x="40" y="${200 + n * 90}" width="1200" height="70" rx="8" fill="#fff" stroke="#dde"/>`).join('')}</svg>`;

const ENTRY = { kind: 'login', name: '', source: 'local', rule: 'ask', hasPassword: false, hasTotp: false, passkeys: 0, createdAt: NOW - 86_400_000, updatedAt: NOW - 86_400_000 };
/** What the vault holds; values are never told. */
const VAULT = [
  { ...ENTRY, id: 'crd_1', site: 'portal.example', username: 'ada@portal.example', hasPassword: true, hasTotp: true, rule: 'fill', lastUsedAt: NOW - 240_000 },
  { ...ENTRY, id: 'crd_2', site: '*.bank.example', username: 'ada', passkeys: 1 },
  { ...ENTRY, id: 'crd_3', site: 'shop.example', rule: 'never' },
  { ...ENTRY, id: 'crd_6', site: 'mail.example', username: 'ada', name: 'Mail', source: '1password', sourceId: 'vault/item', hasPassword: true },
  { ...ENTRY, id: 'crd_4', kind: 'secret', name: 'API_TOKEN', hosts: ['api.example'], rule: 'fill', lastUsedAt: NOW - 7_200_000 },
  { ...ENTRY, id: 'crd_5', kind: 'secret', name: 'SIGNING_KEY' },
];

const MANAGERS = [
  { source: '1password', name: '1Password', state: 'ready', entries: 1, listedAt: NOW - 3_600_000 },
  { source: 'bitwarden', name: 'Bitwarden', state: 'locked', entries: 0, listedAt: NOW - 7_200_000, detail: 'Bitwarden gives nothing now: it is locked; give its master password' },
];

const OFFER = { offerId: 'sio_1', site: 'portal.example', username: 'ada@portal.example', updates: null, expiresAt: NOW + 300_000 };

/** Starts it on a free port. `pictures` maps a name to { width, height, rgba } of the sandbox's screen. */
const DESTINATIONS = [
  { host: 'portal.example', port: 443, by: 'browser', connections: 6, refused: 0, sentBytes: 21_480, receivedBytes: 1_284_113, firstAt: NOW - 120_000, lastAt: NOW - 4_000 },
  { host: 'files.portal.example', port: 443, by: 'browser', connections: 2, refused: 0, sentBytes: 3_110, receivedBytes: 412_902, firstAt: NOW - 90_000, lastAt: NOW - 30_000 },
  { host: 'pypi.example', port: 8443, by: 'commands', connections: 1, refused: 0, sentBytes: 1_202, receivedBytes: 80_411, firstAt: NOW - 60_000, lastAt: NOW - 60_000 },
  { host: 'tracker.example', port: 443, by: 'browser', connections: 0, refused: 4, sentBytes: 0, receivedBytes: 0, firstAt: NOW - 80_000, lastAt: NOW - 10_000 },
];

export async function startRuntime(pictures) {
  let state = world('nothing');
  let name = 'nothing';
  let cut = false;
  const listeners = new Set();
  const streams = new Set();
  const watchers = new Set();
  /** What was typed into terminals. */
  const typed = [];
  /** What a terminal shows when it is joined. */
  let shownBefore = '';
  /** Files whose content is here; others are those of `world.mjs`. */
  let served = new Map();
  /** What files were at the checkpoint of the main sandbox. */
  let servedThen = new Map();
  /** Every word that a live view said. */
  const heard = [];
  /** The keys that models were set with. */
  const keysHeard = [];
  /** Names of files that were written, and sandboxes that were deleted. */
  const written = [];
  const forgotten = [];
  const deleted = [];
  const resized = [];
  let readBytes = 0;
  let token = 'token';

  const server = createServer((request, response) => void answer(request, response));
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'baton' });
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (ws) => {
      if (request.url.startsWith('/v1/events')) {
        listeners.add(ws);
        ws.on('close', () => listeners.delete(ws));
      } else if (request.url.includes('/fs/watch')) {
        watchers.add(ws);
        ws.on('close', () => watchers.delete(ws));
      } else if (request.url.includes('/terminal?')) terminal(ws);
      else if (cut) ws.terminate();
      else stream(ws, /^\/v1\/sandboxes\/([^/]+)\//.exec(request.url)?.[1]);
    });
  });

  function json(response, status, body) {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  }

  async function answer(request, response) {
    const url = new URL(request.url, 'http://127.0.0.1');
    const path = url.pathname;
    if (!path.startsWith('/v1/')) return page(path, response);
    if (path === '/v1/tickets/redeem') return json(response, 200, { token });
    if (path === '/v1/health') return json(response, 200, { status: 'ok', version: '0.1.0' });
    if (request.headers.authorization !== `Bearer ${token}`) return json(response, 401, { error: { code: 'unauthorized', message: 'no token' } });
    const list = (data) => json(response, 200, { data, nextCursor: null });
    const [, sandboxId, rest] = /^\/v1\/sandboxes\/([^/]+)\/?(.*)$/.exec(path) ?? [];
    if (path === '/v1/sandboxes' && request.method === 'GET') return list(state.sandboxes);
    if (path === '/v1/sandboxes') return json(response, 201, state.main);
    if (path === '/v1/playbooks/check') return json(response, 400, TYPO);
    if (path === '/v1/tasks') return list(state.tasks);
    if (path.startsWith('/v1/tasks/')) return json(response, 200, state.tasks.find((task) => path.includes(task.id)));
    if (path === '/v1/keys') return json(response, 200, { store: 'keyring', state: 'open' });
    if (path.startsWith('/v1/pictures/')) {
      response.writeHead(200, { 'content-type': 'image/svg+xml' });
      return response.end(STEP);
    }
    if (path === '/v1/models') return list(state.models);
    const [, model, asked] = /^\/v1\/models\/([^/]+)(\/test)?$/.exec(path) ?? [];
    if (asked !== undefined) return json(response, 200, model === 'mine' ? { ok: true, latencyMs: 840 } : { ok: false, latencyMs: 90, error: 'Incorrect API key provided' });
    if (model !== undefined) return keepModel(model, request, response);
    if (path === '/v1/credentials') return list(VAULT);
    if (path === '/v1/password-managers') return list(MANAGERS);
    if (path === '/v1/rules') return json(response, 200, { rules: [{ site: '*', kind: 'pay', effect: 'hold' }, { site: '*.bank.example', effect: 'ask' }] });
    if (path === '/v1/grants') return list(state.tasks.slice(0, 1).map((task) => ({ grantId: 'grt_1', approvalId: 'apr_0', sandboxId: task.sandboxId, taskId: task.id, site: 'portal.example', kind: 'submit', uses: 2, spent: 0, createdAt: NOW - 60_000 })));
    if (path === '/v1/webhooks') return list([{ id: 'wh_1', url: 'https://hooks.example.org/baton', description: '', eventTypes: ['sandbox.handoff.*'], allowPrivate: false, enabled: true, createdAt: NOW - 86_400_000, updatedAt: NOW - 86_400_000 }]);
    if (path === '/v1/doctor') return list(state.checks);
    if (path === '/v1/runtime') return json(response, 200, { home: '/home/ada/.local/share/baton' });
    if (path === '/v1/artifacts') return list(state.artifacts.filter((each) => each.name.includes(url.searchParams.get('q') ?? '')));
    if (path === '/v1/search') {
      // The newest job that ended before this page was opened: its story was not read yet.
      const unread = state.sandboxes.find((sandbox) => sandbox.status === 'ended') ?? state.main;
      return list([{ sandboxId: unread.id, title: 'Invoices, October', snippet: 'Sign in to portal.example, then hand back', at: NOW - 86_400_000 }]);
    }
    if (sandboxId === undefined) return json(response, 404, { error: { code: 'notFound', message: 'no such route' } });
    const isMain = sandboxId === state.main?.id;
    if (rest === 'sign-in-offers') return list(isMain && name === 'keep' && state.main.handoff?.status === 'completed' ? [OFFER] : []);
    if (rest === 'checkpoints') return list(isMain ? state.checkpoints : []);
    if (rest.startsWith('checkpoints/')) {
      const then = servedThen.get(url.searchParams.get('path'));
      if (then === undefined) return json(response, 404, { error: { code: 'notFound', message: 'no such file' } });
      return part(request, response, then);
    }
    switch (rest) {
      case '':
        if (request.method === 'DELETE') return end(sandboxId, url.searchParams.get('forget') === 'true', response);
        return json(response, 200, state.sandboxes.find((sandbox) => sandbox.id === sandboxId));
      case 'events': {
        const all = state.events.filter((event) => event.sandboxId === sandboxId);
        const after = all.findIndex((event) => event.id === url.searchParams.get('after'));
        return list(all.slice(after + 1));
      }
      case 'recordings':
        return json(response, 200, { data: [] });
      case 'artifacts':
        return list(isMain ? state.artifacts : []);
      case 'fs/list':
        return json(response, 200, { data: isMain ? [...state.files.filter((file) => !served.has(file.path.replace(/^\/?workspace\//, ''))), ...[...served].map(([path, bytes]) => entryOf(path, bytes))] : [] });
      case 'fs/stat': {
        const path = url.searchParams.get('path').replace(/^\/workspace\//, '');
        const known = state.files.find((file) => file.path.replace(/^\/?workspace\//, '') === path);
        if (served.has(path)) return json(response, 200, entryOf(path, served.get(path)));
        if (known === undefined) return json(response, 404, { error: { code: 'notFound', message: 'no such file' } });
        return json(response, 200, { ...known, path, size: Buffer.byteLength(CONTENT[path] ?? 'text') });
      }
      case 'fs/usage':
        return json(response, 200, { workspaceBytes: 203_000_000, files: 214, folders: 9, trashBytes: 3_100_000, artifactBytes: 412_000, truncated: false });
      case 'fs/search':
        return json(response, 200, { data: isMain ? [{ path: 'report.md', kind: 'file', size: 900, modifiedAt: NOW }, { path: 'downloads/invoices.csv', kind: 'file', size: 900, modifiedAt: NOW, line: 3, text: '2026-1045,"Weber, Sohn",2026-10-03,1210.50' }] : [], truncated: false });
      case 'fs':
        deleted.push(url.searchParams.get('path'));
        state.files = state.files.filter((file) => file.path !== url.searchParams.get('path'));
        return json(response, 200, { path: url.searchParams.get('path'), trashId: 'trash1' });
      case 'fs/trash/trash1/restore':
        deleted.pop();
        return json(response, 200, { path: 'report.md', kind: 'file', size: 1, modifiedAt: NOW });
      case 'network':
        return list(isMain ? DESTINATIONS : []);
      case 'preview/start':
        request.resume();
        state.main.preview = { ...state.main.preview, status: 'ready' };
        tell('sandbox.browser.ready', 'system', {});
        return json(response, 200, state.main.preview);
      case 'preview/resize': {
        let text = '';
        for await (const part of request) text += part;
        resized.push(JSON.parse(text));
        return json(response, 200, state.main.preview);
      }
      case 'terminals':
        return list([]);
      case 'code':
        request.resume();
        return json(response, 200, { exitCode: 0, stdout: '3 invoices\n', stderr: '', stdoutTruncated: false, stderrTruncated: false, durationMs: 41, timedOut: false });
      case 'fs/write':
        written.push(url.searchParams.get('path'));
        request.resume();
        return json(response, 200, { path: url.searchParams.get('path'), size: 1 });
      case 'fs/read': {
        const path = url.searchParams.get('path').replace(/^\/workspace\//, '');
        return part(request, response, served.get(path) ?? Buffer.from(CONTENT[path] ?? 'text'));
      }
      case 'tasks':
        return json(response, 400, TYPO);
      default:
        return json(response, 404, { error: { code: 'notFound', message: 'no such route' } });
    }
  }

  const entryOf = (path, bytes) => ({ path, kind: 'file', size: bytes.length, modifiedAt: NOW + bytes.length });

  /** Answers with bytes, or the part of them that is asked for. Counts what is read. */
  function part(request, response, bytes) {
    const asked = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (asked === null) {
      readBytes += bytes.length;
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      return response.end(bytes);
    }
    const from = Number(asked[1]);
    if (from >= bytes.length) return response.writeHead(416, { 'content-type': 'application/json' }).end('{}');
    const some = bytes.subarray(from, Number(asked[2]) + 1);
    readBytes += some.length;
    response.writeHead(206, { 'content-type': 'application/octet-stream' });
    return response.end(some);
  }

  /** A terminal that shows what is typed. */
  function terminal(ws) {
    const before = Buffer.from(shownBefore);
    ws.send(JSON.stringify({ replay: before.length }));
    ws.send(before);
    ws.on('message', (data, binary) => {
      if (!binary) return;
      typed.push(String(data));
      ws.send(Buffer.from(String(data).replaceAll('\r', '\r\n')));
    });
  }

  /** Ends a sandbox, and deletes it where that is asked for. */
  function end(id, forget, response) {
    const sandbox = state.sandboxes.find((each) => each.id === id);
    if (!forget) return json(response, 200, Object.assign(sandbox, { status: 'ended', endedAt: NOW, updatedAt: NOW + 1 }));
    forgotten.push(id);
    state.sandboxes = state.sandboxes.filter((each) => each.id !== id);
    state.tasks = state.tasks.filter((each) => each.sandboxId !== id);
    return json(response, 200, { forgotten: true, freedBytes: 4_100_000 });
  }

  /** Keeps or forgets a model as the runtime does: a key goes in and never comes back. */
  async function keepModel(name, request, response) {
    state.models = state.models.filter((model) => model.name !== name);
    if (request.method === 'DELETE') return response.writeHead(204).end();
    let text = '';
    for await (const part of request) text += part;
    const { apiKey, ...settings } = JSON.parse(text);
    keysHeard.push(apiKey);
    const model = { ...settings, name, hasKey: apiKey !== undefined, source: 'settings' };
    state.models.push(model);
    return json(response, 200, model);
  }

  async function page(path, response) {
    const file = join(DIST, normalize(path === '/' ? '/index.html' : path));
    try {
      const bytes = await readFile(file);
      response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'content-security-policy': POLICY });
      response.end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  }

  /** How a live view of a sandbox finds control: only that of the main one changes here. */
  function controlOf(id) {
    const other = state.sandboxes.find((each) => each.id === id && each.id !== state.main.id);
    if (other === undefined) return state.control;
    const { controlMode: mode, controller } = other.preview;
    return { ...state.control, mode, controller, yours: false };
  }

  function stream(ws, id) {
    streams.add(ws);
    ws.on('close', () => streams.delete(ws));
    const say = (message) => ws.send(JSON.stringify(message));
    const picture = pictures[state.picture];
    const screen = { width: picture.width, height: picture.height };
    ws.on('message', (data, binary) => {
      if (binary) return;
      const message = JSON.parse(String(data));
      heard.push(message);
      switch (message.type) {
        case 'hello':
          say({ type: 'welcome', viewerId: 'view_1', mode: 'control', screen, transport: 'socket' });
          say({ type: 'control', control: controlOf(id) });
          ws.send(lossless(picture));
          break;
        case 'ping':
          setTimeout(() => say({ type: 'pong', sentAt: message.sentAt, clockUs: Number(process.hrtime.bigint() / 1000n) }), 15);
          break;
        case 'take':
          Object.assign(state.control, name === 'handing' ? { settling: true, yours: true } : { mode: 'human', yours: true, lease: 7, controller: message.controller, since: NOW });
          if (name !== 'handing') {
            state.main.preview = { ...state.main.preview, controlMode: 'human', blind: true, url: '' };
            state.main.handoff = { ...state.main.handoff, status: 'accepted' };
            tell('sandbox.handoff.accepted', 'person', { requestId: 'ho_taken', controller: 'A person at this computer' });
          }
          say({ type: 'control', control: state.control });
          ws.send(lossless(pictures.filled));
          break;
        case 'askControl':
          say({ type: 'control', control: { ...controlOf(id), wantedBy: message.controller, wantedByYou: true } });
          break;
        case 'keepControl':
          Object.assign(state.control, { wantedBy: null });
          say({ type: 'control', control: state.control });
          break;
        case 'giveControl':
          Object.assign(state.control, { yours: false, lease: null, controller: state.control.wantedBy, wantedBy: null });
          say({ type: 'control', control: state.control });
          break;
        case 'handBack':
          Object.assign(state.control, { mode: 'ai', yours: false, lease: null, settling: false });
          state.main.preview = { ...state.main.preview, controlMode: 'ai', blind: false, url: 'https://portal.example/invoices' };
          state.main.handoff = { ...state.main.handoff, status: 'completed' };
          say({ type: 'control', control: state.control });
          tell('sandbox.handoff.completed', 'person', { receipt: { ...state.receipt, note: message.note }, note: message.note });
          ws.send(lossless(pictures.invoices));
          break;
      }
    });
  }

  function tell(type, by, data) {
    const seq = state.events.filter((event) => event.sandboxId === state.main.id).length + 1;
    const event = { id: `evt_${state.main.id}_${String(seq).padStart(4, '0')}`, sandboxId: state.main.id, seq, type, by, at: NOW, data };
    state.main.updatedAt = NOW + seq;
    state.events.push(event);
    for (const ws of listeners) ws.send(JSON.stringify(event));
  }

  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    heard,
    keysHeard,
    written,
    forgotten,
    deleted,
    typed,
    /** How many bytes of files were read. */
    get readBytes() {
      return readBytes;
    },
    /** Puts files into the workspace of the main sandbox; `then` is what they were at its checkpoint. */
    serve(files, then = new Map()) {
      served = files;
      servedThen = then;
      for (const ws of watchers) ws.send('{"paths":[],"more":true}');
    },
    /** What terminals show when they are joined. */
    set shownBefore(text) {
      shownBefore = text;
    },
    /** Is started anew: tokens from before are not known any more. */
    startAnew() {
      token += 'x';
    },
    url: `http://127.0.0.1:${server.address().port}`,
    /** What the list calls the job that the state is about. */
    get main() {
      return state.main === null ? null : (state.tasks.find((task) => task.sandboxId === state.main.id)?.title ?? state.main.name);
    },
    /** The steps of the job that the state is about. */
    get playbook() {
      return state.tasks.find((task) => task.sandboxId === state.main.id)?.playbook;
    },
    show(which) {
      name = which;
      state = world(which);
      cut = false;
      heard.length = 0;
      resized.length = 0;
    },
    /** Changes a file of the workspace. */
    touch(path) {
      state.files = state.files.map((file) => (file.path === path ? { ...file, modifiedAt: NOW + 1000 } : file));
      tell('sandbox.file.changed', 'agent', { path, change: 'written' });
    },
    /** Pages that were given another size. */
    resized,
    /** Somebody asks who drives for control. */
    askFor(name) {
      Object.assign(state.control, { wantedBy: name });
      for (const ws of streams) ws.send(JSON.stringify({ type: 'control', control: state.control }));
    },
    /** Whoever drives is gone: their request stands open again. */
    lapse() {
      Object.assign(state.control, { mode: 'waiting', yours: false, lease: null, controller: null });
      state.main.preview = { ...state.main.preview, controlMode: 'waiting', blind: false };
      state.main.handoff = { ...state.main.handoff, requestId: 'ho_taken', status: 'pending' };
      state.main.updatedAt += 1;
    },
    /** Says where the agent points. */
    aim(aim) {
      for (const ws of streams) ws.send(JSON.stringify({ type: 'aim', aim }));
    },
    /** Cuts the pictures and lets none come back. */
    cutStreams() {
      cut = true;
      for (const ws of streams) ws.terminate();
    },
    close() {
      for (const ws of [...listeners, ...streams]) ws.terminate();
      server.close();
      server.closeAllConnections();
    },
  };
}

let pictureNumber = 0;

/** One lossless picture of the whole screen, not packed (`sandbox_picture::wire`). */
function lossless({ width, height, rgba }) {
  const head = Buffer.alloc(20 + 12 + 8);
  head.writeUInt8(1, 0);
  head.writeUInt8(2, 1);
  head.writeUInt8(2, 2);
  head.writeUInt32LE((pictureNumber += 1), 4);
  head.writeBigUInt64LE(process.hrtime.bigint() / 1000n, 8);
  head.writeUInt16LE(width, 16);
  head.writeUInt16LE(height, 18);
  // One part of true colour, which is all of the screen.
  head.writeUInt16LE(1, 24);
  head.writeUInt16LE(width, 36);
  head.writeUInt16LE(height, 38);
  return Buffer.concat([head, rgba]);
}
