/** The runtime's routes as functions: what the interface asks for, and nothing else. Refusals are thrown as [`Refused`]. */
import type { Credential } from '../types/generated/Credential';
import type { CredentialPatch } from '../types/generated/CredentialPatch';
import type { ImportedCredentials } from '../types/generated/ImportedCredentials';
import type { NewCredential } from '../types/generated/NewCredential';
import type { FileMatch } from '../core/files';
import type { Holdings } from '../core/holdings';
import { plainDeep } from '../core/plain';
import { problemOf, type Problem } from '../core/problem';
import type { Bytes, Host, Method, Part } from '../host/types';
import type { Approval } from '../types/generated/Approval';
import type { ApprovalDecision } from '../types/generated/ApprovalDecision';
import type { Artifact } from '../types/generated/Artifact';
import type { Check } from '../types/generated/Check';
import type { Checkpoint } from '../types/generated/Checkpoint';
import type { CheckpointDiff } from '../types/generated/CheckpointDiff';
import type { CodeLanguage } from '../types/generated/CodeLanguage';
import type { Delivery } from '../types/generated/Delivery';
import type { DocumentFormat } from '../types/generated/DocumentFormat';
import type { ExecResult } from '../types/generated/ExecResult';
import { readEvent, type Event } from '../core/event';
import type { FileEntry } from '../types/generated/FileEntry';
import type { Grant } from '../types/generated/Grant';
import type { HandoffEnvelope } from '../types/generated/HandoffEnvelope';
import type { KeyStorage } from '../types/generated/KeyStorage';
import type { ModelInfo } from '../types/generated/ModelInfo';
import type { ModelSettings } from '../types/generated/ModelSettings';
import type { ModelTest } from '../types/generated/ModelTest';
import type { NewWebhook } from '../types/generated/NewWebhook';
import type { Recording } from '../types/generated/Recording';
import type { Recordings } from '../types/generated/Recordings';
import type { Rule } from '../types/generated/Rule';
import type { Rules } from '../types/generated/Rules';
import type { Sandbox } from '../types/generated/Sandbox';
import type { Task } from '../types/generated/Task';
import type { Webhook } from '../types/generated/Webhook';
import type { WebhookPatch } from '../types/generated/WebhookPatch';
import type { WebhookSecret } from '../types/generated/WebhookSecret';

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

export interface Hit {
  taskId?: string | null;
  sandboxId: string;
  title: string;
  snippet: string;
  at: number;
}

interface Page<T> {
  data: T[];
  nextCursor?: string | null;
}

/** Pages are asked for until the list is whole, or this many items. */
const LIST_LIMIT = 1_000;
const PAGE = 200;

export class Client {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  sandboxes(): Promise<Sandbox[]> {
    return this.#list<Sandbox>('/v1/sandboxes');
  }
  sandbox(id: string): Promise<Sandbox> {
    return this.#send('GET', `/v1/sandboxes/${enc(id)}`);
  }
  createSandbox(body: Record<string, unknown>): Promise<Sandbox> {
    return this.#send('POST', '/v1/sandboxes', body);
  }
  pauseSandbox(id: string): Promise<Sandbox> {
    return this.#send('POST', `/v1/sandboxes/${enc(id)}/pause`);
  }
  resumeSandbox(id: string): Promise<Sandbox> {
    return this.#send('POST', `/v1/sandboxes/${enc(id)}/resume`);
  }
  endSandbox(id: string): Promise<Sandbox> {
    return this.#send('DELETE', `/v1/sandboxes/${enc(id)}`);
  }
  /** Ends a sandbox, then deletes its files, outputs and history for good. */
  forgetSandbox(id: string): Promise<{ forgotten: boolean; freedBytes: number }> {
    return this.#send('DELETE', `/v1/sandboxes/${enc(id)}?forget=true`);
  }
  whenReady(id: string): Promise<Sandbox> {
    return this.#send('GET', `/v1/sandboxes/${enc(id)}?waitFor=ready&timeoutMs=60000`);
  }

