import { Files } from './files.js';
import { refusal } from './error.js';
import { serverSentEvents } from './events.js';
import type {
  Artifact, CodeLanguage, CodeRequest, DebuggingUrl, ExecRequest, ExecResult, Forgotten, HandoffEnvelope, HandoffRequest, Link, NetworkDestination,
  Preview, Sandbox as Record_, Started, Task, TaskRequest, ViewerLink, ViewerMode,
} from './generated.js';
import { page, type Page, type PageQuery } from './page.js';
import { Terminal } from './terminal.js';
import { pathOf } from './routes.js';
import type { Transport } from './transport.js';

/** What the command wrote, piece by piece, and how it ended. */
export type ExecPiece = { stdout: string } | { stderr: string } | { exit: ExecResult };

/** One job's sandbox. Its calls go to the runtime each time; `info` is how it was when this was made or last refreshed. */
export class Sandbox {
  readonly id: string;
  readonly fs: Files;
  info: Record_;
  readonly #transport: Transport;
  /** The sandbox's part of every path. */
  readonly #path: { id: string };

  constructor(transport: Transport, info: Record_) {
    this.id = info.id;
    this.info = info;
    this.#transport = transport;
    this.#path = { id: info.id };
    this.fs = new Files(transport, info.id);
  }

  /** Asks how it is now. */
  async refresh(): Promise<this> {
    this.info = await this.#transport.call('GET /sandboxes/{id}', { path: this.#path });
    return this;
  }

  /** Waits until it takes work. Throws `timeout` when that takes longer, `conflict` when it is over. */
  async waitForReady({ timeoutMs = 60_000 }: { timeoutMs?: number } = {}): Promise<this> {
    this.info = await this.#transport.call('GET /sandboxes/{id}', { path: this.#path, query: { waitFor: 'ready', timeoutMs } });
    return this;
  }

