/**
 * The story of a sandbox: its events as a person would tell them.
 *
 * Each action is one line; runs of small ones fold into one; a person's time is one plain gap. Lines have keys that stay the
 * same while the story grows, so a new line never moves what is being read.
 */
import type { Event } from '../types/generated/Event';
import type { Receipt } from '../types/generated/Receipt';
import { receiptSentence } from './receipt';
import { plainName } from './plain';
import { stopwatch } from './time';
import { code, isMap, num, plain, sayStep, shortAddress, str, strong, text, type Saying, type Words } from './words';

export type Tone = 'agent' | 'needs' | 'you' | 'quiet' | 'bad' | 'good';

/** A small step: one of a run that folds. `picture` names what the page showed after it. */
export interface SmallLine {
  key: string;
  at: number;
  words: Words;
  picture: string | null;
}

export type StoryLine =
  | { kind: 'line'; key: string; at: number; tone: Tone; words: Words; detail: string | null; picture: string | null }
  /** A run of small steps. */
  | { kind: 'fold'; key: string; at: number; lines: SmallLine[] }
  /** A person drove, `who` is `null` for the one at this page; `endedAt` is `null` while they still do. */
  | { kind: 'gap'; key: string; at: number; endedAt: number | null; heldMs: number | null; who: string | null; sentence: string; note: string | null };

/** Small steps fold from this many in a row. */
const FOLD_FROM = 3;
const NOBODY: ReadonlySet<string> = new Set();

/** Returns the story of events given in their order. `mine` are the requests for which the person at this page drove. */
export function story(events: readonly Event[], mine: ReadonlySet<string> = NOBODY): StoryLine[] {
  const lines: StoryLine[] = [];
  let smalls: SmallLine[] = [];

  const flush = () => {
    if (smalls.length >= FOLD_FROM) {
      lines.push({ kind: 'fold', key: `${smalls[0]!.key}+`, at: smalls[0]!.at, lines: smalls });
    } else {
      for (const each of smalls) lines.push({ kind: 'line', ...each, tone: 'quiet', detail: null });
    }
    smalls = [];
  };

  for (const event of events) {
    const told = tell(event, lines);
    switch (told.kind) {
      case 'nothing':
        break;
      case 'small':
        smalls.push({ key: event.id, at: event.at, words: told.words, picture: pictureOf(event) });
        break;
      case 'line':
        flush();
        lines.push({
          kind: 'line',
          key: event.id,
          at: event.at,
          tone: told.tone,
          words: told.words,
          detail: told.detail,
          picture: pictureOf(event),
        });
        break;
      case 'gapBegins':
        flush();
        lines.push({ kind: 'gap', key: event.id, at: event.at, endedAt: null, heldMs: null, who: driverOf(event, mine), sentence: '', note: null });
        break;
      case 'gapEnds':
        flush();
        endGap(lines, event.at, told.receipt, told.note, event.id);
        break;
    }
  }
  flush();
  return lines;
}

/** Returns the last thing that happened in words, for the list and the bar; `null` before anything did. */
export function lastSaid(events: readonly Event[]): string | null {
  for (let i = events.length - 1; i >= 0; i -= 1) {
    const event = events[i]!;
    if (event.type !== 'sandbox.agent.action' && event.type !== 'sandbox.agent.step' && event.type !== 'sandbox.exec.completed') continue;
    const told = tell(event, []);
    if (told.kind === 'line' || told.kind === 'small') return text(told.words);
  }
  return null;
}

/** Names the picture of the page as an action left it. */
function pictureOf(event: Event): string | null {
  return event.type === 'sandbox.agent.action' && isMap(event.data) ? str(event.data.picture) : null;
}

type Told =
  | { kind: 'nothing' }
  | { kind: 'small'; words: Words }
  | { kind: 'line'; tone: Tone; words: Words; detail: string | null }
  | { kind: 'gapBegins' }
  | { kind: 'gapEnds'; receipt: Receipt | null; note: string | null };

const nothing: Told = { kind: 'nothing' };

function line(tone: Tone, words: Words, detail: string | null = null): Told {
  return { kind: 'line', tone, words, detail };
}

