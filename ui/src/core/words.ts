/**
 * What happened, in words: one line of the story for one action.
 *
 * The arguments of a step may lack what another version did not write: what is missing is left out.
 */
import { plainName } from './plain';
import type { Action, CodeLanguage, Condition, ExecRequest, TakeCheckpoint, Target, ToldStep, Work } from '../types';

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

/** Everything that an agent or a playbook does: an object of one name and its arguments. */
type Step = Action | Work | { checkpoint: TakeCheckpoint };
/** The names of a union of objects of one name each. */
export type KeyOf<S> = S extends unknown ? keyof S : never;
export type StepName = KeyOf<Step>;
type ArgsOf<N extends StepName> = Extract<Step, Record<N, unknown>>[N];
/** Arguments as the story has them: without what is typed, written or run, and without what an older version did not have. */
type Told<A> = A extends string ? A : Partial<A>;

/** Returns the line of one step, `{ click: { role: "link", name: "Invoices" } }`, or `null` for a step it does not know. */
export function sayStep(step: ToldStep | null): Saying | null {
  const [name, args] = Object.entries(step ?? {}).find(([key]) => Object.hasOwn(SAYINGS, key)) ?? [];
  if (name === undefined) return null;
  const say = SAYINGS[name as StepName] as (args: unknown) => Saying;
  return say(args ?? {});
}

/** Complete by its type: a step without words does not compile. */
const SAYINGS: { [N in StepName]: (args: Told<ArgsOf<N>>) => Saying } = {
  navigate: (args) => big(plain('Opened '), strong(shortAddress((bare(args) ?? field(args, 'url')) || 'a page'))),
  back: () => small(plain('Went back')),
  forward: () => small(plain('Went forward')),
  reload: () => small(plain('Loaded the page again')),
  click: (args) => big(plain('Clicked '), ...target(args)),
  doubleClick: (args) => big(plain('Double-clicked '), ...target(args)),
  hover: (args) => small(plain('Pointed at '), ...target(args)),
  type: (args) => big(plain('Filled in '), ...typedInto(args)),
  press: (args) => small(plain('Pressed '), strong((bare(args) ?? field(args, 'key')) || 'a key')),
  select: (args) => big(plain('Chose '), strong(args.value || 'an option'), plain(' in '), ...target(args)),
  scroll: () => small(plain('Scrolled')),
  drag: (args) => big(plain('Dragged '), ...target(args.from ?? {})),
  find: () => small(plain('Searched the page')),
  waitFor: (args) => small(plain('Waited for '), ...condition(args)),
  expect: (args) => small(plain('Saw '), ...condition(args)),
  extract: (args) => big(plain('Read '), ...(args.to ? [plain('the page into '), code(args.to)] : [plain('the page')])),
  download: (args) => big(plain('Downloaded '), args.to ? code(args.to) : plain('a file')),
  upload: (args) => big(plain('Uploaded '), code(args.path || 'a file')),
  signIn: () => small(plain('Signed in')),
  tabs: () => small(plain('Looked at the tabs')),
  newTab: (args) => (args.url ? big(plain('Opened a tab at '), strong(shortAddress(args.url))) : small(plain('Opened a tab'))),
  activateTab: () => small(plain('Changed to another tab')),
  closeTab: () => small(plain('Closed a tab')),
  dialog: (args) => big(plain((bare(args) ?? field(args, 'answer')) === 'accept' ? 'Accepted what the page asked' : 'Declined what the page asked')),
  screenshot: () => small(plain('Looked at the page')),
  look: () => small(plain('Looked at the page')),
  exec: (args) => big(plain('Ran '), code(commandLine(args))),
  code: (args) => big(plain(`Ran ${args.language ? LANGUAGES[args.language] : 'code'}`)),
  write: (args) => big(plain('Wrote '), code(args.path || 'a file')),
  convert: (args) => big(plain('Converted '), code(args.path || 'a document')),
  artifact: (args) => big(plain('Saved '), code(args.path || 'a result')),
  checkpoint: (args) => big(plain('Took a checkpoint'), ...(args.label ? [plain(': '), strong(args.label)] : [])),
  read: (args) => small(plain('Read '), code(args.path || 'a file')),
  list: () => small(plain('Looked through the files')),
  search: (args) => small(plain('Searched the files for '), strong(args.text || 'words')),
  handoff: (args) => big(plain('Asked you: '), strong(args.message || 'to take over')),
  // These two have events of their own.
  note: () => small(plain('Wrote to you')),
  done: () => small(plain('Finished')),
};

const LANGUAGES: Record<CodeLanguage, string> = {
  python: 'Python',
  javascript: 'JavaScript',
  typescript: 'TypeScript',
  bash: 'a shell script',
};

const big = (...words: Words): Saying => ({ words, small: false });
const small = (...words: Words): Saying => ({ words, small: true });

/** Returns arguments that are written as one word, `press: Enter`. */
function bare(args: unknown): string | null {
  return typeof args === 'string' ? args : null;
}

/** Returns one of the arguments that may also be written as one word. */
function field<A extends object, F extends keyof A>(args: string | A, name: F): A[F] | null {
  return typeof args === 'string' ? null : args[name];
}

function target({ name, label, text, placeholder, role }: Partial<Target>): Words {
  const named = name || label || text || placeholder;
  if (named) return [strong(named)];
  return [plain(role ? `a ${role}` : 'an element')];
}

/** `text` of `type` is what is typed, not what is aimed at; it is never shown. */
function typedInto({ name, label, placeholder }: Partial<Target>): Words {
  const named = name || label || placeholder;
  return named ? [strong(named)] : [plain('a field')];
}

function condition({ text, name, label, url }: Partial<Condition>): Words {
  const seen = text || name || label;
  if (seen) return [strong(seen)];
  return [plain(url ? pageOf(url) : 'what was expected')];
}

function commandLine({ command, args }: Partial<ExecRequest>): string {
  const line = [command || 'a command', ...(args ?? [])].join(' ').split('\n')[0]!;
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