  /** Ends it; artifacts and history stay. */
  async kill(): Promise<Record_> {
    // Without `forget`, it answers the sandbox.
    return (this.info = (await this.#transport.call('DELETE /sandboxes/{id}', { path: this.#path })) as Record_);
  }

  /** Ends it, then deletes its files, artifacts, pictures and history. That cannot be undone. */
  async forget(): Promise<Forgotten> {
    return (await this.#transport.call('DELETE /sandboxes/{id}', { path: this.#path, query: { forget: true } })) as Forgotten;
  }

  // ---- commands ----

  /** Runs a program, not a shell line. One that fails is no error: look at `exitCode`. */
  exec(command: string | ExecRequest, args: string[] = [], more: Omit<ExecRequest, 'command' | 'args'> = {}): Promise<ExecResult> {
    return this.#transport.call('POST /sandboxes/{id}/exec', { path: this.#path, json: execRequest(command, args, more) });
  }

  /** As {@link exec}, and tells the output as it comes. Leaving the loop kills the command. */
  async *execStream(command: string | ExecRequest, args: string[] = [], more: Omit<ExecRequest, 'command' | 'args'> = {}): AsyncGenerator<ExecPiece, void> {
    const json = execRequest(command, args, more);
    const response = await this.#transport.open('POST /sandboxes/{id}/exec', { path: this.#path, query: { stream: true }, json });
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
    return this.#transport.call('POST /sandboxes/{id}/code', { path: this.#path, json });
  }

  /** Opens a terminal. */
  terminal({ cols = 80, rows = 24 }: { cols?: number; rows?: number } = {}): Promise<Terminal> {
    return Terminal.open(this.#transport.address(pathOf('GET /sandboxes/{id}/terminal', { path: this.#path, query: { cols, rows } })), this.#transport.token);
  }

  // ---- the agent ----

  /** Gives the agent a task, and waits for its end. */
  prompt(task: string | TaskRequest): Promise<Task> {
    return this.#transport.call('POST /sandboxes/{id}/prompt', { path: this.#path, json: taskRequest(task) });
  }

  /** Gives the agent a task; answers at once. */
  promptAsync(task: string | TaskRequest): Promise<Started> {
    return this.#transport.call('POST /sandboxes/{id}/tasks', { path: this.#path, json: taskRequest(task) });
  }

  getAgentTask(taskId: string): Promise<Task> {
    return this.#transport.call('GET /tasks/{taskId}', { path: { taskId } });
  }

  /** Where it went and what went there, the most bytes first. */
  async network(): Promise<NetworkDestination[]> {
    return (await this.#transport.call('GET /sandboxes/{id}/network', { path: this.#path })).data;
  }

  // ---- the browser ----

  getPreview(): Promise<Preview> {
    return this.#transport.call('GET /sandboxes/{id}/preview', { path: this.#path });
  }

  /** Makes a page's address that any browser on this machine opens once: the live view. */
  getPreviewViewerUrl({ mode = 'watch', ttlMs }: { mode?: ViewerMode; ttlMs?: number } = {}): Promise<ViewerLink> {
    return this.#transport.call('POST /sandboxes/{id}/preview/viewer-url', { path: this.#path, json: { mode, ttlMs } });
  }

  startPreview(): Promise<Preview> {
    return this.#transport.call('POST /sandboxes/{id}/preview/start', { path: this.#path });
  }

  stopPreview(): Promise<Preview> {
    return this.#transport.call('POST /sandboxes/{id}/preview/stop', { path: this.#path });
  }

  navigatePreview(url: string): Promise<Preview> {
    return this.#transport.call('POST /sandboxes/{id}/preview/navigate', { path: this.#path, json: { url } });
  }

  /** In CSS pixels. */
  resizePreview(size: { width: number; height: number }): Promise<Preview> {
    return this.#transport.call('POST /sandboxes/{id}/preview/resize', { path: this.#path, json: size });
  }

  /** A PNG of the page. */
  async screenshot(): Promise<Uint8Array> {
    const response = await this.#transport.open('GET /sandboxes/{id}/preview/screenshot', { path: this.#path });
    return new Uint8Array(await response.arrayBuffer());
  }

  /** Makes addresses at which Playwright, Puppeteer and their like drive the browser. */
  getDebuggingUrl({ ttlMs }: { ttlMs?: number } = {}): Promise<DebuggingUrl> {
    return this.#transport.call('POST /sandboxes/{id}/cdp-url', { path: this.#path, json: { ttlMs } });
  }

  // ---- people ----

  /** Asks a person to do something in the browser. */
  requestHumanHandoff(request: HandoffRequest): Promise<HandoffEnvelope> {
    return this.#transport.call('POST /sandboxes/{id}/handoff', { path: this.#path, json: request });
  }

  /** How the handoff stands, or the newest one stood. */
  getHumanHandoff(): Promise<HandoffEnvelope> {
    return this.#transport.call('GET /sandboxes/{id}/handoff', { path: this.#path });
  }

  acceptHumanHandoff(controller: string): Promise<HandoffEnvelope> {
    return this.#transport.call('POST /sandboxes/{id}/handoff/accept', { path: this.#path, json: { controller } });
  }

  /** `typed` says what becomes of what the person typed and is still on the page; without it, it stays closed to programs. */
  completeHumanHandoff(note?: string, typed: { reveal?: boolean; clear?: boolean } = {}): Promise<HandoffEnvelope> {
    return this.#transport.call('POST /sandboxes/{id}/handoff/complete', { path: this.#path, json: { note, ...typed } });
  }

  cancelHumanHandoff(note?: string): Promise<HandoffEnvelope> {
    return this.#transport.call('POST /sandboxes/{id}/handoff/cancel', { path: this.#path, json: { note } });
  }

  takeControl(controller: string): Promise<Preview> {
    return this.#transport.call('POST /sandboxes/{id}/control/take', { path: this.#path, json: { controller } });
  }

  /** `typed` as in {@link completeHumanHandoff}. */
  releaseControl(note?: string, typed: { reveal?: boolean; clear?: boolean } = {}): Promise<Preview> {
    return this.#transport.call('POST /sandboxes/{id}/control/release', { path: this.#path, json: { note, ...typed } });
  }

  // ---- outputs ----

  getArtifacts(query: PageQuery = {}): Promise<Page<Artifact>> {
    const ask = (cursor: string | undefined) => this.#transport.call('GET /sandboxes/{id}/artifacts', { path: this.#path, query: { ...query, cursor } });
    return page(ask, (artifact) => artifact, query.cursor);
  }

  /** Keeps a file of the workspace as an artifact that outlives the sandbox. */
  saveArtifact(path: string, name?: string): Promise<Artifact> {
    return this.#transport.call('POST /sandboxes/{id}/artifacts', { path: this.#path, json: { path, name } });
  }

  /** Makes an address that needs no token, until it expires. */
  getArtifactDownloadUrl(key: string): Promise<Link> {
    return this.#transport.call('GET /artifacts/{key}/url', { path: { key } });
  }
}

function execRequest(command: string | ExecRequest, args: string[], more: Omit<ExecRequest, 'command' | 'args'>): ExecRequest {
  return typeof command === 'string' ? { ...more, command, args } : command;
}

function taskRequest(task: string | TaskRequest): TaskRequest {
  return typeof task === 'string' ? { prompt: task } : task;
}
