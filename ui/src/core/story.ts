/**
 * The story of a sandbox: its events as a person would tell them.
 *
 * Each action is one line; runs of small ones fold into one; a person's time is one plain gap. Lines have keys that stay the
 * same while the story grows, so a new line never moves what is being read.
 */
import type { ApprovalStatus, DialogState, Receipt, SandboxPart, Target, ToldStep } from '../types';
import type { Event, EventOf, Payload } from './event';
import { KEEPERS } from './password-managers';
import { receiptSentence } from './receipt';
import { plainName } from './plain';
import { stopwatch } from './time';
import { code, plain, sayStep, shortAddress, strong, text, type Saying, type Words } from './words';

export type Tone = 'agent' | 'needs' | 'you' | 'quiet' | 'bad' | 'good';

/** What a line is about, beside being told: the story can be narrowed to one of them. */
export type Topic = 'approvals' | 'network' | 'mine' | 'problems';

/** What every line has. `picture` names what the page showed after it; `step` is what was done, to be used again. */
interface Said {
  key: string;
  at: number;
  words: Words;
  picture: string | null;
  step: ToldStep | null;
  topics: readonly Topic[];
}

/** A small step: one of a run that folds. */
export type SmallLine = Said;

export type StoryLine =
  | ({ kind: 'line'; tone: Tone; detail: string | null } & Said)
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
    const told = tell(event, lines, mine);
    switch (told.kind) {
      case 'nothing':
        break;
      case 'small':
        smalls.push({ ...saidOf(event, 'quiet'), words: told.words });
        break;
      case 'line':
        flush();
        lines.push({
          kind: 'line',
          ...saidOf(event, told.tone),
          tone: told.tone,
          words: told.words,
          detail: told.detail,
        });
        break;
      case 'gapBegins':
        flush();
        lines.push({ kind: 'gap', key: event.id, at: event.at, endedAt: null, heldMs: null, who: told.who, sentence: '', note: null });
        break;
      case 'gapEnds':
        flush();
        endGap(lines, event, told);
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
    const told = tell(event, [], NOBODY);
    if (told.kind === 'line' || told.kind === 'small') return text(told.words);
  }
  return null;
}

/** Returns what the line of an event has beside its words. */
function saidOf(event: Event, tone: Tone): Omit<Said, 'words'> {
  const acted = event.type === 'sandbox.agent.action' ? event.data : null;
  return { key: event.id, at: event.at, picture: acted?.picture ?? null, step: acted?.action ?? null, topics: topicsOf(event, tone) };
}

function topicsOf(event: Event, tone: Tone): readonly Topic[] {
  const topics: Topic[] = [];
  if (event.type === 'sandbox.approval.requested' || event.type === 'sandbox.approval.decided') topics.push('approvals');
  if (event.type === 'sandbox.network.denied' || event.type === 'sandbox.browser.navigated') topics.push('network');
  if (event.type === 'sandbox.agent.action' && event.data.action != null && ('navigate' in event.data.action || 'newTab' in event.data.action)) topics.push('network');
  if (event.by === 'person' || tone === 'you') topics.push('mine');
  if (tone === 'bad') topics.push('problems');
  return topics;
}

type Told =
  | { kind: 'nothing' }
  | { kind: 'small'; words: Words }
  | { kind: 'line'; tone: Tone; words: Words; detail: string | null }
  | { kind: 'gapBegins'; who: string | null }
  | { kind: 'gapEnds'; heldMs: number | null; sentence: string; note: string | null };

const nothing: Told = { kind: 'nothing' };
/** Who drove is gone, and handed nothing back. */
const LEFT: Told = { kind: 'gapEnds', heldMs: null, sentence: '', note: null };

function line(tone: Tone, words: Words, detail: string | null = null): Told {
  return { kind: 'line', tone, words, detail };
}

/** Tells one event. One whose payload is not what its type says (another version wrote it) is left out, and not the whole story. */
function tell(event: Event, before: readonly StoryLine[], mine: ReadonlySet<string>): Told {
  try {
    return tellKnown(event, before, mine);
  } catch {
    return nothing;
  }
}

