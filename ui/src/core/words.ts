/**
 * What happened, in words: one line of the story for one action.
 *
 * Event data is written by another program version than this page may know, so it is read with care: what is missing is left out.
 */
import { plainName } from './plain';
import type { JsonValue } from '../types/generated/serde_json/JsonValue';

/** A piece of a line. `strong` is what the line is about, `code` is a name of a file or a command. */
export interface Part {
  kind: 'plain' | 'strong' | 'code';
  text: string;
}
export type Words = Part[];

export const plain = (text: string): Part => ({ kind: 'plain', text });
export const strong = (text: string): Part => ({ kind: 'strong', text: plainName(text) });
export const code = (text: string): Part => ({ kind: 'code', text: plainName(text) });

/** Returns the line without its emphasis. */
export function text(words: Words): string {
  return words.map((part) => part.text).join('');
}

/** What an action says, and whether it is small: runs of small ones fold into one line. */
export interface Saying {
  words: Words;
  small: boolean;
}

type Args = { [key: string]: JsonValue };

/** Returns the line of one step, `{ click: { role: "link", name: "Invoices" } }`, or `null` for a step it does not know. */
export function sayStep(step: JsonValue | undefined): Saying | null {
  if (!isMap(step)) return null;
  const entry = Object.entries(step).find(([name]) => name in SAYINGS);
  if (entry === undefined) return null;
  const [name, args] = entry;
  const say = SAYINGS[name]!;
  return say(isMap(args) ? args : {}, typeof args === 'string' ? args : null);
}

const SAYINGS: Record<string, (args: Args, bare: string | null) => Saying> = {
  navigate: (args, bare) => big(plain('Opened '), strong(shortAddress(bare ?? str(args.url) ?? 'a page'))),
  back: () => small(plain('Went back')),
  forward: () => small(plain('Went forward')),
  reload: () => small(plain('Loaded the page again')),
  click: (args) => big(plain('Clicked '), ...target(args)),
  doubleClick: (args) => big(plain('Double-clicked '), ...target(args)),
  hover: (args) => small(plain('Pointed at '), ...target(args)),
  type: (args) => big(plain('Filled in '), ...target(withoutText(args))),
  press: (args, bare) => small(plain('Pressed '), strong(bare ?? str(args.key) ?? 'a key')),
  select: (args) => big(plain('Chose '), strong(str(args.value) ?? 'an option'), plain(' in '), ...target(args)),
  scroll: () => small(plain('Scrolled')),
  drag: (args) => big(plain('Dragged '), ...target(isMap(args.from) ? args.from : {})),
  find: () => small(plain('Searched the page')),
  waitFor: (args) => small(plain('Waited for '), ...condition(args)),
  expect: (args) => small(plain('Saw '), ...condition(args)),
  extract: (args) => big(plain('Read '), ...(str(args.to) ? [plain('the page into '), code(str(args.to)!)] : [plain('the page')])),
  download: (args) => big(plain('Downloaded '), str(args.to) ? code(str(args.to)!) : plain('a file')),
  upload: (args) => big(plain('Uploaded '), code(str(args.path) ?? 'a file')),
  tabs: () => small(plain('Looked at the tabs')),
  newTab: (args) => (str(args.url) ? big(plain('Opened a tab at '), strong(shortAddress(str(args.url)!))) : small(plain('Opened a tab'))),
  activateTab: () => small(plain('Changed to another tab')),
  closeTab: () => small(plain('Closed a tab')),
  dialog: (args, bare) => big(plain((bare ?? str(args.answer)) === 'accept' ? 'Accepted what the page asked' : 'Declined what the page asked')),
  screenshot: () => small(plain('Looked at the page')),
  look: () => small(plain('Looked at the page')),
  exec: (args) => big(plain('Ran '), code(commandLine(args))),
  code: (args) => big(plain(`Ran ${LANGUAGES[str(args.language) ?? ''] ?? 'code'}`)),
  write: (args) => big(plain('Wrote '), code(str(args.path) ?? 'a file')),
  convert: (args) => big(plain('Converted '), code(str(args.path) ?? 'a file'), plain(` to ${str(args.to) ?? 'another format'}`)),
  artifact: (args) => big(plain('Saved '), code(str(args.path) ?? 'a result')),
  checkpoint: (args) => big(plain('Kept a checkpoint'), ...(str(args.label) ? [plain(' '), strong(str(args.label)!)] : [])),
  read: (args) => small(plain('Read '), code(str(args.path) ?? 'a file')),
  list: () => small(plain('Looked through the files')),
  search: (args) => small(plain('Searched the files for '), strong(str(args.text) ?? 'words')),
  handoff: (args) => big(plain('Asked you: '), strong(str(args.message) ?? 'to take over')),
};

const LANGUAGES: Record<string, string> = {
  python: 'Python',
  javascript: 'JavaScript',
  typescript: 'TypeScript',
  bash: 'a shell script',
};

const big = (...words: Words): Saying => ({ words, small: false });
const small = (...words: Words): Saying => ({ words, small: true });

function target(args: Args): Words {
  const named = str(args.name) ?? str(args.label) ?? str(args.text) ?? str(args.placeholder);
  if (named !== null) return [strong(named)];
  if (str(args.role) !== null) return [plain(`a ${str(args.role)}`)];
  return [plain('an element')];
}

/** `text` of `type` is what is typed, not what is aimed at; it is never shown. */
function withoutText(args: Args): Args {
  const { text: _typed, ...rest } = args;
  const named = str(rest.name) ?? str(rest.label) ?? str(rest.placeholder);
  return named === null ? { role: 'field' } : rest;
}

function condition(args: Args): Words {
  const seen = str(args.text) ?? str(args.name) ?? str(args.label);
  if (seen !== null) return [strong(seen)];
  const url = str(args.url);
  return url === null ? [plain('what was expected')] : [plain(pageOf(url))];
}

function commandLine(args: Args): string {
  const words = [str(args.command) ?? 'a command', ...(Array.isArray(args.args) ? args.args : []).map(String)];
  const line = words.join(' ').split('\n')[0]!;
  return line.length > 48 ? `${line.slice(0, 47)}…` : line;
}

/** Returns an address as people say it: without scheme, `www.` and a trailing slash, at most 60 characters. */
export function shortAddress(url: string): string {
  const bare = url
    .replace(/^https?:\/\//, '')
    .replace(/^www\./, '')
    .replace(/[?#].*$/, '')
    .replace(/\/$/, '');
  return bare.length > 60 ? `${bare.slice(0, 59)}…` : bare;
}

/** Returns an address pattern as a person says it: a path of `invoices` on any site is the page “invoices”. */
export function pageOf(pattern: string): string {
  const parts = shortAddress(pattern)
    .split('/')
    .filter((part) => !part.includes('*') && part !== '');
  return parts.length === 0 ? 'the right page' : `the page “${parts.join('/')}”`;
}

export function isMap(value: JsonValue | undefined): value is Args {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function str(value: JsonValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

export function num(value: JsonValue | undefined): number | null {
  return typeof value === 'number' ? value : null;
}