  tasks(): Promise<Task[]> {
    return this.#list<Task>('/v1/tasks');
  }
  task(id: string): Promise<Task> {
    return this.#send('GET', `/v1/tasks/${enc(id)}`);
  }
  /** Refused as starting the task would be, with the place in the text; starts nothing. */
  checkPlaybook(body: { playbook: string; params?: Record<string, string> }): Promise<{ name: string; steps: string[] }> {
    return this.#send('POST', '/v1/playbooks/check', body);
  }
  startTask(sandboxId: string, body: Record<string, unknown>): Promise<{ taskId: string }> {
    return this.#send('POST', `/v1/sandboxes/${enc(sandboxId)}/tasks`, body);
  }
  /** Writes to the agent of a task; it reads it before its next step. */
  writeToTask(id: string, text: string): Promise<Task> {
    return this.#send('POST', `/v1/tasks/${enc(id)}/messages`, { text });
  }
  /** Answers the steps of a task that is over, as a playbook: YAML. */
  async taskPlaybook(id: string): Promise<string> {
    const { status, bytes } = await this.#host.read(`/v1/tasks/${enc(id)}/playbook`);
    const text = new TextDecoder().decode(bytes);
    if (status < 200 || status > 299) throw new Refused(status, problemOf(status, JSON.parse(text)));
    return text;
  }
  cancelTask(id: string): Promise<Task> {
    return this.#send('POST', `/v1/tasks/${enc(id)}/cancel`);
  }

  /** Answers the events of a sandbox after the one with id `after`, oldest first. */
  async events(sandboxId: string, after: string | null): Promise<Event[]> {
    const all: Event[] = [];
    let last = after;
    for (;;) {
      const query = last === null ? '' : `&after=${enc(last)}`;
      const page = await this.#send<Page<unknown>>('GET', `/v1/sandboxes/${enc(sandboxId)}/events?limit=${PAGE}${query}`);
      const read = page.data.map(readEvent).filter((event) => event !== null);
      all.push(...read);
      const newest = read.at(-1)?.id ?? null;
      if (page.data.length < PAGE || newest === null || newest === last) return all;
      last = newest;
    }
  }

  handoff(sandboxId: string): Promise<HandoffEnvelope> {
    return this.#send('GET', `/v1/sandboxes/${enc(sandboxId)}/handoff`);
  }
  completeHandoff(sandboxId: string, note: string | null): Promise<HandoffEnvelope> {
    return this.#send('POST', `/v1/sandboxes/${enc(sandboxId)}/handoff/complete`, note === null ? {} : { note });
  }
  /** Fills in a sign-in of the vault for the person who was asked, and completes the request. */
  signInAtHandoff(sandboxId: string, credentialId: string): Promise<HandoffEnvelope> {
    return this.#send('POST', `/v1/sandboxes/${enc(sandboxId)}/handoff/sign-in`, { credentialId });
  }
  cancelHandoff(sandboxId: string): Promise<HandoffEnvelope> {
    return this.#send('POST', `/v1/sandboxes/${enc(sandboxId)}/handoff/cancel`, {});
  }