function tellKnown(event: Event, before: readonly StoryLine[], mine: ReadonlySet<string>): Told {
  switch (event.type) {
    case 'sandbox.agent.action':
      return tellAction(event, before);
    case 'sandbox.agent.step': {
      const { text: thought, model } = event.data;
      if (!thought) return nothing;
      // What a model thought is worth a line of its own; a playbook's step is told by what it did.
      return model ? line('quiet', [plain(thought)]) : { kind: 'small', words: [plain(thought)] };
    }
    case 'sandbox.agent.message':
      return tellMessage(event);
    case 'sandbox.agent.task.started':
      return line('quiet', event.data.title ? [plain('Started '), strong(event.data.title)] : [plain('Started')]);
    case 'sandbox.agent.task.completed':
      return line('good', [strong('Done')], event.data.result || null);
    case 'sandbox.agent.task.failed':
      return line('bad', [strong('Stopped')], event.data.error?.message ?? null);
    case 'sandbox.agent.task.cancelled':
      return line('quiet', [plain('You stopped the task')]);
    case 'sandbox.handoff.requested':
      // Who drove is gone without handing back: what follows is told again.
      if (event.data.again) return openGap(before) === null ? line('needs', [plain('Waits for you again')]) : LEFT;
      // A person who takes the wheel unasked is recorded as a request of theirs: the gap says it all.
      return event.by === 'person' ? nothing : line('needs', askedWords(event.data.message));
    case 'sandbox.approval.requested':
      return line('needs', [plain('Asked you: '), strong(event.data.summary || 'may it go on')], event.data.destination || null);
    case 'sandbox.approval.decided':
      return tellDecision(event.data.status, event.data.note || event.data.reason || null);
    case 'sandbox.handoff.accepted':
      return { kind: 'gapBegins', who: driverOf(event.data, mine) };
    case 'sandbox.handoff.completed':
      return handedBack(event.data);
    case 'sandbox.handoff.cancelled':
      return openGap(before) === null ? line('quiet', [plain('The request was called off')]) : LEFT;
    case 'sandbox.handoff.expired':
      return line('quiet', [plain('The request ran out of time')]);
    case 'sandbox.exec.completed': {
      // Commands of the task are told by their step already.
      if (event.by === 'agent') return nothing;
      const { command, exitCode } = event.data;
      const words = [plain('Ran '), code(firstLine(command))];
      return exitCode === 0 ? line('quiet', words) : line('bad', [...words, plain(`, which failed (${exitCode})`)]);
    }
    case 'sandbox.file.changed': {
      const { path, change } = event.data;
      if (change === 'downloaded') return line(event.by === 'person' ? 'you' : 'agent', [plain('Downloaded '), code(path)]);
      if (event.by !== 'person' && event.by !== 'api') return nothing;
      return line('quiet', [plain(change === 'removed' ? 'Deleted ' : 'Added '), code(path)]);
    }
    case 'sandbox.document.converted':
      // What came of it is told as kept.
      return nothing;
    case 'sandbox.artifacts.updated':
      return event.data.deleted ? line('quiet', [plain('Deleted '), code(event.data.name)]) : line('good', [plain('Kept '), code(event.data.name)]);
    case 'sandbox.checkpoint.created':
      // One that was taken by itself is listed, and is no news.
      return event.data.automatic ? nothing : line('quiet', [plain('Took a checkpoint'), ...labelled(event.data.label)]);
    case 'sandbox.checkpoint.restored':
      return line('quiet', [plain(event.data.from == null ? 'Went back to a checkpoint' : 'Began from a checkpoint'), ...labelled(event.data.label)]);
    case 'sandbox.network.denied':
      return line('bad', [plain('Was kept from '), strong(event.data.host)], event.data.reason || null);
    case 'sandbox.credential.used': {
      const { site, username, passkey, source } = event.data;
      const by = passkey === true ? ' with the passkey of ' : ' with ';
      const user = username == null ? [plain(passkey === true ? ' with a passkey' : '')] : [plain(by), strong(username)];
      return line('agent', [plain('Signs in at '), strong(shortAddress(site)), ...user, plain(` (${KEEPERS[source ?? 'local']})`)]);
    }
    case 'sandbox.browser.navigated':
      // Where an action led is told by the action; an address the page changed by itself is noise.
      return event.by === 'api' ? line('quiet', [plain('Opened '), strong(shortAddress(event.data.url))]) : nothing;
    case 'sandbox.browser.dialog':
      return tellDialog(event.data.state, event.data.message, event.data.handoff?.message ?? null);
    case 'sandbox.browser.failed':
      return line('bad', [plain('The browser stopped')], event.data.message || null);
    case 'sandbox.recovered':
      return line('quiet', [plain(recovered(event.data.part))]);
    case 'sandbox.failed':
      return line('bad', [strong('The sandbox failed')], event.data.message || null);
    case 'sandbox.paused':
      return line('quiet', [plain('Paused')]);
    case 'sandbox.resumed':
      return line('quiet', [plain('Resumed')]);
    case 'sandbox.ended':
      return line('quiet', [plain('The sandbox ended')], event.data.message ?? null);
    case 'sandbox.created':
    case 'sandbox.assigned':
    case 'sandbox.ready':
    case 'sandbox.agent.ready':
    case 'sandbox.browser.ready':
    case 'sandbox.agent.task.queued':
    case 'sandbox.control.changed':
    // A newer runtime may have types that this page does not know. They are left out of the story, not made up.
    case 'unknown':
      return nothing;
  }
}

const labelled = (label: string | null | undefined) => (label == null ? [] : [plain(': '), strong(plainName(label))]);

function handedBack({ receipt, note }: Payload<'sandbox.handoff.completed'>): Told {
  return { kind: 'gapEnds', heldMs: receipt?.heldMs ?? null, sentence: receipt ? receiptSentence(receipt) : '', note: note || null };
}

/** A part that ended or hung is back. */
function recovered(part: SandboxPart): string {
  switch (part) {
    case 'browser':
      return 'The browser was started again, with its tabs';
    case 'display':
    case 'desktop':
      return 'The browser was started again with its screen';
    case 'shell':
      return 'The place for commands was started again; what ran in it has ended';
  }
}

