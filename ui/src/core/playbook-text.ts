/** A playbook as text while it is written: where its steps are, what is wrong with them, and what its parameters are. */
import { parser } from '@lezer/yaml';
import { nearest, shapeOf, STEPS } from './steps';

type SyntaxNode = ReturnType<typeof parser.parse>['topNode'];

/** A mistake, from letter to letter. */
export interface Mistake {
  from: number;
  to: number;
  message: string;
  /** What to put in its place. */
  instead: string | null;
}

export interface StepAt {
  name: string;
  from: number;
  to: number;
}

export interface Param {
  name: string;
  /** `null` for one that must be given. */
  value: string | null;
}

/** What stands at a place: the name of a step, a field of a step, or the value of a field. */
export type Place =
  | { kind: 'step' }
  | { kind: 'field'; step: string; taken: readonly string[] }
  | { kind: 'value'; step: string; field: string }
  | { kind: 'else' };

const TOP = ['name', 'params', 'steps'];

/** Returns the mistakes that can be seen without the runtime, in their order. */
export function mistakes(text: string): Mistake[] {
  const found: Mistake[] = [];
  for (const pair of pairs(topOf(text))) {
    const key = keyOf(pair, text);
    if (key !== null && !TOP.includes(key.name)) found.push(unknown('field', key, TOP));
  }
  for (const { key, value } of stepPairs(text)) {
    const shape = shapeOf(key.name);
    if (shape === null) {
      found.push(unknown('step', key, Object.keys(STEPS)));
      continue;
    }
    if (value === null) continue;
    if (!isMapping(value)) {
      const whole = text.slice(value.from, value.to);
      if (shape.bare !== true && isScalar(value)) found.push({ from: value.from, to: value.to, message: `${key.name} takes fields: ${key.name}: { ${neededOf(shape.fields).join(': …, ') || Object.keys(shape.fields)[0]}: … }`, instead: null });
      else if (key.name === 'dialog') checkValue('answer', shape.fields.answer?.values, value, whole, found);
      continue;
    }
    const given: string[] = [];
    for (const pair of pairs(value)) {
      const field = keyOf(pair, text);
      if (field === null) continue;
      given.push(field.name);
      const known = shape.fields[field.name];
      const held = valueOf(pair);
      if (known === undefined) found.push(unknown(`field of ${key.name}`, field, Object.keys(shape.fields)));
      else if (field.name !== 'role' && held !== null && isScalar(held)) checkValue(field.name, known.values, held, text.slice(held.from, held.to), found);
    }
    for (const name of neededOf(shape.fields)) if (!given.includes(name)) found.push({ from: key.from, to: key.to, message: `${key.name} needs ${name}: ${shape.fields[name]!.says.toLowerCase()}`, instead: null });
  }
  return found.sort((a, b) => a.from - b.from);
}

/** Returns the steps of a playbook, each with where it stands. */
export function stepsOf(text: string): StepAt[] {
  return items(text).map((item) => {
    const pair = pairs(item.firstChild).at(0);
    const key = pair === undefined ? null : keyOf(pair, text);
    return { name: key?.name ?? '', from: item.from, to: item.to };
  });
}

/** Returns the number of the step at a place, from 0; `null` outside of the steps. */
export function stepIndexAt(text: string, at: number): number | null {
  const line = text.slice(0, at).lastIndexOf('\n') + 1;
  const end = text.indexOf('\n', at);
  const found = stepsOf(text).findIndex((step) => step.from <= (end === -1 ? text.length : end) && step.to >= line);
  return found === -1 ? null : found;
}

/** Returns the playbook without the steps before one, to go on where a job stands. */
export function fromStep(text: string, index: number): string {
  const steps = stepsOf(text);
  const [first, wanted] = [steps[0], steps[index]];
  if (first === undefined || wanted === undefined || index === 0) return text;
  const dash = (step: StepAt) => text.lastIndexOf('-', step.from);
  return text.slice(0, dash(first)) + text.slice(dash(wanted));
}

/** Returns the number of the step, from 0, that a failure names: "Step 4, click: …". */
export function failedStep(message: string | null | undefined): number | null {
  const n = /\bstep (\d+)\b/i.exec(message ?? '')?.[1];
  return n === undefined ? null : Number(n) - 1;
}

/** Returns the parameters with their defaults, in their order. */
export function paramsOf(text: string): Param[] {
  const params = pairs(topOf(text)).find((pair) => keyOf(pair, text)?.name === 'params');
  const value = params === undefined ? null : valueOf(params);
  return pairs(value).flatMap((pair) => {
    const key = keyOf(pair, text);
    const held = valueOf(pair);
    const written = held === null ? '' : text.slice(held.from, held.to).trim();
    if (key === null) return [];
    return [{ name: key.name, value: written === '' || written === '~' || written === 'null' ? null : unquoted(written) }];
  });
}