function tell(event: Event, before: readonly StoryLine[]): Told {
  const data = isMap(event.data) ? event.data : {};
  switch (event.type) {
    case 'sandbox.agent.action':
      return tellAction(event, data, before);
    case 'sandbox.agent.step': {
      const thought = str(data.text);
      if (thought === null) return nothing;
      // What a model thought is worth a line of its own; a playbook's step is told by what it did.
      return str(data.model) === null ? { kind: 'small', words: [plain(thought)] } : line('quiet', [plain(thought)]);
    }
    case 'sandbox.agent.message':
      return str(data.text) === null ? nothing : tellMessage(event, str(data.text)!);
    case 'sandbox.agent.task.started':
      return str(data.title) === null
        ? line('quiet', [plain('Started')])
        : line('quiet', [plain('Started '), strong(str(data.title)!)]);
    case 'sandbox.agent.task.completed':
      return line('good', [strong('Done')], str(data.result));
    case 'sandbox.agent.task.failed': {
      const error = isMap(data.error) ? data.error : data;
      return line('bad', [strong('Stopped')], str(error.message));
    }
    case 'sandbox.agent.task.cancelled':
      return line('quiet', [plain('You stopped the task')]);
    case 'sandbox.handoff.requested': {
      // Who drove is gone without handing back: what follows is told again.
      if (data.again === true) return openGap(before) === null ? line('needs', [plain('Waits for you again')]) : { kind: 'gapEnds', receipt: null, note: null };
      // A person who takes the wheel unasked is recorded as a request of theirs: the gap says it all.
      return event.by === 'person' ? nothing : line('needs', askedWords(str(data.message)));
    }
    case 'sandbox.approval.requested':
      return line('needs', [plain('Asked you: '), strong(str(data.summary) ?? 'may it go on')], str(data.destination));
    case 'sandbox.approval.decided':
      return tellDecision(str(data.status), str(data.note) ?? str(data.reason));
    case 'sandbox.handoff.accepted':
      return { kind: 'gapBegins' };
    case 'sandbox.handoff.completed':
      return { kind: 'gapEnds', receipt: receiptOf(data.receipt), note: str(data.note) };
    case 'sandbox.handoff.cancelled':
      return openGap(before) === null ? line('quiet', [plain('The request was called off')]) : { kind: 'gapEnds', receipt: null, note: null };
    case 'sandbox.handoff.expired':
      return line('quiet', [plain('The request ran out of time')]);
    case 'sandbox.exec.completed': {
      // Commands of the task are told by their step already.
      if (event.by === 'agent') return nothing;
      const exit = num(data.exitCode);
      const words = [plain('Ran '), code(firstLine(str(data.command) ?? 'a command'))];
      return exit === 0 || exit === null ? line('quiet', words) : line('bad', [...words, plain(`, which failed (${exit})`)]);
    }
    case 'sandbox.file.changed': {
      const path = str(data.path);
      if (path === null) return nothing;
      if (str(data.change) === 'downloaded') return line(event.by === 'person' ? 'you' : 'agent', [plain('Downloaded '), code(path)]);
      const did = str(data.change) === 'removed' ? 'Deleted ' : 'Added ';
      return event.by === 'person' || event.by === 'api' ? line('quiet', [plain(did), code(path)]) : nothing;
    }
    case 'sandbox.document.converted':
      // What came of it is told as kept.
      return nothing;
    case 'sandbox.artifacts.updated':
      return str(data.name) === null ? nothing : line('good', [plain('Kept '), code(str(data.name)!)]);
    case 'sandbox.network.denied':
      return line('bad', [plain('Was kept from '), strong(str(data.host) ?? 'a site')], str(data.reason));
    case 'sandbox.browser.navigated':
      // Where an action led is told by the action; an address the page changed by itself is noise.
      return event.by === 'api' ? line('quiet', [plain('Opened '), strong(shortAddress(str(data.url) ?? 'a page'))]) : nothing;
    case 'sandbox.browser.dialog':
      return tellDialog(str(data.state), str(data.message), isMap(data.handoff) ? str(data.handoff.message) : null);
    case 'sandbox.browser.failed':
      return line('bad', [plain('The browser stopped')], str(data.message));
    case 'sandbox.recovered':
      return line('quiet', [plain(recovered(str(data.part)))]);
    case 'sandbox.agent.failed':
      return line('bad', [plain('The agent did not start')], str(data.message));
    case 'sandbox.failed':
      return line('bad', [strong('The sandbox failed')], str(data.message));
    case 'sandbox.ended':
      return line('quiet', [plain('The sandbox ended')], str(data.message));
    case 'sandbox.created':
    case 'sandbox.assigned':
    case 'sandbox.ready':
    case 'sandbox.agent.ready':
    case 'sandbox.browser.ready':
    case 'sandbox.agent.task.queued':
    case 'sandbox.control.changed':
      return nothing;
    default:
      return unknownType(event.type);
  }
}

