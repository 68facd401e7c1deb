/**
 * What the person at this page makes of the jobs: names, the archive, what was begun here, and what is being deleted.
 *
 * Kept in the page's own storage. A deletion waits until it can no longer be undone; a page that closes before deletes nothing.
 */
import type { Sandbox } from '../types';
import { titleIn } from '../core/groups';
import { plainName } from '../core/plain';
import { ALL, type Kept, type Wanted } from '../core/worklist';
import { count } from '../core/time';
import { readKept } from './kept';
import type { Session } from './session.svelte';

const KEY = 'baton.jobs';
/** As long as the notice with its "Undo" stands. */
const UNDO_MS = 15_000;
/** The newest of what was begun here are remembered. */
const MINE_MAX = 2_000;

export class Jobs implements Kept {
  mine = $state.raw<ReadonlySet<string>>(new Set());
  archived = $state.raw<ReadonlySet<string>>(new Set());
  leaving = $state.raw<ReadonlySet<string>>(new Set());
  wanted = $state.raw<Wanted>(ALL);

  readonly #session: Session;
  #names: ReadonlyMap<string, string> = new Map();

  constructor(session: Session) {
    this.#session = session;
    const kept = readKept(KEY);
    this.mine = new Set(strings(kept.mine));
    this.archived = new Set(strings(kept.archived));
    this.#names = new Map(Object.entries(Object(kept.names)).filter((each): each is [string, string] => typeof each[1] === 'string'));
    session.name(this.#names);
  }

  /** Remembers that a job was begun here. */
  begun(sandboxId: string): void {
    this.mine = new Set([...[...this.mine].slice(1 - MINE_MAX), sandboxId]);
    this.#save();
  }

  /** Calls a job by a name of the person's own; an empty one gives it its own name back. */
  rename(sandboxId: string, name: string): void {
    const names = new Map(this.#names);
    const plain = plainName(name).slice(0, 120);
    if (plain === '') names.delete(sandboxId);
    else names.set(sandboxId, plain);
    this.#names = names;
    this.#session.name(names);
    this.#save();
  }

  /** Puts jobs away, and says so with a way back. */
  archive(ids: readonly string[]): void {
    const before = this.archived;
    this.archived = new Set([...before, ...ids]);
    this.#save();
    this.#session.say(`Archived ${this.#called(ids)}.`, { label: 'Undo', run: () => this.unarchive(ids) });
  }

  unarchive(ids: readonly string[]): void {
    this.archived = new Set([...this.archived].filter((id) => !ids.includes(id)));
    this.#save();
  }

  /** Deletes jobs once the person can no longer change their mind. */
  remove(ids: readonly string[]): void {
    this.leaving = new Set([...this.leaving, ...ids]);
    const staying = () => (this.leaving = new Set([...this.leaving].filter((id) => !ids.includes(id))));
    const timer = setTimeout(() => {
      void Promise.all(ids.map((id) => this.#session.forget(id))).then(() => {
        staying();
        for (const id of ids) this.#drop(id);
      });
    }, UNDO_MS);
    this.#session.say(`Deleted ${this.#called(ids)}.`, {
      label: 'Undo',
      run: () => {
        clearTimeout(timer);
        staying();
      },
    });
  }

  #drop(id: string): void {
    this.archived = new Set([...this.archived].filter((each) => each !== id));
    this.mine = new Set([...this.mine].filter((each) => each !== id));
    this.#names = new Map([...this.#names].filter(([each]) => each !== id));
    this.#save();
  }

  #called(ids: readonly string[]): string {
    const sandbox: Sandbox | undefined = this.#session.world.sandboxes.get(ids[0] ?? '');
    return ids.length === 1 && sandbox !== undefined ? `“${titleIn(this.#session.world, sandbox)}”` : count(ids.length, 'job');
  }

  #save(): void {
    localStorage.setItem(KEY, JSON.stringify({ names: Object.fromEntries(this.#names), archived: [...this.archived], mine: [...this.mine] }));
  }
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
}