/** Returns what may be written at a place. */
export function placeAt(text: string, at: number): Place {
  const lineFrom = text.lastIndexOf('\n', at - 1) + 1;
  const before = text.slice(lineFrom, at);
  if (!/^steps:/m.test(text.slice(0, at))) return { kind: 'else' };
  if (/^\s*-\s*[\w]*$/.test(before)) return { kind: 'step' };
  const step = stepsOf(text).findLast((each) => each.from <= at);
  if (step === undefined || shapeOf(step.name) === null) return { kind: 'else' };
  const inFlow = /[{,]\s*([\w]*)$/.test(before);
  const inBlock = /^\s+[\w]*$/.test(before) && text.slice(step.from, at).includes('\n');
  // A field within a field, such as `until: { url`, has names of its own.
  if ((before.match(/\{/g)?.length ?? 0) - (before.match(/\}/g)?.length ?? 0) > 1) return { kind: 'else' };
  if (inFlow || inBlock) return { kind: 'field', step: step.name, taken: [...text.slice(step.from, step.to).matchAll(/[{,\n]\s*(\w+):/g)].map((match) => match[1]!) };
  const field = /[{,\s](\w+):\s*[\w/-]*$/.exec(before)?.[1];
  if (field === undefined) return { kind: 'else' };
  return field === step.name ? { kind: 'value', step: step.name, field: 'answer' } : { kind: 'value', step: step.name, field };
}

function checkValue(name: string, values: readonly string[] | undefined, node: SyntaxNode, written: string, found: Mistake[]): void {
  const value = unquoted(written);
  if (values === undefined || value.includes('{{') || values.includes(value) || (values[0] === 'true' && value === 'false')) return;
  const near = nearest(value, values);
  found.push({ from: node.from, to: node.to, message: near === null ? `${name} is one of ${values.join(', ')}` : `unknown ${name} ${value}: did you mean ${near}?`, instead: near });
}

function unknown(what: string, key: { name: string; from: number; to: number }, names: readonly string[]): Mistake {
  const near = nearest(key.name, names);
  return { from: key.from, to: key.to, message: near === null ? `unknown ${what} ${key.name}` : `unknown ${what} ${key.name}: did you mean ${near}?`, instead: near };
}

const neededOf = (fields: Readonly<Record<string, { needed?: boolean }>>) => Object.keys(fields).filter((name) => fields[name]!.needed === true);
const isMapping = (node: SyntaxNode) => node.name === 'FlowMapping' || node.name === 'BlockMapping';
const isScalar = (node: SyntaxNode) => node.name === 'Literal' || node.name === 'QuotedLiteral';
const unquoted = (written: string) => written.replace(/^(["'])(.*)\1$/s, '$2');

/** The text that was read last: several things are asked of each. */
let last: { text: string; top: SyntaxNode | null } | null = null;

function topOf(text: string): SyntaxNode | null {
  if (last?.text !== text) last = { text, top: parse(text) };
  return last.top;
}

function parse(text: string): SyntaxNode | null {
  const document = parser.parse(text).topNode.firstChild;
  return document?.firstChild?.name === 'BlockMapping' || document?.firstChild?.name === 'FlowMapping' ? document.firstChild : null;
}

function pairs(mapping: SyntaxNode | null): SyntaxNode[] {
  return mapping === null || !isMapping(mapping) ? [] : mapping.getChildren('Pair');
}

function keyOf(pair: SyntaxNode, text: string): { name: string; from: number; to: number } | null {
  const key = pair.getChild('Key');
  return key === null ? null : { name: unquoted(text.slice(key.from, key.to)), from: key.from, to: key.to };
}

function valueOf(pair: SyntaxNode): SyntaxNode | null {
  const last = pair.lastChild;
  return last === null || last.name === 'Key' || last.name === ':' ? null : last;
}

function items(text: string): SyntaxNode[] {
  const steps = pairs(topOf(text)).find((pair) => keyOf(pair, text)?.name === 'steps');
  const list = steps === undefined ? null : valueOf(steps);
  return list === null ? [] : list.getChildren('Item');
}

function stepPairs(text: string): { key: { name: string; from: number; to: number }; value: SyntaxNode | null }[] {
  return items(text).flatMap((item) => {
    const [pair] = pairs(item.firstChild);
    const key = pair === undefined ? null : keyOf(pair, text);
    return pair === undefined || key === null ? [] : [{ key, value: valueOf(pair) }];
  });
}
