/** What the interface asks of the runtime, by its own words; each is a call of one route. */
import type {
  Approval, ApprovalDecision, Artifact, Check, Checkpoint, CheckpointDiff, CheckedPlaybook, CodeLanguage, Credential, CredentialPatch, CredentialSource,
  DebuggingUrl, Delivery, Demo, DocumentFormat, ExecResult, FileEntry, FileMatches, Forgotten, Grant, HandoffEnvelope, Health, Hit, ImportedCredentials,
  KeyStorage, Link, ModelInfo, ModelSettings, ModelTest, NetworkDestination, NewCredential, NewWebhook, PasswordManager, PlaybookCheck, Preview, Recording, Rule, RuntimeInfo,
  Sandbox, SandboxConfig, SignInAnswer, SignInAnswered, SignInOffer, Started, Task, TaskRequest, ViewerLink, ViewerMode, Viewport, Webhook, WebhookPatch, WebhookSecret,
} from '../types';
import { readEvent, type Event } from '../core/event';
import type { Holdings } from '../core/holdings';
import type { Transport } from '../../../sdk/typescript/src/transport';
import { addressOf, bytesOf, Calls, PAGE, rangeOf, Refused, type Part } from './calls';

export { Refused } from './calls';

export class Client {
  readonly #calls: Calls;

  constructor(transport: Transport) {
    this.#calls = new Calls(transport);
  }

  // ---- sandboxes ----