/** A part that ended or hung is back. */
function recovered(part: string | null): string {
  switch (part) {
    case 'browser':
      return 'The browser was started again, with its tabs';
    case 'display':
    case 'desktop':
      return 'The browser was started again with its screen';
    case 'shell':
      return 'The place for commands was started again; what ran in it has ended';
    default:
      return 'A part of the sandbox was started again';
  }
}

function tellMessage(event: Event, said: string): Told {
  switch (event.by) {
    case 'person':
      return line('you', [strong('You: '), plain(said)]);
    case 'api':
      return line('quiet', [strong('A program: '), plain(said)]);
    case 'agent':
    case 'system':
      return line('agent', [plain(said)]);
  }
}

const capitalised = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

/** A dialog of the browser's own: one that stands needs somebody, one that was refused or left open is only told. */
function tellDialog(state: string | null, message: string | null, ask: string | null): Told {
  if (message === null) return nothing;
  const said = [plain(capitalised(plainName(message)))];
  switch (state) {
    case 'open':
      return line('needs', said, ask);
    case 'refused':
    case 'answered':
      return line('quiet', said);
    case 'closed':
      // What was answered needs no line; what was left open was closed by nobody's hand.
      return message.includes('left open') ? line('quiet', said) : nothing;
    default:
      return nothing;
  }
}

function tellDecision(status: string | null, why: string | null): Told {
  switch (status) {
    case 'approved':
      return line('you', [plain('You approved it')], why);
    case 'denied':
      return line('you', [plain('You denied it: it was not done')], why);
    case 'void':
      return line('quiet', [plain('The question is void: nothing was done by it')], why);
    default:
      return nothing;
  }
}

/** A newer runtime may have types this page does not know. They are left out of the story, not made up. */
function unknownType(_type: never): Told {
  return nothing;
}

function tellAction(event: Event, data: { [key: string]: Event['data'] }, before: readonly StoryLine[]): Told {
  if (isMap(data.action) && toldByItsEvent(data.action, data, before)) return nothing;
  const put = isMap(data.action) && 'download' in data.action && isDownload(before.at(-1)) ? str(data.path) : null;
  if (put !== null) return line('agent', [plain('Put it at '), code(put)]);
  // A reference is a name for programs only: the runtime's own words name the element.
  const named = isNameless(data.action) ? said(data) : null;
  const saying = named ?? sayStep(data.action) ?? sayStep(data.step) ?? sayStep(data) ?? said(data);
  if (saying === null) return nothing;
  const error = isMap(data.error) ? str(data.error.message) : str(data.error);
  if (error !== null) return line('bad', [plain('Could not: '), ...lowerFirst(saying.words)], error);
  if (event.by === 'api') return line('quiet', [strong(`${str(data.program) ?? 'A program'}: `), plain(' '), ...lowerFirst(saying.words)]);
  if (saying.small) return { kind: 'small', words: saying.words };
  return line(event.by === 'person' ? 'you' : 'agent', saying.words);
}

/** A result that is kept, a file that came, a person who was asked: each has an event of its own, and the action would say it twice. */
function toldByItsEvent(action: { [key: string]: Event['data'] }, data: { [key: string]: Event['data'] }, before: readonly StoryLine[]): boolean {
  if ('artifact' in action) return str(data.artifact) !== null;
  if ('handoff' in action) return data.error == null;
  const last = before.at(-1);
  return 'download' in action && isDownload(last) && text(last.words) === `Downloaded ${str(data.path) ?? ''}`;
}

function isDownload(last: StoryLine | undefined): last is Extract<StoryLine, { kind: 'line' }> {
  return last?.kind === 'line' && text(last.words).startsWith('Downloaded ');
}

/** Whether a step aims at an element by a reference alone. */
function isNameless(action: Event['data'] | undefined): boolean {
  if (!isMap(action)) return false;
  const [args] = Object.values(action);
  return isMap(args) && str(args.ref) !== null && [args.name, args.label, args.text, args.placeholder].every((each) => str(each) === null);
}

function said(data: { [key: string]: Event['data'] }): Saying | null {
  const summary = str(data.summary) ?? str(data.text);
  return summary === null ? null : { words: [plain(summary.charAt(0).toUpperCase() + summary.slice(1))], small: false };
}

