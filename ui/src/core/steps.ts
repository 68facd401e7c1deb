/** Every step of a playbook with its fields: what the editor completes, explains and checks in place. The runtime has the last word. */
import type { KeyOf, StepName } from './words';
import type { Action, CodeRequest, ConvertFile, ExecRequest, HandoffRequest, SaveArtifact, TakeCheckpoint, WriteFile } from '../types';

type Step =
  | Action
  | { exec: ExecRequest }
  | { code: CodeRequest }
  | { write: WriteFile }
  | { convert: ConvertFile }
  | { artifact: SaveArtifact }
  | { handoff: HandoffRequest }
  | { checkpoint: TakeCheckpoint };
/** The name of a step that may stand in a playbook. */
export type PlaybookStep = KeyOf<Step> & StepName;
type ArgsOf<N extends PlaybookStep> = Extract<Step, Record<N, unknown>>[N];
type FieldsOf<A> = A extends string ? never : { [K in keyof A]-?: Field };

export interface Field {
  says: string;
  /** What it may be, where that is a short list. */
  values?: readonly string[];
  /** Whether the step means nothing without it. */
  needed?: boolean;
}

export interface Shape {
  says: string;
  /** The step as it is written first; the cursor goes to `‸`. */
  write: string;
  /** Whether one word may stand in place of the fields. */
  bare?: boolean;
  fields: Readonly<Record<string, Field>>;
}

const f = (says: string, over: Omit<Field, 'says'> = {}): Field => ({ says, ...over });
const must = (says: string, values?: readonly string[]): Field => ({ says, needed: true, ...(values === undefined ? {} : { values }) });
const timeoutMs = f('How long it may take, in milliseconds');
const plain = { timeoutMs };
const named = {
  role: f('Accessible role', { values: ['button', 'link', 'textbox', 'heading', 'checkbox', 'combobox', 'table', 'tab', 'menuitem'] }),
  name: f('Accessible name, or a part of it'),
  label: f('Label of a form field'),
  placeholder: f('Text in an empty field'),
  testId: f('Value of data-testid'),
  selector: f('CSS selector'),
  ref: f('Reference from the latest look'),
  timeoutMs,
};
const target = { ...named, text: f('Visible text') };
const click = { ...target, dialog: f('Answer to the dialogs that the click opens', { values: ['accept', 'dismiss'] }), promptText: f('What to type into a prompt') };
const condition = { ...target, gone: f('Wait until it is gone', { values: ['true'] }), url: f('Pattern of the address, such as "**/invoices"') };

