import { followEvents, type EventsQuery } from './events.js';
import type {
  Event, Handoff, Health, NewWebhook, Sandbox as Record_, SandboxConfig, SandboxStatus, Task, Webhook, WebhookPatch,
  WebhookSecret,
} from './generated.js';
import { page, type Page, type PageQuery } from './page.js';
import { findRuntime } from './runtime.js';
import { Sandbox } from './sandbox.js';
import { part, Transport, type Endpoint } from './transport.js';

/** A running Baton. */
export class Baton {
  /** For what has no method here. */
  readonly transport: Transport;

  constructor(endpoint: Endpoint) {
    this.transport = new Transport(endpoint);
  }

  /** Finds the runtime of this machine by its `runtime.json`; only in Node. */
  static async connect(): Promise<Baton> {
    return new Baton(await findRuntime());
  }

  health(): Promise<Health> {
    return this.transport.json('GET', '/health');
  }

  // ---- sandboxes ----

  /** Makes a sandbox, and waits until it takes work. */
  async launch(config: SandboxConfig = {}, wait: { timeoutMs?: number } = {}): Promise<Sandbox> {
    return (await this.create(config)).waitForReady(wait);
  }

  /** Makes a sandbox; answers at once. */
  async create(config: SandboxConfig = {}): Promise<Sandbox> {
    return this.#made(await this.transport.json('POST', '/sandboxes', { json: config }));
  }

  async waitForReady(id: string, wait: { timeoutMs?: number } = {}): Promise<Sandbox> {
    return (await this.get(id)).waitForReady(wait);
  }

  async get(id: string): Promise<Sandbox> {
    return this.#made(await this.transport.json('GET', `/sandboxes/${part(id)}`));
  }

  list(query: PageQuery & { status?: SandboxStatus } = {}): Promise<Page<Sandbox>> {
    return this.#list<Record_, Sandbox>('/sandboxes', query, (info) => this.#made(info));
  }

  // ---- tasks, people ----

  getAgentTask(taskId: string): Promise<Task> {
    return this.transport.json('GET', `/tasks/${part(taskId)}`);
  }

  /** Makes an address of everything that a task left, as one zip; it needs no token, until it expires. The task must be over. */
  getTaskBundleUrl(taskId: string): Promise<{ url: string; expiresAt: number }> {
    return this.transport.json('GET', `/tasks/${part(taskId)}/bundle/url`);
  }

  cancelAgentTask(taskId: string): Promise<Task> {
    return this.transport.json('POST', `/tasks/${part(taskId)}/cancel`);
  }

  /** The handoffs of all sandboxes, newest first. */
  listHandoffs(query: PageQuery & { status?: Handoff['status'] } = {}): Promise<Page<Handoff>> {
    return this.#list<Handoff, Handoff>('/handoffs', query, (handoff) => handoff);
  }

  // ---- events, webhooks ----

  /** Follows what happens, as it happens; see {@link followEvents}. */
  events(query: EventsQuery = {}): AsyncGenerator<Event, void> {
    return followEvents(this.transport, query);
  }

  /** Has a URL called with events. The answer holds the signing secret, this once: `verifyWebhook` takes it. */
  createWebhook(request: NewWebhook): Promise<WebhookSecret> {
    return this.transport.json('POST', '/webhooks', { json: request });
  }

  listWebhooks(query: PageQuery = {}): Promise<Page<Webhook>> {
    return this.#list<Webhook, Webhook>('/webhooks', query, (webhook) => webhook);
  }

  updateWebhook(id: string, patch: WebhookPatch): Promise<Webhook> {
    return this.transport.json('PATCH', `/webhooks/${part(id)}`, { json: patch });
  }

  deleteWebhook(id: string): Promise<void> {
    return this.transport.ok('DELETE', `/webhooks/${part(id)}`).then(() => undefined);
  }

  #made(info: Record_): Sandbox {
    return new Sandbox(this.transport, info);
  }

  #list<Raw, T>(path: string, query: PageQuery & { status?: string }, made: (raw: Raw) => T): Promise<Page<T>> {
    const ask = (cursor = query.cursor) =>
      this.transport.json<{ data: Raw[] }>('GET', path, { query: { ...query, cursor } });
    return page(ask, made);
  }
}
