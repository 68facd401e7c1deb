/** Files of a workspace as viewers read them. */
import type { Source } from '../core/source';
import { baseName } from '../core/files';
import { visibleName } from '../core/plain';
import type { FileEntry } from '../types';
import type { Client } from './client';

/** Largest file that is read for another one, such as a picture of a text. */
const BESIDE_MAX = 16 << 20;

export function sourceOf(client: Client, sandboxId: string, path: string, entry: FileEntry, line: number | null = null): Source {
  const read = (from: number, to: number) => client.readFile(sandboxId, path, { from, to });
  return {
    path,
    name: visibleName(baseName(path)),
    size: entry.size,
    modifiedAt: entry.modifiedAt,
    line,
    read,
    beside: async (other) => {
      try {
        const found = await client.statFile(sandboxId, other);
        if (found.size > BESIDE_MAX) return null;
        return await client.readFile(sandboxId, other);
      } catch {
        return null;
      }
    },
    look: () => client.statFile(sandboxId, path).catch(() => null),
  };
}
