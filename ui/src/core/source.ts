/** A file that a viewer reads. */
import type { Viewer } from './viewer';

export interface Source {
  /** In the workspace. */
  path: string;
  /** As it is shown. */
  name: string;
  size: number;
  modifiedAt: number;
  /** The line to begin at, counted from 1; `null` for the beginning. */
  line: number | null;
  /** Reads the bytes from `from` up to, not including, `to`; fewer where the file ends before. */
  read: (from: number, to: number) => Promise<Uint8Array<ArrayBuffer>>;
  /** Reads another file of the workspace whole, such as a picture of a text; `null` where there is none. */
  beside: (path: string) => Promise<Uint8Array<ArrayBuffer> | null>;
  /** Its size and time as they are now; `null` where nothing can be learnt. */
  look: () => Promise<{ size: number; modifiedAt: number } | null>;
}

/** What a viewer is given. */
export interface ViewerProps {
  source: Source;
  viewer: Viewer;
  openLink: (url: string) => void;
}

/** Returns the path that a reference of a file leads to in the workspace; `null` for what leads out of it, or is no path. */
export function besidePath(path: string, reference: string): string | null {
  if (/^[a-z][a-z0-9+.-]*:/i.test(reference) || reference.startsWith('//') || reference.startsWith('#')) return null;
  let plain: string;
  try {
    plain = decodeURIComponent(reference.replace(/[?#].*$/, ''));
  } catch {
    return null;
  }
  const from = plain.startsWith('/') ? [] : path.split('/').slice(0, -1);
  const parts = [...from, ...plain.replace(/^\/workspace\//, '/').split('/')];
  const found: string[] = [];
  for (const part of parts) {
    if (part === '' || part === '.') continue;
    if (part !== '..') found.push(part);
    else if (found.pop() === undefined) return null;
  }
  return found.length === 0 ? null : found.join('/');
}