  decide(approvalId: string, body: ApprovalDecision): Promise<Approval> {
    return this.#send('POST', `/v1/approvals/${enc(approvalId)}`, body);
  }
  async grants(): Promise<Grant[]> {
    return (await this.#send<Page<Grant>>('GET', `/v1/grants?limit=${PAGE}`)).data;
  }
  revoke(grantId: string): Promise<Grant> {
    return this.#send('DELETE', `/v1/grants/${enc(grantId)}`);
  }
  async rules(): Promise<Rule[]> {
    return (await this.#send<Rules>('GET', '/v1/rules')).rules;
  }
  async keepRules(rules: Rule[]): Promise<Rule[]> {
    return (await this.#send<Rules>('PUT', '/v1/rules', { rules })).rules;
  }

  webhooks(): Promise<Webhook[]> {
    return this.#list<Webhook>('/v1/webhooks');
  }
  createWebhook(asked: NewWebhook): Promise<WebhookSecret> {
    return this.#send('POST', '/v1/webhooks', asked);
  }
  patchWebhook(id: string, patch: Partial<WebhookPatch>): Promise<Webhook> {
    return this.#send('PATCH', `/v1/webhooks/${enc(id)}`, patch);
  }
  deleteWebhook(id: string): Promise<Webhook> {
    return this.#send('DELETE', `/v1/webhooks/${enc(id)}`);
  }
  /** Makes a new secret; the one before is good for another day. */
  rotateWebhookSecret(id: string): Promise<WebhookSecret> {
    return this.#send('POST', `/v1/webhooks/${enc(id)}/rotate`, {});
  }
  testWebhook(id: string): Promise<Delivery> {
    return this.#send('POST', `/v1/webhooks/${enc(id)}/test`);
  }
  /** Answers the latest deliveries. */
  async deliveries(webhookId: string): Promise<Delivery[]> {
    return (await this.#send<Page<Delivery>>('GET', `/v1/webhooks/${enc(webhookId)}/deliveries?limit=50`)).data;
  }
  resendDelivery(webhookId: string, id: string): Promise<Delivery> {
    return this.#send('POST', `/v1/webhooks/${enc(webhookId)}/deliveries/${enc(id)}/resend`);
  }

  /** Runs code in the sandbox; answers when it has ended. */
  runCode(sandboxId: string, language: CodeLanguage, code: string): Promise<ExecResult> {
    return this.#send('POST', `/v1/sandboxes/${enc(sandboxId)}/code`, { language, code });
  }
  /** Makes another document of a file; answers the paths of what was made. */
  async convert(sandboxId: string, path: string, to: DocumentFormat): Promise<string[]> {
    return (await this.#ask<{ paths: string[] }>('POST', `/v1/sandboxes/${enc(sandboxId)}/documents/convert`, { path, to })).paths;
  }
  /** Answers the terminals that are kept with a sandbox. */
  async terminals(sandboxId: string): Promise<{ name: string }[]> {
    return (await this.#send<Page<{ name: string }>>('GET', `/v1/sandboxes/${enc(sandboxId)}/terminals`)).data;
  }
  closeTerminal(sandboxId: string, name: string): Promise<unknown> {
    return this.#send('DELETE', `/v1/sandboxes/${enc(sandboxId)}/terminals/${enc(name)}`);
  }

  async files(sandboxId: string): Promise<FileEntry[]> {
    // With their names as they are, for the routes that read and write them.
    const page = await this.#ask<Page<FileEntry>>('GET', `/v1/sandboxes/${enc(sandboxId)}/fs/list?path=/workspace&recursive=true`);
    return page.data;
  }
  /** Finds files by their names, and with `content` by what they say. */
  async searchFiles(sandboxId: string, q: string, content: boolean): Promise<{ data: FileMatch[]; truncated: boolean }> {
    // Paths as they are, for the routes that read them.
    return this.#ask('GET', `/v1/sandboxes/${enc(sandboxId)}/fs/search?q=${enc(q)}&content=${content}&limit=200`);
  }
  /** Answers how much of the disk a sandbox takes. */
  holdings(sandboxId: string): Promise<Holdings> {
    return this.#send('GET', `/v1/sandboxes/${enc(sandboxId)}/fs/usage`);
  }
  /** Moves a file or folder into the trash; answers its name there. */
  async trashFile(sandboxId: string, path: string): Promise<string> {
    return (await this.#ask<{ trashId: string }>('DELETE', `/v1/sandboxes/${enc(sandboxId)}/fs?path=${enc(path)}&trash=true`)).trashId;
  }
  /** Deletes a file or folder for good. */
  deleteFile(sandboxId: string, path: string): Promise<unknown> {
    return this.#send('DELETE', `/v1/sandboxes/${enc(sandboxId)}/fs?path=${enc(path)}&recursive=true`);
  }
  restoreFile(sandboxId: string, trashId: string): Promise<FileEntry> {
    return this.#ask('POST', `/v1/sandboxes/${enc(sandboxId)}/fs/trash/${enc(trashId)}/restore`);
  }
  emptyTrash(sandboxId: string): Promise<{ freedBytes: number }> {
    return this.#send('DELETE', `/v1/sandboxes/${enc(sandboxId)}/fs/trash`);
  }
  deleteArtifact(key: string): Promise<Artifact> {
    return this.#send('DELETE', `/v1/artifacts/${enc(key)}`);
  }
  statFile(sandboxId: string, path: string): Promise<FileEntry> {
    return this.#ask('GET', `/v1/sandboxes/${enc(sandboxId)}/fs/stat?path=${enc(path)}`);
  }
  filePath(sandboxId: string, path: string): string {
    return `/v1/sandboxes/${enc(sandboxId)}/fs/read?path=${enc(path)}`;
  }
  artifactPath(key: string): string {
    return `/v1/artifacts/${enc(key)}/content`;
  }
  /** Reads a file, or a part of it. A part beyond its end is empty. */
  async readFile(sandboxId: string, path: string, part?: Part): Promise<Bytes> {
    const answer = await this.#host.read(this.filePath(sandboxId, path), part);
    if (part !== undefined && answer.status === 416) return { ...answer, bytes: new Uint8Array() };
    if (answer.status < 200 || answer.status > 299) throw new Refused(answer.status, problemOf(answer.status, null));
    return answer;
  }
  /** Reads the picture of a step, by the name that its event has. */
  async picture(name: string): Promise<Blob> {
    const answer = await this.#host.read(`/v1/pictures/${enc(name)}`);
    if (answer.status < 200 || answer.status > 299) throw new Refused(answer.status, problemOf(answer.status, null));
    return new Blob([answer.bytes], { type: answer.contentType });
  }
  async writeFile(sandboxId: string, path: string, bytes: Blob): Promise<void> {
    const answer = await this.#host.write(`/v1/sandboxes/${enc(sandboxId)}/fs/write?path=${enc(path)}`, bytes);
    if (answer.status < 200 || answer.status > 299) throw new Refused(answer.status, problemOf(answer.status, answer.json));
  }

  artifacts(sandboxId: string): Promise<Artifact[]> {
    return this.#list<Artifact>(`/v1/sandboxes/${enc(sandboxId)}/artifacts`);
  }
  /** Keeps a file of the workspace as a result. */
  saveArtifact(sandboxId: string, path: string): Promise<Artifact> {
    return this.#send('POST', `/v1/sandboxes/${enc(sandboxId)}/artifacts`, { path });
  }
  checkpoints(sandboxId: string): Promise<Checkpoint[]> {
    return this.#list<Checkpoint>(`/v1/sandboxes/${enc(sandboxId)}/checkpoints`);
  }
  createCheckpoint(sandboxId: string): Promise<Checkpoint> {
    return this.#send('POST', `/v1/sandboxes/${enc(sandboxId)}/checkpoints`, {});
  }
  /** Answers how the files differ from a checkpoint. */
  compareCheckpoint(sandboxId: string, id: string): Promise<CheckpointDiff> {
    return this.#send('GET', `/v1/sandboxes/${enc(sandboxId)}/checkpoints/${enc(id)}/diff`);
  }
  /** Reads a file as it was at a checkpoint; `null` where it was not there then. */
  async checkpointFile(sandboxId: string, id: string, path: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const { status, bytes } = await this.#host.read(`/v1/sandboxes/${enc(sandboxId)}/checkpoints/${enc(id)}/file?path=${enc(path)}`);
    if (status === 404) return null;
    if (status < 200 || status > 299) throw new Refused(status, problemOf(status, null));
    return bytes;
  }
  /** Makes the sandbox as it was at a checkpoint. */
  restoreCheckpoint(sandboxId: string, id: string): Promise<Sandbox> {
    return this.#send('POST', `/v1/sandboxes/${enc(sandboxId)}/checkpoints/${enc(id)}/restore`, {});
  }
  deleteCheckpoint(sandboxId: string, id: string): Promise<Checkpoint> {
    return this.#send('DELETE', `/v1/sandboxes/${enc(sandboxId)}/checkpoints/${enc(id)}`);
  }
  /** Lists what was recorded of a sandbox, oldest first. */
  async recordings(sandboxId: string): Promise<Recording[]> {
    return (await this.#send<Recordings>('GET', `/v1/sandboxes/${enc(sandboxId)}/recordings`)).data;
  }
  /** Reads the whole of a recording, as it is by now. */
  async recording(key: string): Promise<Blob> {
    const answer = await this.#host.read(this.artifactPath(key));
    if (answer.status < 200 || answer.status > 299) throw new Refused(answer.status, problemOf(answer.status, null));
    return new Blob([answer.bytes], { type: 'video/mp4' });
  }
  artifactUrl(key: string): Promise<{ url: string; expiresAt: number }> {
    return this.#send('GET', `/v1/artifacts/${enc(key)}/url`);
  }

  /** Everything that a task left, as one zip. */
  bundlePath(taskId: string): string {
    return `/v1/tasks/${enc(taskId)}/bundle`;
  }
  bundleUrl(taskId: string): Promise<{ url: string; expiresAt: number }> {
    return this.#send('GET', `/v1/tasks/${enc(taskId)}/bundle/url`);
  }

  /** Gives the page another size, in CSS pixels. */
  resize(sandboxId: string, size: { width: number; height: number }): Promise<unknown> {
    return this.#send('POST', `/v1/sandboxes/${enc(sandboxId)}/preview/resize`, size);
  }
  viewerUrl(sandboxId: string, mode: 'watch' | 'control'): Promise<{ url: string; expiresAt: number }> {
    return this.#send('POST', `/v1/sandboxes/${enc(sandboxId)}/preview/viewer-url`, { mode });
  }
  /** Makes addresses at which programs that speak the debugging protocol drive the browser. */
  debuggingUrl(sandboxId: string): Promise<{ httpUrl: string; wsUrl: string; expiresAt: number }> {
    return this.#send('POST', `/v1/sandboxes/${enc(sandboxId)}/cdp-url`, {});
  }

  async search(q: string): Promise<Hit[]> {
    return (await this.#send<Page<Hit>>('GET', `/v1/search?q=${enc(q)}&limit=20`)).data;
  }
  /** Finds kept results by their names, the newest first. */
  async findArtifacts(q: string): Promise<Artifact[]> {
    return (await this.#send<Page<Artifact>>('GET', `/v1/artifacts?q=${enc(q)}&limit=10`)).data;
  }
  async checks(): Promise<Check[]> {
    return (await this.#send<Page<Check>>('GET', '/v1/doctor')).data;
  }
  /** Starts the guided first task, in a page of this size. */
  demo(viewport: { width: number; height: number }): Promise<{ sandboxId: string; taskId: string }> {
    return this.#send('POST', '/v1/demo', { viewport });
  }
  /** Answers the models that a prompt could go to. */
  async models(): Promise<ModelInfo[]> {
    return (await this.#send<Page<ModelInfo>>('GET', '/v1/models')).data;
  }
  keepModel(name: string, settings: ModelSettings): Promise<ModelInfo> {
    return this.#send('PUT', `/v1/models/${enc(name)}`, settings);
  }
  forgetModel(name: string): Promise<void> {
    return this.#send('DELETE', `/v1/models/${enc(name)}`);
  }
  /** Asks the model for a word; what it says instead is part of the answer. */
  testModel(name: string): Promise<ModelTest> {
    return this.#send('POST', `/v1/models/${enc(name)}/test`, {});
  }
  /** Answers the entries of the vault, without their values. */
  credentials(): Promise<Credential[]> {
    return this.#list('/v1/credentials', Infinity);
  }
  saveCredential(entry: NewCredential): Promise<Credential> {
    return this.#send('POST', '/v1/credentials', entry);
  }
  /** Saves what a browser or a password manager exported. */
  importCredentials(csv: string): Promise<ImportedCredentials> {
    return this.#send('POST', '/v1/credentials/import', { csv });
  }
  changeCredential(id: string, patch: CredentialPatch): Promise<Credential> {
    return this.#send('PATCH', `/v1/credentials/${enc(id)}`, patch);
  }
  deleteCredential(id: string): Promise<void> {
    return this.#send('DELETE', `/v1/credentials/${enc(id)}`);
  }
  keyStorage(): Promise<KeyStorage> {
    return this.#send('GET', '/v1/keys');
  }
  unlockKeys(passphrase: string): Promise<KeyStorage> {
    return this.#send('POST', '/v1/keys/unlock', { passphrase });
  }
  /** Answers where the runtime keeps its data and where its program lies, or `null` where it does not say. */
  async runtime(): Promise<{ home: string; program?: string } | null> {
    try {
      return await this.#send('GET', '/v1/runtime');
    } catch (refusal) {
      if (refusal instanceof Refused && refusal.status === 404) return null;
      throw refusal;
    }
  }
  health(): Promise<{ status: string; version: string }> {
    return this.#send('GET', '/v1/health');
  }

  async #list<T>(path: string, most = LIST_LIMIT): Promise<T[]> {
    const all: T[] = [];
    let cursor: string | null = null;
    do {
      const next: string = cursor === null ? '' : `&cursor=${enc(cursor)}`;
      const page: Page<T> = await this.#send('GET', `${path}?limit=${PAGE}${next}`);
      all.push(...page.data);
      cursor = page.nextCursor ?? null;
    } while (cursor !== null && all.length < most);
    return all;
  }

  /** Answers what the runtime says as it may be shown. */
  async #send<T>(method: Method, path: string, body?: unknown): Promise<T> {
    return plainDeep(await this.#ask<T>(method, path, body));
  }

  async #ask<T>(method: Method, path: string, body?: unknown): Promise<T> {
    const answer = await this.#host.request(method, path, body);
    if (answer.status >= 200 && answer.status < 300) return answer.json as T;
    throw new Refused(answer.status, problemOf(answer.status, plainDeep(answer.json)));
  }
}

const enc = encodeURIComponent;