function tellMessage(event: EventOf<'sandbox.agent.message'>): Told {
  const said = event.data.text;
  if (!said) return nothing;
  switch (event.by) {
    case 'person':
      return line('you', [strong('You:'), plain(` ${said}`)]);
    case 'api':
      return line('quiet', [strong('A program:'), plain(` ${said}`)]);
    case 'agent':
    case 'system':
      return line('agent', [plain(said)]);
  }
}

const capitalised = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

/** A dialog of the browser's own: one that stands needs somebody, one that was refused or left open is only told. */
function tellDialog(state: DialogState, message: string, ask: string | null): Told {
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
  }
}

function tellDecision(status: ApprovalStatus, why: string | null): Told {
  switch (status) {
    case 'approved':
      return line('you', [plain('You approved it')], why);
    case 'denied':
      return line('you', [plain('You denied it: it was not done')], why);
    case 'void':
      return line('quiet', [plain('The question is void: nothing was done by it')], why);
    case 'superseded':
    case 'pending':
      return nothing;
  }
}

function tellAction(event: EventOf<'sandbox.agent.action'>, before: readonly StoryLine[]): Told {
  const { data } = event;
  const action = data.action ?? null;
  if (action !== null && toldByItsEvent(action, data, before)) return nothing;
  if (action !== null && 'download' in action && data.path && isDownload(before.at(-1))) return line('agent', [plain('Put it at '), code(data.path)]);
  // A reference is a name for programs only: the runtime's own words name the element.
  const named = action !== null && isNameless(action) ? said(data) : null;
  const saying = named ?? sayStep(action) ?? said(data);
  if (saying === null) return nothing;
  if (data.error) return line('bad', [plain('Could not: '), ...lowerFirst(saying.words)], data.error.message);
  if (event.by === 'api') return line('quiet', [strong('A program:'), plain(' '), ...lowerFirst(saying.words)]);
  if (saying.small) return { kind: 'small', words: saying.words };
  return line(event.by === 'person' ? 'you' : 'agent', saying.words);
}

/** A result that is kept, a file that came, a person who was asked: each has an event of its own, and the action would say it twice. */
function toldByItsEvent(action: ToldStep, data: Payload<'sandbox.agent.action'>, before: readonly StoryLine[]): boolean {
  if ('artifact' in action) return data.artifact != null;
  if ('handoff' in action) return data.error == null;
  const last = before.at(-1);
  return 'download' in action && isDownload(last) && text(last.words) === `Downloaded ${data.path ?? ''}`;
}

function isDownload(last: StoryLine | undefined): last is Extract<StoryLine, { kind: 'line' }> {
  return last?.kind === 'line' && text(last.words).startsWith('Downloaded ');
}

/** Whether a step aims at an element by a reference alone. */
function isNameless(action: ToldStep): boolean {
  const aim: Partial<Target> = Object(Object.values(action)[0]);
  return Boolean(aim.ref) && !(aim.name || aim.label || aim.text || aim.placeholder);
}

function said({ summary }: Payload<'sandbox.agent.action'>): Saying | null {
  return !summary ? null : { words: [plain(capitalised(summary))], small: false };
}

function askedWords(message: string): Words {
  return !message ? [plain('Asked for you')] : [plain('Asked you: '), strong(message)];
}

function openGap(lines: readonly StoryLine[]): Extract<StoryLine, { kind: 'gap' }> | null {
  const last = lines.findLast((each) => each.kind === 'gap');
  return last !== undefined && last.endedAt === null ? last : null;
}

function endGap(lines: StoryLine[], { id, at }: Event, { heldMs, sentence, note }: Extract<Told, { kind: 'gapEnds' }>): void {
  const open = openGap(lines);
  if (open === null) {
    // The request was done without anyone driving.
    lines.push({ kind: 'line', key: id, at, tone: 'you', words: [plain('You said it is done')], detail: note, picture: null, step: null, topics: ['mine'] });
    return;
  }
  // What was told during the gap stays in its place; the gap itself is closed where it began.
  lines[lines.indexOf(open)] = { ...open, endedAt: at, heldMs: heldMs ?? at - open.at, sentence, note };
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
function driverOf({ requestId, controller }: Payload<'sandbox.handoff.accepted'>, mine: ReadonlySet<string>): string | null {
  return mine.has(requestId) ? null : plainName(controller) || 'A person';
}

/** Names the request for which somebody drives now, as the events say; `null` when nobody does. */
export function takenRequest(events: readonly Event[]): string | null {
  for (let i = events.length - 1; i >= 0; i -= 1) {
    const event = events[i]!;
    if (event.type === 'sandbox.handoff.accepted') return event.data.requestId;
    if (event.type === 'sandbox.handoff.completed' || event.type === 'sandbox.handoff.cancelled' || event.type === 'sandbox.handoff.expired') return null;
  }
  return null;
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
    if (event.type === 'sandbox.handoff.completed') return event.data.receipt ?? null;
  }
  return null;
}
