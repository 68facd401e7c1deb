/**
 * The one owner of what the interface knows and is doing.
 *
 * Events arrive first and say what is stale; what is stale is asked for again, each object once at a time. Rules live in `core`;
 * this file only carries answers into the world and keeps the few facts of the page: what is selected, what is put off, the time.
 */
import { groups, needsCount, titleIn } from '../core/groups';
import { askSentence } from '../core/approval';
import { needsSentence } from '../core/frame';
import { baseName } from '../core/files';
import { fileName, plainDeep, plainName, visibleName } from '../core/plain';
import { HEAD, runsWhenOpened } from '../core/viewer';
import { problemSentence } from '../core/problem';
import { EMPTY, missingAfter, reduce, staleAfter, type Change, type World } from '../core/world';
import type { Clock } from '../core/time';
import type { EventStream, EventStreamState, Host } from '../host/types';
import { Unreachable } from '../host/types';
import type { Event } from '../core/event';
import type { ModelInfo } from '../types';
import { Client, Refused } from './client';
import { Preferences } from './preferences.svelte';

const DRIVEN_KEY = 'baton.driven';

function drivenBefore(): ReadonlySet<string> {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(DRIVEN_KEY) ?? '[]');
    return new Set(Array.isArray(kept) ? kept.filter((id) => typeof id === 'string') : []);
  } catch {
    return new Set();
  }
}

export class Session {
  readonly host: Host;
  readonly client: Client;
  readonly preferences = new Preferences();

  world = $state.raw<World>(EMPTY);
  /** The sandbox in the middle. */
  selected = $state<string | null>(null);
  /** What a search led to, until it is shown: an event of a story by its time. */
  goal = $state.raw<{ sandboxId: string; at: number } | null>(null);
  /** Sandboxes whose request was put off with "Not now". */
  quiet = $state.raw<ReadonlySet<string>>(new Set());
  /** The sandbox that is driven from this page. */
  driven = $state<string | null>(null);
  /** The moment of a sandbox's past that is looked at; `null` for the present. */
  moment = $state.raw<{ sandboxId: string; at: number } | null>(null);
  /** Requests for which the person at this page drove. */
  mine = $state.raw<ReadonlySet<string>>(drivenBefore());
  connection = $state.raw<EventStreamState>({ kind: 'connected' });
  /** Whether the lists were answered once. */
  loaded = $state(false);
  models = $state.raw<ModelInfo[]>([]);
  now = $state(Date.now());
  /** Counts changes of the selected workspace: files are listed again when it moves. */
  filesMoved = $state(0);
  /** A file that waits for the person's word before it leaves the sandbox: it may run something when it is opened. */
  leaving = $state.raw<{ name: string; save: () => Promise<void> } | null>(null);
  /** A sentence about something that did not work; goes away by itself. */
  notice = $state<string | null>(null);
  /** What can be done about it, such as undoing it. */
  noticeAct = $state.raw<{ label: string; run: () => void } | null>(null);
  /** What a screen reader is told. */
  announced = $state('');

  clock = $derived<Clock>({ now: this.now, offsetMinutes: -new Date(this.now).getTimezoneOffset() });
  groups = $derived(groups(this.world, this.clock, { quiet: this.quiet, driven: this.driven }));
  needs = $derived(needsCount(this.groups));

  #stream: EventStream | null = null;
  #ticker: ReturnType<typeof setInterval> | null = null;
  #noticeTimer: ReturnType<typeof setTimeout> | null = null;
  readonly #asking = new Map<string, { again: boolean }>();
  /** Events that came before the next frame: applied together, so that a burst costs one rendering. */
  #arrived: Event[] = [];

  constructor(host: Host) {
    this.host = host;
    this.client = new Client(host.transport);
  }

