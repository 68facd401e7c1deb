/**
 * What the interface knows: the runtime's objects and the events that were seen, as one value.
 *
 * Objects are never patched from events: an event says that an object changed, and the object is asked for again. So what is
 * shown is always what the runtime said whole.
 */
import type { Artifact, Sandbox, Task } from '../types';
import type { Event } from './event';

export interface World {
  sandboxes: ReadonlyMap<string, Sandbox>;
  tasks: ReadonlyMap<string, Task>;
  /** Per sandbox, ascending by `seq`, each once. */
  events: ReadonlyMap<string, readonly Event[]>;
  artifacts: ReadonlyMap<string, readonly Artifact[]>;
  /** Names that the person at this page gave to jobs, by sandbox. */
  names: ReadonlyMap<string, string>;
}

export type Change =
  | { kind: 'sandboxes'; sandboxes: readonly Sandbox[] }
  | { kind: 'tasks'; tasks: readonly Task[] }
  | { kind: 'events'; events: readonly Event[] }
  | { kind: 'artifacts'; sandboxId: string; artifacts: readonly Artifact[] }
  /** Jobs have these names of the person's own, and no others. */
  | { kind: 'named'; names: ReadonlyMap<string, string> }
  /** A sandbox was deleted, with all that belongs to it. */
  | { kind: 'forgotten'; sandboxId: string };

export const EMPTY: World = { sandboxes: new Map(), tasks: new Map(), events: new Map(), artifacts: new Map(), names: new Map() };

/** Returns the world after a change. An object older than the one that is known changes nothing. */
export function reduce(world: World, change: Change): World {
  switch (change.kind) {
    case 'sandboxes': {
      const sandboxes = new Map(world.sandboxes);
      for (const sandbox of change.sandboxes) {
        const known = sandboxes.get(sandbox.id);
        if (known === undefined || known.updatedAt <= sandbox.updatedAt) sandboxes.set(sandbox.id, sandbox);
      }
      return { ...world, sandboxes };
    }
    case 'tasks': {
      const tasks = new Map(world.tasks);
      for (const task of change.tasks) {
        const known = tasks.get(task.id);
        // A task that ended does not begin again: a late answer to an early question is dropped.
        if (known === undefined || known.endedAt == null || task.endedAt != null) tasks.set(task.id, task);
      }
      return { ...world, tasks };
    }
    case 'events': {
      const events = new Map(world.events);
      for (const [sandboxId, fresh] of bySandbox(change.events)) {
        events.set(sandboxId, merged(events.get(sandboxId) ?? [], fresh));
      }
      return { ...world, events };
    }
    case 'artifacts': {
      const artifacts = new Map(world.artifacts);
      artifacts.set(change.sandboxId, change.artifacts);
      return { ...world, artifacts };
    }
    case 'named':
      return { ...world, names: change.names };
    case 'forgotten': {
      const without = <T>(map: ReadonlyMap<string, T>) => new Map([...map].filter(([id]) => id !== change.sandboxId));
      return {
        sandboxes: without(world.sandboxes),
        tasks: new Map([...world.tasks].filter(([, task]) => task.sandboxId !== change.sandboxId)),
        events: without(world.events),
        artifacts: without(world.artifacts),
        names: without(world.names),
      };
    }
  }
}

function bySandbox(events: readonly Event[]): Map<string, Event[]> {
  const groups = new Map<string, Event[]>();
  for (const event of events) {
    const group = groups.get(event.sandboxId);
    if (group === undefined) groups.set(event.sandboxId, [event]);
    else group.push(event);
  }
  return groups;
}

function merged(known: readonly Event[], fresh: readonly Event[]): readonly Event[] {
  const lastKnown = known.at(-1)?.seq ?? 0;
  const sorted = [...fresh].sort((a, b) => a.seq - b.seq);
  const inOrder = sorted.every((event, i) => event.seq > (sorted[i - 1]?.seq ?? lastKnown));
  if (inOrder) return [...known, ...sorted];
  const all = new Map(known.map((event) => [event.seq, event]));
  for (const event of fresh) all.set(event.seq, event);
  return [...all.values()].sort((a, b) => a.seq - b.seq);
}

/** Returns the number after which events are missing, or `null` when none are: they are numbered from 1 without gaps. */
export function missingAfter(events: readonly Event[]): number | null {
  for (let i = 0; i < events.length; i += 1) {
    if (events[i]!.seq !== i + 1) return i;
  }
  return null;
}

/** Returns the newest task of a sandbox. */
export function latestTask(world: World, sandboxId: string): Task | null {
  let latest: Task | null = null;
  for (const task of world.tasks.values()) {
    if (task.sandboxId === sandboxId && (latest === null || task.createdAt >= latest.createdAt)) latest = task;
  }
  return latest;
}

/** What an event makes stale. */
export interface Stale {
  sandbox: boolean;
  task: string | null;
  artifacts: boolean;
  files: boolean;
}

export function staleAfter(event: Event): Stale {
  const { type } = event;
  return {
    // A step changes no more than the count of steps; asking after each would be a flood.
    sandbox: type !== 'sandbox.agent.step' && type !== 'sandbox.agent.action' && type !== 'sandbox.file.changed',
    task: changesTask(event) ? (event.taskId ?? null) : null,
    artifacts: type === 'sandbox.artifacts.updated',
    files:
      type === 'sandbox.file.changed' ||
      type === 'sandbox.agent.action' ||
      type === 'sandbox.exec.completed' ||
      type === 'sandbox.handoff.completed',
  };
}

function changesTask(event: Event): boolean {
  // A model takes its time, and what it cost is asked for after each of its turns.
  if (event.type === 'sandbox.agent.step') return event.data.usage != null;
  return event.type === 'sandbox.control.changed' || /^sandbox\.(agent\.task|handoff|approval)\./.test(event.type);
}