/** Complete by its type: a step or a field that the runtime has and this table has not does not compile. */
export const STEPS: { readonly [N in PlaybookStep]: Omit<Shape, 'fields'> & { fields: FieldsOf<ArgsOf<N>> } } = {
  navigate: { says: 'Open an address', write: 'navigate: ‸', bare: true, fields: { url: must('The address'), timeoutMs } },
  click: { says: 'Click an element', write: 'click: { role: button, name: ‸ }', fields: click },
  type: { says: 'Fill in a field', write: 'type: { label: ‸, text: "" }', fields: { ...named, text: must('The new content of the field') } },
  signIn: { says: 'Sign in with a saved sign-in', write: 'signIn: {}', fields: { site: f('Site; default: the current page’s'), username: f('User name, if the site has several sign-ins'), timeoutMs } },
  select: { says: 'Choose in a list', write: 'select: { label: ‸, value: "" }', fields: { ...named, value: must('Value or label of the option') } },
  press: { says: 'Press a key', write: 'press: ‸', bare: true, fields: { key: must('Such as Enter or Control+A'), on: f('Element that receives the key'), timeoutMs } },
  handoff: {
    says: 'Ask a person, and wait until they hand back',
    write: 'handoff: { reason: custom, message: "‸" }',
    fields: {
      reason: must('Why a person is asked', ['mfa', 'captcha', 'approval', 'login_failed', 'ambiguous_ui', 'file_download', 'custom']),
      message: must('What the person is asked to do'),
      resumePrompt: f('What the agent is told afterwards'),
      expiresInMs: f('When the request ends by itself, in milliseconds'),
      until: f('When it counts as done: { url: "**/invoices" }'),
    },
  },
  waitFor: { says: 'Wait for an element or an address', write: 'waitFor: { text: "‸" }', fields: condition },
  expect: { says: 'Go on only if this is there', write: 'expect: { role: heading, name: ‸ }', fields: condition },
  extract: { says: 'Read the page into a file', write: 'extract: { selector: "‸", to: data.json }', fields: { selector: must('CSS selector of what to read'), to: f('Path of the JSON file'), timeoutMs } },
  download: { says: 'Click, and keep the file that comes', write: 'download: { click: { role: link, name: ‸ }, to: file.csv }', fields: { click: must('The element to click'), to: f('Path in the workspace'), timeoutMs } },
  upload: { says: 'Give a file to the page', write: 'upload: { label: ‸, path: "" }', fields: { ...named, path: must('Path in the workspace') } },
  artifact: { says: 'Keep a file as a result', write: 'artifact: { path: ‸ }', fields: { path: must('A file or a folder of the workspace'), name: f('Name of the result') } },
  code: {
    says: 'Run code',
    write: 'code:\n      language: python\n      code: |\n        ‸',
    fields: { language: must('The language', ['python', 'javascript', 'typescript', 'bash']), code: must('The code'), timeoutMs },
  },
  exec: {
    says: 'Run a program',
    write: 'exec: { command: ‸, args: [] }',
    fields: { command: must('The program'), args: f('Its arguments'), cwd: f('Folder to run in'), env: f('Environment'), stdin: f('What it reads'), timeoutMs },
  },
  write: { says: 'Write a file', write: 'write: { path: ‸, content: "" }', fields: { path: must('Path in the workspace'), content: must('The whole content') } },
  convert: {
    says: 'Make another document of a file',
    write: 'convert: { path: ‸, to: pdf }',
    fields: { path: must('Path in the workspace'), to: must('What it becomes', ['pdf', 'docx', 'html', 'md', 'png', 'txt']), output: f('Path of the result') },
  },
  checkpoint: { says: 'Take a checkpoint', write: 'checkpoint: { label: ‸ }', fields: { label: f('A name to find it by') } },
  scroll: { says: 'Scroll', write: 'scroll: { to: bottom }', fields: { ...target, dx: f('Pixels to the right'), dy: f('Pixels down'), to: f('To one end', { values: ['top', 'bottom'] }) } },
  hover: { says: 'Point at an element', write: 'hover: { text: "‸" }', fields: target },
  doubleClick: { says: 'Double-click an element', write: 'doubleClick: { text: "‸" }', fields: click },
  drag: { says: 'Drag an element onto another', write: 'drag: { from: { text: "‸" }, to: { text: "" } }', fields: { from: must('What is dragged'), to: must('Where it is dropped'), timeoutMs } },
  dialog: { says: 'Answer an open dialog', write: 'dialog: accept', bare: true, fields: { answer: must('The answer', ['accept', 'dismiss']), promptText: f('What to type into a prompt'), timeoutMs } },
  back: { says: 'Go back', write: 'back: {}', fields: plain },
  forward: { says: 'Go forward', write: 'forward: {}', fields: plain },
  reload: { says: 'Load the page again', write: 'reload: {}', fields: plain },
  newTab: { says: 'Open a tab', write: 'newTab: { url: ‸ }', fields: { url: f('Address to open'), timeoutMs } },
  activateTab: { says: 'Go to a tab', write: 'activateTab: { url: ‸ }', fields: { url: f('Pattern of its address'), id: f('Id, as tabs lists it'), timeoutMs } },
  closeTab: { says: 'Close a tab', write: 'closeTab: { url: ‸ }', fields: { url: f('Pattern of its address'), id: f('Id, as tabs lists it'), timeoutMs } },
  tabs: { says: 'List the tabs', write: 'tabs: {}', fields: plain },
  look: { says: 'Look at the page', write: 'look: {}', fields: { ref: f('Element to show in full'), maxChars: f('Most characters'), screenshot: f('Also a picture', { values: ['true'] }), timeoutMs } },
  find: { says: 'Find text on the page', write: 'find: { text: "‸" }', fields: { text: must('The text'), ref: f('Element to search in'), timeoutMs } },
  screenshot: { says: 'Keep a picture of the page', write: 'screenshot: {}', fields: plain },
};

/** Returns the shape of a step, or `null` for a name that is none. */
export function shapeOf(name: string): Shape | null {
  return Object.hasOwn(STEPS, name) ? STEPS[name as PlaybookStep] : null;
}

/** Returns the name that was probably meant, or `null` when none is near. */
export function nearest(typed: string, names: readonly string[]): string | null {
  let best: { name: string; far: number } | null = null;
  for (const name of names) {
    const far = distance(typed.toLowerCase(), name.toLowerCase());
    if (best === null || far < best.far) best = { name, far };
  }
  return best !== null && best.far <= Math.max(1, Math.floor(typed.length / 3)) ? best.name : null;
}

/** Returns how many letters are put in, taken out, changed or swapped with the next. */
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => Array.from({ length: b.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0)));
  for (let i = 1; i <= a.length; i += 1) {
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, rows[i - 1]![j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      rows[i]![j] = least;
    }
  }
  return rows[a.length]![b.length]!;
}