  /** Begins to follow the runtime; the disposer ends it. */
  start(): () => void {
    this.#stream = this.host.events(null, (event) => this.#arrive(plainDeep(event)), (state) => this.#connected(state));
    this.#ticker = setInterval(() => (this.now = Date.now()), 1_000);
    const stopChoosing = this.host.onChosen((sandboxId) => void this.open(sandboxId));
    void this.refresh();
    return () => {
      stopChoosing();
      this.#stream?.close();
      if (this.#ticker !== null) clearInterval(this.#ticker);
    };
  }

  retryNow(): void {
    this.#stream?.retryNow();
  }

  /** Asks for everything that the list shows. */
  async refresh(): Promise<void> {
    await this.#once('lists', async () => {
      const [sandboxes, tasks, models] = await Promise.all([this.client.sandboxes(), this.client.tasks(), this.client.models()]);
      this.#apply({ kind: 'sandboxes', sandboxes });
      this.#apply({ kind: 'tasks', tasks });
      this.models = models;
      this.loaded = true;
      const live = sandboxes.filter((sandbox) => sandbox.status !== 'ended' && sandbox.status !== 'failed');
      for (const sandbox of live) void this.loadEvents(sandbox.id);
      if (this.selected !== null) void this.open(this.selected);
    });
  }

  /** Puts a sandbox in the middle and asks for its story and results. */
  async open(sandboxId: string): Promise<void> {
    if (this.selected !== sandboxId) this.selected = sandboxId;
    await Promise.all([this.loadEvents(sandboxId), this.#loadArtifacts(sandboxId)]);
  }

  /** Asks for the events that are missing. */
  async loadEvents(sandboxId: string): Promise<void> {
    await this.#once(`events ${sandboxId}`, async () => {
      const known = this.world.events.get(sandboxId) ?? [];
      const gap = missingAfter(known);
      const after = gap === null ? known.at(-1) : known[gap - 1];
      const events = await this.client.events(sandboxId, after?.id ?? null);
      this.#apply({ kind: 'events', events });
    });
  }

  /** Calls jobs by names of the person's own. */
  name(names: ReadonlyMap<string, string>): void {
    this.#apply({ kind: 'named', names });
  }

  /** Deletes a sandbox with its files, results and history; answers how many bytes that was, or `null` when it was refused. */
  async forget(sandboxId: string): Promise<number | null> {
    let freed: number | null = null;
    await this.attempt(async () => {
      freed = (await this.client.forgetSandbox(sandboxId)).freedBytes;
      this.#apply({ kind: 'forgotten', sandboxId });
      if (this.selected === sandboxId) this.selected = null;
    });
    return freed;
  }

  /** Moves a file or folder into the trash, and says so with a way back. */
  async trashFile(sandboxId: string, path: string): Promise<void> {
    await this.attempt(async () => {
      const trashId = await this.client.trashFile(sandboxId, path);
      this.filesMoved += 1;
      const undo = () =>
        void this.attempt(async () => {
          const back = await this.client.restoreFile(sandboxId, trashId);
          this.filesMoved += 1;
          this.say(`${visibleName(back.path)} is back.`);
        });
      this.say(`Deleted ${visibleName(baseName(path))}.`, { label: 'Undo', run: undo });
    });
  }

  /** Saves a file of the workspace on the person's computer; asks first about one that runs when it is opened. */
  exportFile(sandboxId: string, path: string): Promise<void> {
    const route = this.client.filePath(sandboxId, path);
    return this.export(route, baseName(path), () => this.#saveFrom(route, baseName(path)));
  }

  /** Saves a result on the person's computer, asked about as a file is. */
  exportArtifact({ key, name }: { key: string; name: string }): Promise<void> {
    const route = this.client.artifactPath(key);
    return this.export(route, name, async () => {
      if (this.host.platform.kind === 'desktop') await this.#saveFrom(route, name);
      // The browser downloads from an address, so that nothing large passes through the page.
      else await this.host.openExternal((await this.client.artifactUrl(key)).url);
    });
  }

  /** Saves everything that a task left, as one zip. */
  async exportBundle({ id, title }: { id: string; title: string }): Promise<void> {
    await this.attempt(async () => {
      if (this.host.platform.kind === 'desktop') await this.#saveFrom(this.client.bundlePath(id), `${title}.zip`);
      else await this.host.openExternal((await this.client.bundleUrl(id)).url);
    });
  }

  /** As [`Session.exportFile`], for what any route answers and however it is saved. */
  async export(route: string, name: string, save: () => Promise<void>): Promise<void> {
    await this.attempt(async () => {
      const head = await this.client.beginning(route, HEAD);
      if (runsWhenOpened(fileName(name), head)) this.leaving = { name: visibleName(name), save };
      else await save();
    });
  }

  /** Answers what was asked about the file that waits. */
  async let(leaves: boolean): Promise<void> {
    const { leaving } = this;
    this.leaving = null;
    if (leaves && leaving !== null) await this.attempt(leaving.save);
  }

  async #saveFrom(route: string, name: string): Promise<void> {
    const where = await this.host.saveFrom(route, fileName(name));
    if (where !== null) this.say(`Saved to ${plainName(where)}`);
  }

  putOff(sandboxId: string): void {
    this.quiet = new Set([...this.quiet, sandboxId]);
  }

  /** Notes that the person at this page drives for a request; the tab remembers it. */
  noteDriven(requestId: string): void {
    if (this.mine.has(requestId)) return;
    this.mine = new Set([...[...this.mine].slice(-200), requestId]);
    sessionStorage.setItem(DRIVEN_KEY, JSON.stringify([...this.mine]));
  }

  /** Runs something that may be refused; answers whether it went through. A refusal is said, not thrown. */
  async attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (cause) {
      // A runtime that does not answer is shown by the frame, which also says that it is tried again.
      if (!(cause instanceof Unreachable)) this.say(cause instanceof Refused ? problemSentence(cause.problem) : String(cause));
      return false;
    }
  }

  /** Shows a sentence for a while, with what can be done about it. */
  say(words: string, act: { label: string; run: () => void } | null = null): void {
    this.notice = words;
    this.noticeAct = act;
    if (this.#noticeTimer !== null) clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(() => (this.notice = null), act === null ? 8_000 : 15_000);
  }

  #arrive(event: Event): void {
    if (this.#arrived.length === 0) setTimeout(() => this.#applyArrived(), 16);
    this.#arrived.push(event);
  }

  #applyArrived(): void {
    const events = this.#arrived;
    this.#arrived = [];
    this.#apply({ kind: 'events', events });
    const sandboxes = new Set<string>();
    const tasks = new Set<string>();
    const artifacts = new Set<string>();
    for (const event of events) {
      const stale = staleAfter(event);
      if (stale.sandbox) sandboxes.add(event.sandboxId);
      if (stale.task !== null) tasks.add(stale.task);
      if (stale.artifacts) artifacts.add(event.sandboxId);
      if (stale.files && event.sandboxId === this.selected) this.filesMoved += 1;
      if (event.type === 'sandbox.handoff.requested' || event.type === 'sandbox.approval.requested') void this.#tellOfRequest(event);
    }
    for (const id of sandboxes) {
      void this.#loadSandbox(id);
      if (missingAfter(this.world.events.get(id) ?? []) !== null) void this.loadEvents(id);
    }
    for (const id of tasks) void this.#once(`task ${id}`, async () => this.#apply({ kind: 'tasks', tasks: [await this.client.task(id)] }));
    for (const id of artifacts) void this.#loadArtifacts(id);
  }

  #connected(state: EventStreamState): void {
    this.connection = state;
    // What happened before the events were followed shows only in the lists.
    if (state.kind === 'connected') void this.refresh();
  }

  async #tellOfRequest(event: Event): Promise<void> {
    this.quiet = new Set([...this.quiet].filter((id) => id !== event.sandboxId));
    if (event.by === 'person') return;
    const sandbox = await this.client.sandbox(event.sandboxId).catch(() => null);
    if (sandbox === null) return;
    const approval = sandbox.approvals.at(-1);
    const handoff = sandbox.handoff?.status === 'pending' ? sandbox.handoff : null;
    if (approval === undefined && handoff === null) return;
    this.#apply({ kind: 'sandboxes', sandboxes: [sandbox] });
    const title = titleIn(this.world, sandbox);
    const body = approval === undefined ? needsSentence(handoff) : `Asks you: ${askSentence(approval)}`;
    this.announced = `${title}. ${body}`;
    if (!this.preferences.notify) return;
    await this.host.notify({ tag: sandbox.id, title, body, onChosen: () => void this.open(sandbox.id) }).catch(() => false);
  }

  async #loadSandbox(id: string): Promise<void> {
    await this.#once(`sandbox ${id}`, async () => this.#apply({ kind: 'sandboxes', sandboxes: [await this.client.sandbox(id)] }));
  }

  async #loadArtifacts(sandboxId: string): Promise<void> {
    await this.#once(`artifacts ${sandboxId}`, async () => {
      const artifacts = await this.client.artifacts(sandboxId);
      this.#apply({ kind: 'artifacts', sandboxId, artifacts });
    });
  }

  /** Asks once at a time; a wish that comes meanwhile is asked once more afterwards. */
  async #once(what: string, ask: () => Promise<void>): Promise<void> {
    const asking = this.#asking.get(what);
    if (asking !== undefined) {
      asking.again = true;
      return;
    }
    const mine = { again: true };
    this.#asking.set(what, mine);
    try {
      while (mine.again) {
        mine.again = false;
        await this.attempt(ask);
      }
    } finally {
      this.#asking.delete(what);
    }
  }

  #apply(change: Change): void {
    this.world = reduce(this.world, change);
  }
}
