import { Files } from './files.js';
import { refusal } from './error.js';
import { serverSentEvents } from './events.js';
import type {
  Artifact, CodeLanguage, CodeRequest, DebuggingUrl, ExecRequest, ExecResult, Forgotten, HandoffEnvelope, HandoffRequest, Preview,
  Sandbox as Record_, Started, Task, TaskRequest, ViewerLink, ViewerMode,
} from './generated.js';
import { page, type Page, type PageQuery } from './page.js';
import { Terminal } from './terminal.js';
import { part, type Transport } from './transport.js';

/** What the command wrote, piece by piece, and how it ended. */
export type ExecPiece = { stdout: string } | { stderr: string } | { exit: ExecResult };

/** One job's sandbox. Its calls go to the runtime each time; `info` is how it was when this was made or last refreshed. */
export class Sandbox {
  readonly id: string;
  readonly fs: Files;
  info: Record_;
  readonly #transport: Transport;
  readonly #path: string;

  constructor(transport: Transport, info: Record_) {
    this.id = info.id;
    this.info = info;
    this.#transport = transport;
    this.#path = `/sandboxes/${part(info.id)}`;
    this.fs = new Files(transport, this.#path);
  }

  /** Asks how it is now. */
  async refresh(): Promise<this> {
    this.info = await this.#transport.json('GET', this.#path);
    return this;
  }

  /** Waits until it takes work. Throws `timeout` when that takes longer, `conflict` when it is over. */
  async waitForReady({ timeoutMs = 60_000 }: { timeoutMs?: number } = {}): Promise<this> {
    this.info = await this.#transport.json('GET', this.#path, { query: { waitFor: 'ready', timeoutMs } });
    return this;
  }

  /** Ends it; artifacts and history stay. */
  async kill(): Promise<Record_> {
    return (this.info = await this.#transport.json('DELETE', this.#path));
  }

  /** Ends it, then deletes its files, artifacts, pictures and history. That cannot be undone. */
  forget(): Promise<Forgotten> {
    return this.#transport.json('DELETE', this.#path, { query: { forget: 1 } });
  }

  // ---- commands ----

  /** Runs a program, not a shell line. One that fails is no error: look at `exitCode`. */
  exec(command: string | ExecRequest, args: string[] = [], more: Omit<ExecRequest, 'command' | 'args'> = {}): Promise<ExecResult> {
    return this.#transport.json('POST', `${this.#path}/exec`, { json: execRequest(command, args, more) });
  }

  /** As {@link exec}, and tells the output as it comes. Leaving the loop kills the command. */
  async *execStream(command: string | ExecRequest, args: string[] = [], more: Omit<ExecRequest, 'command' | 'args'> = {}): AsyncGenerator<ExecPiece, void> {
    const json = execRequest(command, args, more);
    const response = await this.#transport.ok('POST', `${this.#path}/exec`, { query: { stream: 1 }, json });
    for await (const { event, data } of serverSentEvents(response)) {
      const said: unknown = JSON.parse(data);
      if (event === 'exit') yield { exit: said as ExecResult };
      else if (event === 'error') throw await refusal(Response.json({ error: said }, { status: 500 }));
      else if (event === 'stdout') yield { stdout: (said as { data: string }).data };
      else if (event === 'stderr') yield { stderr: (said as { data: string }).data };
    }
  }

  /** Runs a piece of code. */
  runCode(language: CodeLanguage | CodeRequest, code = '', more: { timeoutMs?: number } = {}): Promise<ExecResult> {
    const json = typeof language === 'string' ? { language, code, ...more } : language;
    return this.#transport.json('POST', `${this.#path}/code`, { json });
  }

  /** Opens a terminal. */
  terminal({ cols = 80, rows = 24 }: { cols?: number; rows?: number } = {}): Promise<Terminal> {
    return Terminal.open(this.#transport.address(`${this.#path}/terminal`, { cols, rows }), this.#transport.token);
  }

  // ---- the agent ----

  /** Gives the agent a task, and waits for its end. */
  prompt(task: string | TaskRequest): Promise<Task> {
    return this.#transport.json('POST', `${this.#path}/prompt`, { json: taskRequest(task) });
  }

  /** Gives the agent a task; answers at once. */
  promptAsync(task: string | TaskRequest): Promise<Started> {
    return this.#transport.json('POST', `${this.#path}/tasks`, { json: taskRequest(task) });
  }

  getAgentTask(taskId: string): Promise<Task> {
    return this.#transport.json('GET', `/tasks/${part(taskId)}`);
  }

  // ---- the browser ----

  getPreview(): Promise<Preview> {
    return this.#transport.json('GET', `${this.#path}/preview`);
  }

  /** Makes a page's address that any browser on this machine opens once: the live view. */
  getPreviewViewerUrl({ mode = 'watch', ttlMs }: { mode?: ViewerMode; ttlMs?: number } = {}): Promise<ViewerLink> {
    return this.#transport.json('POST', `${this.#path}/preview/viewer-url`, { json: { mode, ttlMs } });
  }

  startPreview(): Promise<Preview> {
    return this.#preview('start');
  }

  stopPreview(): Promise<Preview> {
    return this.#preview('stop');
  }

  navigatePreview(url: string): Promise<Preview> {
    return this.#preview('navigate', { url });
  }

  /** In CSS pixels. */
  resizePreview(size: { width: number; height: number }): Promise<Preview> {
    return this.#preview('resize', size);
  }

  /** A PNG of the page. */
  async screenshot(): Promise<Uint8Array> {
    const response = await this.#transport.ok('GET', `${this.#path}/preview/screenshot`);
    return new Uint8Array(await response.arrayBuffer());
  }

  /** Makes addresses at which Playwright, Puppeteer and their like drive the browser. */
  getDebuggingUrl({ ttlMs }: { ttlMs?: number } = {}): Promise<DebuggingUrl> {
    return this.#transport.json('POST', `${this.#path}/cdp-url`, { json: { ttlMs } });
  }

  // ---- people ----

  /** Asks a person to do something in the browser. */
  requestHumanHandoff(request: HandoffRequest): Promise<HandoffEnvelope> {
    return this.#handoff('POST', '', request);
  }

  /** How the handoff stands, or the newest one stood. */
  getHumanHandoff(): Promise<HandoffEnvelope> {
    return this.#handoff('GET', '');
  }

  acceptHumanHandoff(controller: string): Promise<HandoffEnvelope> {
    return this.#handoff('POST', '/accept', { controller });
  }

  /** `typed` says what becomes of what the person typed and is still on the page; without it, it stays closed to programs. */
  completeHumanHandoff(note?: string, typed: { reveal?: boolean; clear?: boolean } = {}): Promise<HandoffEnvelope> {
    return this.#handoff('POST', '/complete', { note, ...typed });
  }

  cancelHumanHandoff(note?: string): Promise<HandoffEnvelope> {
    return this.#handoff('POST', '/cancel', { note });
  }

  takeControl(controller: string): Promise<Preview> {
    return this.#transport.json('POST', `${this.#path}/control/take`, { json: { controller } });
  }

  /** `typed` as in {@link completeHumanHandoff}. */
  releaseControl(note?: string, typed: { reveal?: boolean; clear?: boolean } = {}): Promise<Preview> {
    return this.#transport.json('POST', `${this.#path}/control/release`, { json: { note, ...typed } });
  }

  // ---- outputs ----

  getArtifacts(query: PageQuery = {}): Promise<Page<Artifact>> {
    const ask = (cursor = query.cursor) =>
      this.#transport.json<{ data: Artifact[] }>('GET', `${this.#path}/artifacts`, { query: { ...query, cursor } });
    return page(ask, (artifact) => artifact);
  }

  /** Keeps a file of the workspace as an artifact that outlives the sandbox. */
  saveArtifact(path: string, name?: string): Promise<Artifact> {
    return this.#transport.json('POST', `${this.#path}/artifacts`, { json: { path, name } });
  }

  /** Makes an address that needs no token, until it expires. */
  getArtifactDownloadUrl(key: string): Promise<{ url: string; expiresAt: number }> {
    return this.#transport.json('GET', `/artifacts/${part(key)}/url`);
  }

  #preview(what: string, json: unknown = {}): Promise<Preview> {
    return this.#transport.json('POST', `${this.#path}/preview/${what}`, { json });
  }

  #handoff(method: 'GET' | 'POST', what: string, json?: unknown): Promise<HandoffEnvelope> {
    return this.#transport.json(method, `${this.#path}/handoff${what}`, json === undefined ? {} : { json });
  }
}

function execRequest(command: string | ExecRequest, args: string[], more: Omit<ExecRequest, 'command' | 'args'>): ExecRequest {
  return typeof command === 'string' ? { ...more, command, args } : command;
}

function taskRequest(task: string | TaskRequest): TaskRequest {
  return typeof task === 'string' ? { prompt: task } : task;
}
