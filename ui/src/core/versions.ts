/** A file as it was before: at each checkpoint of its job. */
import { checkpointName } from './checkpoints';
import { count, when, type Clock } from './time';
import type { Checkpoint } from '../types';

/** One older version that a file can be compared with. */
export interface Version {
  /** Of the checkpoint. */
  id: string;
  /** When that was, in words: `10:41, before you took over`. */
  words: string;
  /** Milliseconds since the epoch. */
  at: number;
}

/** Returns the versions of a job's files, newest first. The one that the latest task began with is named so. */
export function versionsOf(checkpoints: readonly Checkpoint[], taskBegan: number | null, clock: Clock): Version[] {
  const newestFirst = [...checkpoints].sort((a, b) => b.createdAt - a.createdAt);
  const atStart = taskBegan === null ? undefined : newestFirst.find((each) => each.createdAt <= taskBegan);
  return newestFirst.map((each) => {
    const name = each === atStart ? 'the start of the task' : checkpointName(each);
    return { id: each.id, words: `${when(each.createdAt, clock)}, ${name.charAt(0).toLowerCase()}${name.slice(1)}`, at: each.createdAt };
  });
}

/** Returns the version to compare with first: the newest from before the file was last written, or else the newest of all. */
export function versionBefore(versions: readonly Version[], modifiedAt: number): Version | null {
  return versions.find((each) => each.at < modifiedAt) ?? versions[0] ?? null;
}

/** What differs, in lines. */
export interface Difference {
  places: number;
  added: number;
  removed: number;
}

/** Returns what differs in words: `2 changes: 3 lines added, 1 line removed`. */
export function differenceWords({ places, added, removed }: Difference): string {
  if (places === 0) return 'Nothing differs';
  const lines = [...(added > 0 ? [`${count(added, 'line')} added`] : []), ...(removed > 0 ? [`${count(removed, 'line')} removed`] : [])];
  return `${count(places, 'change')}: ${lines.join(', ')}`;
}