function askedWords(message: string | null): Words {
  return message === null ? [plain('Asked for you')] : [plain('Asked you: '), strong(message)];
}

function openGap(lines: readonly StoryLine[]): Extract<StoryLine, { kind: 'gap' }> | null {
  const last = lines.findLast((each) => each.kind === 'gap');
  return last !== undefined && last.endedAt === null ? last : null;
}

function endGap(lines: StoryLine[], at: number, receipt: Receipt | null, note: string | null, key: string): void {
  const open = openGap(lines);
  const sentence = receipt === null ? '' : receiptSentence(receipt);
  if (open === null) {
    // The request was done without anyone driving.
    lines.push({ kind: 'line', key, at, tone: 'you', words: [plain('You said it is done')], detail: note, picture: null });
    return;
  }
  // What was told during the gap stays in its place; the gap itself is closed where it began.
  const closed = { ...open, endedAt: at, heldMs: receipt?.heldMs ?? at - open.at, sentence, note };
  lines[lines.indexOf(open)] = closed;
}

/** Returns the gap in words, after the bold beginning "You drove, 0:42.". */
export function gapTail(gap: Extract<StoryLine, { kind: 'gap' }>): string {
  if (gap.endedAt === null) return 'This part of the story stays blank.';
  const sentence = gap.sentence === '' ? '' : `${gap.sentence}. `;
  return `${sentence}The agent did not see this.`;
}

export function gapHead(gap: Extract<StoryLine, { kind: 'gap' }>): string {
  const who = gap.who ?? 'You';
  return gap.heldMs === null ? `${who} ${gap.who === null ? 'are' : 'is'} driving.` : `${who} drove, ${stopwatch(gap.heldMs)}.`;
}

/** Names who took control: `null` for the person at this page. */
function driverOf(event: Event, mine: ReadonlySet<string>): string | null {
  const data = isMap(event.data) ? event.data : {};
  const request = str(data.requestId);
  if (request !== null && mine.has(request)) return null;
  return plainName(str(data.controller) ?? '') || 'A person';
}

/** Names the request for which somebody drives now, as the events say; `null` when nobody does. */
export function takenRequest(events: readonly Event[]): string | null {
  for (let i = events.length - 1; i >= 0; i -= 1) {
    const { type, data } = events[i]!;
    if (type === 'sandbox.handoff.accepted') return isMap(data) ? str(data.requestId) : null;
    if (type === 'sandbox.handoff.completed' || type === 'sandbox.handoff.cancelled' || type === 'sandbox.handoff.expired') return null;
  }
  return null;
}

function receiptOf(value: Event['data'] | undefined): Receipt | null {
  if (!isMap(value)) return null;
  const list = (v: Event['data'] | undefined) => (Array.isArray(v) ? v.filter((each) => typeof each === 'string') : []);
  const page = (v: Event['data'] | undefined) => ({
    url: (isMap(v) ? str(v.url) : null) ?? '',
    title: (isMap(v) ? str(v.title) : null) ?? '',
  });
  return {
    heldMs: num(value.heldMs) ?? 0,
    before: page(value.before),
    after: page(value.after),
    tabsOpened: list(value.tabsOpened),
    tabsClosed: list(value.tabsClosed),
    signedInChanged: list(value.signedInChanged),
    fieldsTouched: list(value.fieldsTouched),
    fieldsVeiled: list(value.fieldsVeiled),
    filesArrived: list(value.filesArrived),
    inputs: num(value.inputs) ?? 0,
    note: str(value.note),
    untilMet: typeof value.untilMet === 'boolean' ? value.untilMet : null,
  };
}

function lowerFirst(words: Words): Words {
  const [first, ...rest] = words;
  if (first === undefined) return words;
  return [{ ...first, text: first.text.charAt(0).toLowerCase() + first.text.slice(1) }, ...rest];
}

function firstLine(command: string): string {
  const first = command.split('\n')[0]!;
  return first.length > 48 ? `${first.slice(0, 47)}…` : first;
}

/** Returns the receipt of the newest hand-back after the event numbered `seq`. */
export function lastReceipt(events: readonly Event[], seq: number): Receipt | null {
  for (let i = events.length - 1; i >= 0 && events[i]!.seq > seq; i -= 1) {
    const event = events[i]!;
    if (event.type === 'sandbox.handoff.completed') return receiptOf(isMap(event.data) ? event.data.receipt : undefined);
  }
  return null;
}
