/** The workspace as a tree. */
import { visibleName } from './plain';
import type { FileEntry } from '../types';

export interface Folder {
  kind: 'folder';
  name: string;
  path: string;
  children: Node[];
  /** Whether anything beneath changed since the last look. */
  fresh: boolean;
}

export interface File {
  kind: 'file';
  name: string;
  path: string;
  size: number;
  modifiedAt: number;
  fresh: boolean;
  /** A link, a device or the like: listed, never opened. */
  opaque: boolean;
}

export type Node = Folder | File;

/** Returns the tree of a recursive listing; folders first, then by name. `lookedAt` maps a path to its time at the last look. */
export function tree(entries: readonly FileEntry[], lookedAt: ReadonlyMap<string, number>): Node[] {
  const root: Folder = { kind: 'folder', name: '', path: '', children: [], fresh: false };
  const folders = new Map<string, Folder>([['', root]]);
  const folderAt = (path: string): Folder => {
    const known = folders.get(path);
    if (known !== undefined) return known;
    const folder: Folder = { kind: 'folder', name: visibleName(baseName(path)), path, children: [], fresh: false };
    folders.set(path, folder);
    folderAt(parent(path)).children.push(folder);
    return folder;
  };
  for (const entry of entries) {
    const path = bare(entry.path);
    if (path === '') continue;
    if (entry.kind === 'directory') {
      folderAt(path);
      continue;
    }
    const seen = lookedAt.get(path);
    const fresh = seen === undefined || seen < entry.modifiedAt;
    const opaque = entry.kind !== 'file';
    folderAt(parent(path)).children.push({
      kind: 'file',
      name: visibleName(baseName(path)),
      path,
      size: entry.size,
      modifiedAt: entry.modifiedAt,
      fresh,
      opaque,
    });
  }
  settle(root);
  return root.children;
}

function settle(folder: Folder): void {
  for (const child of folder.children) if (child.kind === 'folder') settle(child);
  folder.fresh = folder.children.some((child) => child.fresh);
  folder.children.sort((a, b) => (a.kind === b.kind ? a.name.localeCompare(b.name) : a.kind === 'folder' ? -1 : 1));
}

/** Returns the rows that are shown, with their depth. */
export function rows(nodes: readonly Node[], open: ReadonlySet<string>, depth = 0): { node: Node; depth: number }[] {
  return nodes.flatMap((node) => {
    const row = { node, depth };
    return node.kind === 'folder' && open.has(node.path) ? [row, ...rows(node.children, open, depth + 1)] : [row];
  });
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function parent(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
}

/** Returns those names of files to import that the workspace has already. */
export function taken(names: readonly string[], there: readonly FileEntry[]): string[] {
  const known = new Set(there.map((entry) => bare(entry.path)));
  return names.filter((name) => known.has(name));
}

/** Returns the name, or that name with a number where it is taken: `report (1).md`. */
export function nameBeside(name: string, there: readonly FileEntry[]): string {
  const known = new Set(there.map((entry) => bare(entry.path)));
  if (!known.has(name)) return name;
  const dot = name.lastIndexOf('.');
  const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  let n = 1;
  while (known.has(`${stem} (${n})${ending}`)) n += 1;
  return `${stem} (${n})${ending}`;
}

function bare(path: string): string {
  return path.replace(/^\/?workspace\//, '').replace(/^\/|\/$/g, '');
}
