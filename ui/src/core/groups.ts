/** The list of work: needs you first, then what runs, what was done today, and earlier. */
import { askSentence } from './approval';
import { firstSentence, type FrameTone } from './frame';
import { openQuestion, phaseOf, type Phase } from './phase';
import { plainName } from './plain';
import { lastSaid } from './story';
import { count, sameDay, stopwatch, waited, when, type Clock } from './time';
import { latestTask, type World } from './world';
import type { Event } from './event';
import type { Sandbox, Task } from '../types';

export interface Item {
  id: string;
  title: string;
  sub: string;
  time: string;
  tone: FrameTone;
  /** The state in a word, for those who do not see the colour. */
  state: string;
  /** Sorts within the group, newest first. */
  at: number;
  /** Whether its sandbox still holds memory: it can be ended. */
  open: boolean;
  /** How it came out; `null` while it goes on. */
  outcome: 'completed' | 'failed' | 'cancelled' | 'ended' | null;
  /** The site that it is about, without `www.`; `null` where it has opened none. */
  site: string | null;
}

export interface Group {
  name: 'Needs you' | 'Running' | 'Done today' | 'Earlier';
  items: Item[];
}

/** What the person at this page did that the runtime does not know. */
export interface Mine {
  /** Sandboxes whose request was put off with "Not now". */
  quiet: ReadonlySet<string>;
  /** The sandbox that is driven from here. */
  driven: string | null;
}

/** Returns the groups that have anything in them. */
export function groups(world: World, clock: Clock, mine: Mine): Group[] {
  const all: Group[] = [
    { name: 'Needs you', items: [] },
    { name: 'Running', items: [] },
    { name: 'Done today', items: [] },
    { name: 'Earlier', items: [] },
  ];
  for (const sandbox of world.sandboxes.values()) {
    const task = latestTask(world, sandbox.id);
    const phase = seenFrom(phaseOf(sandbox, task, null, world.events.get(sandbox.id) ?? []), sandbox.id === mine.driven);
    const { group, item } = place(world, sandbox, task, phase, clock);
    all[group]!.items.push(item);
  }
  for (const group of all) group.items.sort((a, b) => b.at - a.at);
  // Who waits longest comes first, and what was put off comes last.
  all[0]!.items.sort((a, b) => Number(mine.quiet.has(a.id)) - Number(mine.quiet.has(b.id)) || a.at - b.at);
  return all.filter((group) => group.items.length > 0);
}

/** The list asks the runtime, which says that a person drives; which person that is, this page knows. */
function seenFrom(phase: Phase, drivenHere: boolean): Phase {
  return phase.kind === 'other' && drivenHere ? { kind: 'you', since: phase.since, lapsesAt: null } : phase;
}

/** Returns how many sandboxes need a person. */
export function needsCount(groups: readonly Group[]): number {
  return groups.find((group) => group.name === 'Needs you')?.items.length ?? 0;
}

