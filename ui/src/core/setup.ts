/** Check my setup: a task in which a person tries keyboard, paste, windows and files, and the report that comes of it. */
import type { Task } from '../types';

export const SETUP_NAME = 'Check my setup';
/** Where its results are, in the workspace. */
export const SETUP_FILE = 'setup.json';

/** Runs on the practice portal, without a network. */
export const SETUP_PLAYBOOK = `name: ${SETUP_NAME}
steps:
  - navigate: http://portal.example/check
  - handoff: { reason: custom, message: "Follow the page: it ticks what works", until: { url: "**/check/done" } }
  - extract: { selector: "#report", to: ${SETUP_FILE} }
  - artifact: { path: ${SETUP_FILE} }
`;

/** What is tried, in the order of the page. */
export const TRIED = [
  'Letters and signs of your keyboard layout',
  'Accents, dead keys and AltGr',
  'Your input method, for Chinese, Japanese and Korean',
  'Paste, both ways',
  'Lists and windows that a page opens',
  'A download and an upload',
  'The delay of the picture',
] as const;

export interface Row {
  what: string;
  result: string;
}

/** Returns the newest check that came to its end. */
export function latestCheck(tasks: Iterable<Task>): Task | null {
  let latest: Task | null = null;
  for (const task of tasks) {
    const is = task.playbook === SETUP_PLAYBOOK && task.status === 'completed';
    if (is && (latest === null || task.createdAt > latest.createdAt)) latest = task;
  }
  return latest;
}

/** Returns the rows of the report as the step wrote them; none for anything else. */
export function rowsOf(json: unknown): Row[] {
  if (Array.isArray(json)) {
    const cells = json.filter((cell): cell is string => typeof cell === 'string');
    if (cells.length === 2 && json.length === 2) return [{ what: cells[0]!, result: cells[1]! }];
    return json.flatMap(rowsOf);
  }
  if (typeof json !== 'object' || json === null) return [];
  const values = Object.values(json);
  if (values.length === 2 && values.every((value) => typeof value === 'string')) return rowsOf(values);
  return values.flatMap(rowsOf);
}

export interface Machine {
  version: string;
  /** The window, or the browser that shows the page. */
  shownIn: string;
  /** As last measured; `null` where nothing was. */
  delayMs: number | null;
  picture: string;
}

/** Returns the report as text, for a support request. Holds nothing that was typed. */
export function reportText(rows: readonly Row[], machine: Machine): string {
  const delay = machine.delayMs === null ? 'not measured' : `${Math.max(1, Math.round(machine.delayMs))} ms${machine.picture === '' ? '' : `, ${machine.picture}`}`;
  const all = [...rows.filter((row) => row.what !== 'What'), { what: 'Delay of the picture', result: delay }];
  return [`Baton ${machine.version}, setup check`, `Shown in: ${machine.shownIn}`, ...all.map((row) => `${row.what}: ${row.result}`), ''].join('\n');
}
