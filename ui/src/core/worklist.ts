/** The list of work as the person wants to see it: narrowed, sorted, and what several jobs have in common. */
import type { Group, Item } from './groups';

export type Narrowing = 'all' | 'mine' | 'waiting' | 'running' | 'failed' | 'open' | 'archived';
export type Sorting = 'newest' | 'oldest' | 'name';

export interface Wanted {
  narrow: Narrowing;
  /** One site, or `null` for all. */
  site: string | null;
  sort: Sorting;
}

/** What the person at this page made of the jobs. */
export interface Kept {
  /** Jobs that were begun here. */
  mine: ReadonlySet<string>;
  archived: ReadonlySet<string>;
  /** Jobs that are being deleted, and can still be had back. */
  leaving: ReadonlySet<string>;
}

export const ALL: Wanted = { narrow: 'all', site: null, sort: 'newest' };

export const NARROWINGS: readonly { name: Narrowing; label: string }[] = [
  { name: 'all', label: 'All jobs' },
  { name: 'mine', label: 'Started here' },
  { name: 'waiting', label: 'Waiting for you' },
  { name: 'running', label: 'Running' },
  { name: 'failed', label: 'Failed' },
  { name: 'open', label: 'Sandbox still open' },
  { name: 'archived', label: 'Archived' },
];

export const SORTINGS: readonly { name: Sorting; label: string }[] = [
  { name: 'newest', label: 'Newest first' },
  { name: 'oldest', label: 'Oldest first' },
  { name: 'name', label: 'By name' },
];

/** Returns the groups that are shown. What runs, or holds memory, is never hidden by being archived. */
export function shown(groups: readonly Group[], wanted: Wanted, kept: Kept): Group[] {
  return groups
    .map((group) => ({ ...group, items: sorted(group, group.items.filter((item) => isShown(group, item, wanted, kept)), wanted.sort) }))
    .filter((group) => group.items.length > 0);
}

function isShown(group: Group, item: Item, { narrow, site }: Wanted, kept: Kept): boolean {
  if (kept.leaving.has(item.id)) return false;
  if (site !== null && item.site !== site) return false;
  const away = isAway(item, kept);
  switch (narrow) {
    case 'all':
      return !away;
    case 'mine':
      return !away && kept.mine.has(item.id);
    case 'waiting':
      return group.name === 'Needs you';
    case 'running':
      return group.name === 'Running';
    case 'failed':
      return !away && item.outcome === 'failed';
    case 'open':
      return item.open;
    case 'archived':
      return away;
  }
}

/** Whether a job is put away: it was archived, has come to an end, and nothing of it runs. */
export function isAway(item: Item, { archived }: Pick<Kept, 'archived'>): boolean {
  return archived.has(item.id) && !item.open && item.outcome !== null;
}

function sorted(group: Group, items: Item[], sort: Sorting): Item[] {
  switch (sort) {
    case 'newest':
      return items;
    case 'oldest':
      // The longest wait is already first.
      return group.name === 'Needs you' ? items : [...items].reverse();
    case 'name':
      return [...items].sort((a, b) => a.title.localeCompare(b.title, undefined, { numeric: true }));
  }
}

/** Returns the sites that jobs are about, by name. */
export function sitesOf(groups: readonly Group[]): string[] {
  const sites = groups.flatMap((group) => group.items.map((item) => item.site)).filter((site) => site !== null);
  return [...new Set(sites)].sort();
}

/** What can be done with each of the chosen jobs. */
export function doableWith(items: readonly Item[]): { end: boolean; archive: boolean; remove: boolean } {
  const some = items.length > 0;
  return {
    end: some && items.every((item) => item.open),
    archive: some && items.every((item) => item.outcome !== null && !item.open),
    remove: some && items.every((item) => item.outcome !== null),
  };
}

/** Returns the choice after the job `to` was reached: alone, added or taken away, or all from `from` on. */
export function chosenAfter(chosen: ReadonlySet<string>, order: readonly string[], from: string | null, to: string, how: 'alone' | 'toggle' | 'range'): Set<string> {
  switch (how) {
    case 'alone':
      return new Set([to]);
    case 'toggle': {
      const next = new Set(chosen);
      if (!next.delete(to)) next.add(to);
      return next;
    }
    case 'range': {
      const ends = [order.indexOf(from ?? to), order.indexOf(to)].sort((a, b) => a - b);
      return new Set(order.slice(Math.max(0, ends[0]!), ends[1]! + 1));
    }
  }
}