function place(world: World, sandbox: Sandbox, task: Task | null, phase: Phase, clock: Clock): { group: number; item: Item } {
  const item = (group: number, tone: FrameTone, state: string, sub: string, at: number, time: string) => ({
    group,
    item: { id: sandbox.id, title: titleIn(world, sandbox), sub, time, tone, state, at, open: isOpen(sandbox), outcome: null, site: siteOf(sandbox) } as Item,
  });
  const since = task?.startedAt ?? task?.createdAt ?? sandbox.createdAt;
  const running = (tone: FrameTone, state: string, sub: string, from = since) =>
    item(1, tone, state, sub, from, stopwatch(clock.now - from));
  const over = (tone: FrameTone, outcome: Item['outcome'], state: string, sub: string) => {
    const at = task?.endedAt ?? sandbox.endedAt ?? sandbox.updatedAt;
    const placed = item(sameDay(at, clock) ? 2 : 3, tone, state, sub, at, when(at, clock));
    return { ...placed, item: { ...placed.item, outcome } };
  };
  // A question waits for an answer also while somebody drives.
  const question = openQuestion(sandbox);
  if (question !== null && (phase.kind === 'you' || phase.kind === 'other' || phase.kind === 'handing')) {
    return item(0, 'needs', 'asks you', askSentence(question), question.requestedAt, waited(clock.now - question.requestedAt));
  }
  switch (phase.kind) {
    case 'needs': {
      const at = phase.handoff?.requestedAt ?? sandbox.updatedAt;
      const message = phase.handoff === null ? 'Waits for you' : firstSentence(phase.handoff.message);
      return item(0, 'needs', 'needs you', message, at, waited(clock.now - at));
    }
    case 'asked': {
      const at = phase.approval.requestedAt;
      return item(0, 'needs', 'asks you', askSentence(phase.approval), at, waited(clock.now - at));
    }
    case 'starting':
      return running('idle', 'starting', 'Starting', sandbox.createdAt);
    case 'agent':
    case 'handing':
      return running('agent', 'agent driving', lastSaid(world.events.get(sandbox.id) ?? []) ?? 'Getting ready');
    case 'you':
      return running('you', 'you are driving', 'You are driving', phase.since ?? since);
    case 'other':
      return running('you', 'a person is driving', `${phase.controller ?? 'A person'} is driving`, phase.since ?? since);
    case 'idle':
      return running('idle', 'idle', 'Nobody is driving');
    case 'paused':
      return running('idle', 'paused', 'Paused', sandbox.paused?.at ?? since);
    case 'ending':
      return running('idle', 'ending', 'Ending');
    case 'done':
      switch (phase.outcome) {
        case 'completed':
          return over('idle', 'completed', 'done', doneSub(world, sandbox, phase.task));
        case 'failed':
          return over('bad', 'failed', 'failed', `Failed: ${firstSentence(phase.task.error?.message ?? 'see the story')}`);
        case 'cancelled':
          return over('idle', 'cancelled', 'stopped', 'Stopped');
      }
      break;
    case 'ended':
      return over('idle', 'ended', 'ended', 'Ended');
    case 'failed':
      return over('bad', 'failed', 'failed', `Failed: ${firstSentence(phase.failure?.message ?? 'see the story')}`);
  }
}

/** Returns what a job is called: as the person at this page named it, or else as it names itself. */
export function titleIn(world: World, sandbox: Sandbox): string {
  return world.names.get(sandbox.id) ?? titleOf(sandbox, latestTask(world, sandbox.id));
}

/** Whether a sandbox still holds memory and can be ended. */
export function isOpen({ status }: Pick<Sandbox, 'status'>): boolean {
  return status !== 'ended' && status !== 'failed';
}

/** Returns the site of the page that is open, or was last; or the first one that it may go to. */
function siteOf({ preview, network }: Sandbox): string | null {
  const host = /^https?:\/\/(?:www\.)?([^/:?#]+)/.exec(preview.url)?.[1];
  return host ?? (network.mode === 'allowlist' ? (network.allow?.[0]?.replace(/^\*\./, '') ?? null) : null);
}

export function titleOf(sandbox: Sandbox, task: Task | null): string {
  return plainName(task?.title || sandbox.name) || 'Untitled';
}

function doneSub(world: World, sandbox: Sandbox, task: Task): string {
  const artifacts = (world.artifacts.get(sandbox.id) ?? []).filter((artifact) => artifact.kind !== 'recording');
  if (artifacts.length === 1) return plainName(artifacts[0]!.name);
  if (artifacts.length > 1) return count(artifacts.length, 'file');
  return task.result ? firstSentence(task.result.split('\n')[0]!) : 'Done';
}

/** Returns how often and how long people drove in a sandbox: from each time that one took control until it went again. */
export function takeoversOf(world: World, sandboxId: string): { times: number; heldMs: number } {
  let times = 0;
  let heldMs = 0;
  let since: number | null = null;
  for (const event of world.events.get(sandboxId) ?? []) {
    if (event.type === 'sandbox.handoff.accepted') {
      times += 1;
      since = event.at;
    } else if (since !== null && ENDS_A_TAKEOVER.has(event.type)) {
      const receipt = event.type === 'sandbox.handoff.completed' ? event.data.receipt : null;
      heldMs += receipt?.heldMs ?? event.at - since;
      since = null;
    }
  }
  return { times, heldMs };
}

/** A request that follows a takeover is made again because whoever drove is gone. */
const ENDS_A_TAKEOVER: ReadonlySet<Event['type']> = new Set(['sandbox.handoff.completed', 'sandbox.handoff.cancelled', 'sandbox.handoff.expired', 'sandbox.handoff.requested']);
