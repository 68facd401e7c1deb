/**
 * Names and texts that others wrote, as they are shown: whoever chose one may want it to read as another.
 *
 * What is shown goes through here once, where it enters the interface. Names of files stay as they are for the routes that
 * read and write them, and are made plain where they are shown and saved. The same rules as in the runtime's `core::names`.
 */

/** Zero-width signs, marks of direction, embeddings, overrides and isolates, and tag characters. */
const UNSEEN = /[\u{ad}\u{61c}\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2060}-\u{206f}\u{feff}\u{e0000}-\u{e0fff}]/gu;
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
const LINES = /[\n\r\t\u0085\u2028\u2029]/g;
/** Longest name of a file that is saved, in bytes. */
const LONGEST_FILE_NAME = 200;
/** Longest ending that is kept when a name is cut, in bytes and with its dot. */
const LONGEST_ENDING = 16;

/**
 * Returns a name as one line that reads as what it is.
 *
 * `evil\u202egnp.exe`, which is drawn as `evilexe.png`, becomes `evilgnp.exe`.
 */
export function plainName(name: string): string {
  return plainText(name.replace(LINES, ' ')).split(' ').filter((word) => word !== '').join(' ');
}

/**
 * Returns the name of a file as it is shown: one line, and what would be hidden, or would turn letters around, stands in it
 * as its number.
 *
 * `evil\u202egnp.exe`, which is drawn as `evilexe.png`, becomes `evil‹U+202E›gnp.exe`.
 */
export function visibleName(name: string): string {
  const marked = (sign: string) => `‹U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}›`;
  return name.replace(LINES, marked).replace(UNSEEN, marked).replace(CONTROL, marked);
}

/** Returns a text in which nothing is hidden; lines and tabs stay. */
export function plainText(text: string): string {
  return text.replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n').replace(UNSEEN, '').replace(CONTROL, '');
}

/** Returns a name that a file may be saved under on every system: plain, no path, not hidden, and with its ending kept. */
export function fileName(name: string): string {
  const plain = plainName(name).replace(/[/\\:*?"<>|]/g, '_').replace(/^[. ]+|[. ]+$/g, '');
  if (plain === '') return 'file';
  if (bytes(plain) <= LONGEST_FILE_NAME) return plain;
  const dot = plain.lastIndexOf('.');
  const ending = dot > 0 && bytes(plain.slice(dot)) <= LONGEST_ENDING ? plain.slice(dot) : '';
  let kept = '';
  let size = bytes(ending);
  for (const letter of plain) {
    size += bytes(letter);
    if (size > LONGEST_FILE_NAME) break;
    kept += letter;
  }
  return kept + ending;
}

/** Texts that are sent back as they were written. */
const AS_WRITTEN = new Set(['playbook', 'prompt']);

/** Returns a copy of what the runtime said in which every text is plain, but for what is sent back as it was written. */
export function plainDeep<T>(value: T): T {
  return made(value) as T;
}

function made(value: unknown): unknown {
  if (typeof value === 'string') return plainText(value);
  if (Array.isArray(value)) return value.map(made);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, AS_WRITTEN.has(name) && typeof each === 'string' ? each : made(each)]));
}

/** Returns how many bytes a text has in UTF-8. */
function bytes(text: string): number {
  let n = 0;
  for (const letter of text) {
    const code = letter.codePointAt(0) ?? 0;
    n += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return n;
}
