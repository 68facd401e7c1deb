import { followEvents, type EventsQuery } from './events.js';
import type {
  Event, Handoff, Health, Link, NewWebhook, Sandbox as Record_, SandboxConfig, SandboxStatus, Task, Webhook, WebhookPatch,
  WebhookSecret,
} from './generated.js';
import { page, type Page, type PageQuery } from './page.js';
import { findRuntime } from './runtime.js';
import { Sandbox } from './sandbox.js';
import { Transport, type Endpoint } from './transport.js';

/** A running Baton. */
export class Baton {
  /** For what has no method here: `transport.call('GET /grants')` calls any route, and its types are those of the document. */
  readonly transport: Transport;

  constructor(endpoint: Endpoint) {
    this.transport = new Transport(endpoint);
  }

  /** Finds the runtime of this machine by its `runtime.json`; only in Node. */
  static async connect(): Promise<Baton> {
    return new Baton(await findRuntime());
  }

  health(): Promise<Health> {
    return this.transport.call('GET /health');
  }

  // ---- sandboxes ----

  /** Makes a sandbox, and waits until it takes work. */
  async launch(config: SandboxConfig = {}, wait: { timeoutMs?: number } = {}): Promise<Sandbox> {
    return (await this.create(config)).waitForReady(wait);
  }

  /** Makes a sandbox; answers at once. */
  async create(config: SandboxConfig = {}): Promise<Sandbox> {
    return this.#made(await this.transport.call('POST /sandboxes', { json: config }));
  }

  async waitForReady(id: string, wait: { timeoutMs?: number } = {}): Promise<Sandbox> {
    return (await this.get(id)).waitForReady(wait);
  }

  async get(id: string): Promise<Sandbox> {
    return this.#made(await this.transport.call('GET /sandboxes/{id}', { path: { id } }));
  }

  list(query: PageQuery & { status?: SandboxStatus } = {}): Promise<Page<Sandbox>> {
    return page((cursor) => this.transport.call('GET /sandboxes', { query: { ...query, cursor } }), (info) => this.#made(info), query.cursor);
  }

  // ---- tasks, people ----

  getAgentTask(taskId: string): Promise<Task> {
    return this.transport.call('GET /tasks/{taskId}', { path: { taskId } });
  }

  /** Makes an address of everything that a task left, as one zip; it needs no token, until it expires. The task must be over. */
  getTaskBundleUrl(taskId: string): Promise<Link> {
    return this.transport.call('GET /tasks/{taskId}/bundle/url', { path: { taskId } });
  }

  cancelAgentTask(taskId: string): Promise<Task> {
    return this.transport.call('POST /tasks/{taskId}/cancel', { path: { taskId } });
  }

  /** The handoffs of all sandboxes, newest first. */
  listHandoffs(query: PageQuery & { status?: Handoff['status'] } = {}): Promise<Page<Handoff>> {
    return page((cursor) => this.transport.call('GET /handoffs', { query: { ...query, cursor } }), (handoff) => handoff, query.cursor);
  }

  // ---- events, webhooks ----

  /** Follows what happens, as it happens; see {@link followEvents}. */
  events(query: EventsQuery = {}): AsyncGenerator<Event, void> {
    return followEvents(this.transport, query);
  }

  /** Has a URL called with events. The answer holds the signing secret, this once: `verifyWebhook` takes it. */
  createWebhook(request: NewWebhook): Promise<WebhookSecret> {
    return this.transport.call('POST /webhooks', { json: request });
  }

  listWebhooks(query: PageQuery = {}): Promise<Page<Webhook>> {
    return page((cursor) => this.transport.call('GET /webhooks', { query: { ...query, cursor } }), (webhook) => webhook, query.cursor);
  }

  updateWebhook(id: string, patch: WebhookPatch): Promise<Webhook> {
    return this.transport.call('PATCH /webhooks/{webhookId}', { path: { webhookId: id }, json: patch });
  }

  deleteWebhook(id: string): Promise<void> {
    return this.transport.open('DELETE /webhooks/{webhookId}', { path: { webhookId: id } }).then(() => undefined);
  }

  #made(info: Record_): Sandbox {
    return new Sandbox(this.transport, info);
  }
}