  sandboxes(): Promise<Sandbox[]> {
    return this.#calls.list('GET /sandboxes', {});
  }
  sandbox(id: string): Promise<Sandbox> {
    return this.#calls.shown('GET /sandboxes/{id}', { path: { id } });
  }
  createSandbox(json: SandboxConfig): Promise<Sandbox> {
    return this.#calls.shown('POST /sandboxes', { json });
  }
  pauseSandbox(id: string): Promise<Sandbox> {
    return this.#calls.shown('POST /sandboxes/{id}/pause', { path: { id } });
  }
  resumeSandbox(id: string): Promise<Sandbox> {
    return this.#calls.shown('POST /sandboxes/{id}/resume', { path: { id } });
  }
  async endSandbox(id: string): Promise<void> {
    await this.#calls.exact('DELETE /sandboxes/{id}', { path: { id } });
  }
  /** Ends a sandbox, then deletes its files, outputs and history for good. */
  async forgetSandbox(id: string): Promise<Forgotten> {
    return (await this.#calls.exact('DELETE /sandboxes/{id}', { path: { id }, query: { forget: true } })) as Forgotten;
  }
  whenReady(id: string): Promise<Sandbox> {
    return this.#calls.shown('GET /sandboxes/{id}', { path: { id }, query: { waitFor: 'ready', timeoutMs: 60_000 } });
  }
  /** Starts the guided first task, in a page of this size. */
  demo(viewport: Viewport): Promise<Demo> {
    return this.#calls.shown('POST /demo', { json: { viewport } });
  }

  // ---- tasks ----

  tasks(): Promise<Task[]> {
    return this.#calls.list('GET /tasks', {});
  }
  task(taskId: string): Promise<Task> {
    return this.#calls.shown('GET /tasks/{taskId}', { path: { taskId } });
  }
  /** Refused as starting the task would be, with the place in the text; starts nothing. */
  checkPlaybook(json: PlaybookCheck): Promise<CheckedPlaybook> {
    return this.#calls.shown('POST /playbooks/check', { json });
  }
  startTask(id: string, json: TaskRequest): Promise<Started> {
    return this.#calls.shown('POST /sandboxes/{id}/tasks', { path: { id }, json });
  }
  /** Writes to the agent of a task; it reads it before its next step. */
  writeToTask(taskId: string, text: string): Promise<Task> {
    return this.#calls.shown('POST /tasks/{taskId}/messages', { path: { taskId }, json: { text } });
  }
  /** Answers the steps of a task that is over, as a playbook: YAML. */
  async taskPlaybook(taskId: string): Promise<string> {
    return (await this.#calls.open('GET /tasks/{taskId}/playbook', { path: { taskId } })).text();
  }
  cancelTask(taskId: string): Promise<Task> {
    return this.#calls.shown('POST /tasks/{taskId}/cancel', { path: { taskId } });
  }
  /** Everything that a task left, as one zip. */
  bundlePath(taskId: string): string {
    return addressOf('GET /tasks/{taskId}/bundle', { path: { taskId } });
  }
  bundleUrl(taskId: string): Promise<Link> {
    return this.#calls.shown('GET /tasks/{taskId}/bundle/url', { path: { taskId } });
  }
  /** Answers the events of a sandbox after the one with id `after`, oldest first. */
  async events(id: string, after: string | null): Promise<Event[]> {
    const all: Event[] = [];
    let last = after;
    for (;;) {
      const query = { limit: PAGE, ...(last === null ? {} : { after: last }) };
      const page = await this.#calls.shown('GET /sandboxes/{id}/events', { path: { id }, query });
      const read = page.data.map(readEvent).filter((event) => event !== null);
      all.push(...read);
      const newest = read.at(-1)?.id ?? null;
      if (page.data.length < PAGE || newest === null || newest === last) return all;
      last = newest;
    }
  }

  // ---- people ----

  handoff(id: string): Promise<HandoffEnvelope> {
    return this.#calls.shown('GET /sandboxes/{id}/handoff', { path: { id } });
  }
  completeHandoff(id: string, note: string | null): Promise<HandoffEnvelope> {
    return this.#calls.shown('POST /sandboxes/{id}/handoff/complete', { path: { id }, json: note === null ? {} : { note } });
  }
  /** Fills in a sign-in of the vault for the person who was asked, and completes the request. */
  signInAtHandoff(id: string, credentialId: string): Promise<HandoffEnvelope> {
    return this.#calls.shown('POST /sandboxes/{id}/handoff/sign-in', { path: { id }, json: { credentialId } });
  }
  /** Answers the sign-ins that a person typed here and may keep. */
  async signInOffers(id: string): Promise<SignInOffer[]> {
    return (await this.#calls.shown('GET /sandboxes/{id}/sign-in-offers', { path: { id } })).data;
  }
  answerSignInOffer(id: string, offerId: string, json: SignInAnswer): Promise<SignInAnswered> {
    return this.#calls.shown('POST /sandboxes/{id}/sign-in-offers/{offerId}', { path: { id, offerId }, json });
  }
  cancelHandoff(id: string): Promise<HandoffEnvelope> {
    return this.#calls.shown('POST /sandboxes/{id}/handoff/cancel', { path: { id }, json: {} });
  }
  decide(approvalId: string, json: ApprovalDecision): Promise<Approval> {
    return this.#calls.shown('POST /approvals/{approvalId}', { path: { approvalId }, json });
  }
  async grants(): Promise<Grant[]> {
    return (await this.#calls.shown('GET /grants', { query: { limit: PAGE } })).data;
  }
  revoke(grantId: string): Promise<Grant> {
    return this.#calls.shown('DELETE /grants/{grantId}', { path: { grantId } });
  }
  async rules(): Promise<Rule[]> {
    return (await this.#calls.shown('GET /rules')).rules;
  }
  async keepRules(rules: Rule[]): Promise<Rule[]> {
    return (await this.#calls.shown('PUT /rules', { json: { rules } })).rules;
  }

  // ---- webhooks ----

  webhooks(): Promise<Webhook[]> {
    return this.#calls.list('GET /webhooks', {});
  }
  createWebhook(json: NewWebhook): Promise<WebhookSecret> {
    return this.#calls.shown('POST /webhooks', { json });
  }
  patchWebhook(webhookId: string, json: WebhookPatch): Promise<Webhook> {
    return this.#calls.shown('PATCH /webhooks/{webhookId}', { path: { webhookId }, json });
  }
  deleteWebhook(webhookId: string): Promise<Webhook> {
    return this.#calls.shown('DELETE /webhooks/{webhookId}', { path: { webhookId } });
  }
  /** Makes a new secret; the one before is good for another day. */
  rotateWebhookSecret(webhookId: string): Promise<WebhookSecret> {
    return this.#calls.shown('POST /webhooks/{webhookId}/rotate', { path: { webhookId }, json: {} });
  }
  testWebhook(webhookId: string): Promise<Delivery> {
    return this.#calls.shown('POST /webhooks/{webhookId}/test', { path: { webhookId } });
  }
  /** Answers the latest deliveries. */
  async deliveries(webhookId: string): Promise<Delivery[]> {
    return (await this.#calls.shown('GET /webhooks/{webhookId}/deliveries', { path: { webhookId }, query: { limit: 50 } })).data;
  }
  resendDelivery(webhookId: string, deliveryId: string): Promise<Delivery> {
    return this.#calls.shown('POST /webhooks/{webhookId}/deliveries/{deliveryId}/resend', { path: { webhookId, deliveryId } });
  }

  // ---- commands, terminals ----

  /** Runs code in the sandbox; answers when it has ended. */
  runCode(id: string, language: CodeLanguage, code: string): Promise<ExecResult> {
    return this.#calls.shown('POST /sandboxes/{id}/code', { path: { id }, json: { language, code } });
  }
  /** Makes another document of a file; answers the paths of what was made. */
  async convert(id: string, path: string, to: DocumentFormat): Promise<string[]> {
    return (await this.#calls.exact('POST /sandboxes/{id}/documents/convert', { path: { id }, json: { path, to } })).paths;
  }
  /** Answers the terminals that are kept with a sandbox. */
  async terminals(id: string): Promise<{ name: string }[]> {
    return (await this.#calls.shown('GET /sandboxes/{id}/terminals', { path: { id } })).data;
  }
  async closeTerminal(id: string, name: string): Promise<void> {
    await this.#calls.open('DELETE /sandboxes/{id}/terminals/{name}', { path: { id, name } });
  }

  // ---- files: names and paths as they are, for the routes that read and write them ----

  async files(id: string): Promise<FileEntry[]> {
    return (await this.#calls.exact('GET /sandboxes/{id}/fs/list', { path: { id }, query: { path: '/workspace', recursive: true } })).data;
  }
  /** Finds files by their names, and with `content` by what they say. */
  searchFiles(id: string, q: string, content: boolean): Promise<FileMatches> {
    return this.#calls.exact('GET /sandboxes/{id}/fs/search', { path: { id }, query: { q, content, limit: 200 } });
  }
  /** Answers how much of the disk a sandbox takes. */
  holdings(id: string): Promise<Holdings> {
    return this.#calls.shown('GET /sandboxes/{id}/fs/usage', { path: { id } });
  }
  /** Moves a file or folder into the trash; answers its name there. */
  async trashFile(id: string, path: string): Promise<string> {
    // With `trash` it always has a name there.
    return (await this.#calls.exact('DELETE /sandboxes/{id}/fs', { path: { id }, query: { path, trash: true } })).trashId ?? '';
  }
  /** Deletes a file or folder for good. */
  async deleteFile(id: string, path: string): Promise<void> {
    await this.#calls.exact('DELETE /sandboxes/{id}/fs', { path: { id }, query: { path, recursive: true } });
  }
  restoreFile(id: string, trashId: string): Promise<FileEntry> {
    return this.#calls.exact('POST /sandboxes/{id}/fs/trash/{trashId}/restore', { path: { id, trashId } });
  }
  emptyTrash(id: string): Promise<{ freedBytes: number }> {
    return this.#calls.shown('DELETE /sandboxes/{id}/fs/trash', { path: { id } });
  }
  statFile(id: string, path: string): Promise<FileEntry> {
    return this.#calls.exact('GET /sandboxes/{id}/fs/stat', { path: { id }, query: { path } });
  }
  filePath(id: string, path: string): string {
    return addressOf('GET /sandboxes/{id}/fs/read', { path: { id }, query: { path } });
  }
  /** Reads a file, or a part of it. A part beyond its end is empty. */
  async readFile(id: string, path: string, part?: Part): Promise<Uint8Array<ArrayBuffer>> {
    const headers: Record<string, string> = part === undefined ? {} : { range: rangeOf(part) };
    try {
      return await bytesOf(await this.#calls.open('GET /sandboxes/{id}/fs/read', { path: { id }, query: { path }, headers }));
    } catch (refusal) {
      if (part !== undefined && refusal instanceof Refused && refusal.status === 416) return new Uint8Array();
      throw refusal;
    }
  }
  async writeFile(id: string, path: string, bytes: Blob): Promise<void> {
    await this.#calls.exact('PUT /sandboxes/{id}/fs/write', { path: { id }, query: { path }, bytes });
  }
  /** Answers how many first bytes of what stands at an address of the runtime. */
  beginning(address: string, length: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#calls.beginning(address, length);
  }

  // ---- outputs, the past ----

  artifacts(id: string): Promise<Artifact[]> {
    return this.#calls.list('GET /sandboxes/{id}/artifacts', { path: { id } });
  }
  /** Finds kept results by their names, the newest first. */
  async findArtifacts(q: string): Promise<Artifact[]> {
    return (await this.#calls.shown('GET /artifacts', { query: { q, limit: 10 } })).data;
  }
  /** Keeps a file of the workspace as a result. */
  saveArtifact(id: string, path: string): Promise<Artifact> {
    return this.#calls.shown('POST /sandboxes/{id}/artifacts', { path: { id }, json: { path } });
  }
  deleteArtifact(key: string): Promise<Artifact> {
    return this.#calls.shown('DELETE /artifacts/{key}', { path: { key } });
  }
  artifactPath(key: string): string {
    return addressOf('GET /artifacts/{key}/content', { path: { key } });
  }
  artifactUrl(key: string): Promise<Link> {
    return this.#calls.shown('GET /artifacts/{key}/url', { path: { key } });
  }
  checkpoints(id: string): Promise<Checkpoint[]> {
    return this.#calls.list('GET /sandboxes/{id}/checkpoints', { path: { id } });
  }
  createCheckpoint(id: string): Promise<Checkpoint> {
    return this.#calls.shown('POST /sandboxes/{id}/checkpoints', { path: { id }, json: {} });
  }
  /** Answers how the files differ from a checkpoint. */
  compareCheckpoint(id: string, checkpointId: string): Promise<CheckpointDiff> {
    return this.#calls.shown('GET /sandboxes/{id}/checkpoints/{checkpointId}/diff', { path: { id, checkpointId } });
  }
  /** Reads a file as it was at a checkpoint; `null` where it was not there then. */
  async checkpointFile(id: string, checkpointId: string, path: string): Promise<Uint8Array<ArrayBuffer> | null> {
    try {
      return await bytesOf(await this.#calls.open('GET /sandboxes/{id}/checkpoints/{checkpointId}/file', { path: { id, checkpointId }, query: { path } }));
    } catch (refusal) {
      if (refusal instanceof Refused && refusal.status === 404) return null;
      throw refusal;
    }
  }
  /** Makes the sandbox as it was at a checkpoint. */
  restoreCheckpoint(id: string, checkpointId: string): Promise<Sandbox> {
    return this.#calls.shown('POST /sandboxes/{id}/checkpoints/{checkpointId}/restore', { path: { id, checkpointId } });
  }
  deleteCheckpoint(id: string, checkpointId: string): Promise<Checkpoint> {
    return this.#calls.shown('DELETE /sandboxes/{id}/checkpoints/{checkpointId}', { path: { id, checkpointId } });
  }
  /** Lists what was recorded of a sandbox, oldest first. */
  async recordings(id: string): Promise<Recording[]> {
    return (await this.#calls.shown('GET /sandboxes/{id}/recordings', { path: { id } })).data;
  }
  /** Reads the whole of a recording, as it is by now. */
  async recording(key: string): Promise<Blob> {
    const response = await this.#calls.open('GET /artifacts/{key}/content', { path: { key } });
    return new Blob([await response.arrayBuffer()], { type: 'video/mp4' });
  }
  /** Reads the picture of a step, by the name that its event has. */
  async picture(name: string): Promise<Blob> {
    return (await this.#calls.open('GET /pictures/{picture}', { path: { picture: name } })).blob();
  }
  async search(q: string): Promise<Hit[]> {
    return (await this.#calls.shown('GET /search', { query: { q, limit: 20 } })).data;
  }

  // ---- the live view ----

  /** Gives the page another size, in CSS pixels. */
  resize(id: string, size: Viewport): Promise<Preview> {
    return this.#calls.shown('POST /sandboxes/{id}/preview/resize', { path: { id }, json: size });
  }
  /** Reads where a sandbox went, the most bytes first. */
  async destinations(id: string): Promise<NetworkDestination[]> {
    return (await this.#calls.shown('GET /sandboxes/{id}/network', { path: { id } })).data;
  }
  /** Starts a browser that is stopped. */
  startBrowser(id: string): Promise<Preview> {
    return this.#calls.shown('POST /sandboxes/{id}/preview/start', { path: { id } });
  }
  viewerUrl(id: string, mode: ViewerMode): Promise<ViewerLink> {
    return this.#calls.shown('POST /sandboxes/{id}/preview/viewer-url', { path: { id }, json: { mode } });
  }
  /** Makes addresses at which programs that speak the debugging protocol drive the browser. */
  debuggingUrl(id: string): Promise<DebuggingUrl> {
    return this.#calls.shown('POST /sandboxes/{id}/cdp-url', { path: { id }, json: {} });
  }

  // ---- the machine, models, sign-ins ----

  async checks(): Promise<Check[]> {
    return (await this.#calls.shown('GET /doctor')).data;
  }
  /** Answers the models that a prompt could go to. */
  async models(): Promise<ModelInfo[]> {
    return (await this.#calls.shown('GET /models')).data;
  }
  keepModel(name: string, json: ModelSettings): Promise<ModelInfo> {
    return this.#calls.shown('PUT /models/{name}', { path: { name }, json });
  }
  async forgetModel(name: string): Promise<void> {
    await this.#calls.open('DELETE /models/{name}', { path: { name } });
  }
  /** Asks the model for a word; what it says instead is part of the answer. */
  testModel(name: string): Promise<ModelTest> {
    return this.#calls.shown('POST /models/{name}/test', { path: { name } });
  }
  /** Answers the entries of the vault, without their values. */
  credentials(): Promise<Credential[]> {
    return this.#calls.list('GET /credentials', {}, Infinity);
  }
  saveCredential(json: NewCredential): Promise<Credential> {
    return this.#calls.shown('POST /credentials', { json });
  }
  /** Saves what a browser or a password manager exported. */
  importCredentials(csv: string): Promise<ImportedCredentials> {
    return this.#calls.shown('POST /credentials/import', { json: { csv } });
  }
  changeCredential(credentialId: string, json: CredentialPatch): Promise<Credential> {
    return this.#calls.shown('PATCH /credentials/{credentialId}', { path: { credentialId }, json });
  }
  passwordManagers(): Promise<PasswordManager[]> {
    return this.#calls.list('GET /password-managers', {}, Infinity);
  }

  /** Connects one, opened with its master password if there is one, or lists its sign-ins again. */
  connectPasswordManager(source: CredentialSource, passphrase: string | null): Promise<PasswordManager> {
    return this.#calls.shown('POST /password-managers/{source}', { path: { source }, json: passphrase === null ? {} : { passphrase } });
  }

  async disconnectPasswordManager(source: CredentialSource): Promise<void> {
    await this.#calls.open('DELETE /password-managers/{source}', { path: { source } });
  }

  async deleteCredential(credentialId: string): Promise<void> {
    await this.#calls.open('DELETE /credentials/{credentialId}', { path: { credentialId } });
  }
  keyStorage(): Promise<KeyStorage> {
    return this.#calls.shown('GET /keys');
  }
  unlockKeys(passphrase: string): Promise<KeyStorage> {
    return this.#calls.shown('POST /keys/unlock', { json: { passphrase } });
  }
  /** Answers where the runtime keeps its data and where its program lies, or `null` where it does not say. */
  async runtime(): Promise<RuntimeInfo | null> {
    try {
      return await this.#calls.shown('GET /runtime');
    } catch (refusal) {
      if (refusal instanceof Refused && refusal.status === 404) return null;
      throw refusal;
    }
  }
  health(): Promise<Health> {
    return this.#calls.shown('GET /health');
  }
}
