/** One step of the story as a line of a playbook, to be written down and run again. */
import type { ToldStep } from '../types';

/** Fields that a step needs and the history does not keep: what a person or an agent typed, wrote or ran. */
const NOT_KEPT: Record<string, readonly string[]> = { type: ['text'], write: ['content'], code: ['code'] };
/** Words that YAML would read as something else than text. */
const MEANS_SOMETHING = /^(true|false|null|yes|no|on|off|~|-?\d[\d_]*(\.\d+)?([eE][-+]?\d+)?|0x[\da-fA-F]+|\d{4}-\d\d(-\d\d.*)?)$/i;

/** Returns the step as YAML, `- click: { role: link, name: Invoices }`; what is not kept is left to be filled in. */
export function stepText(step: ToldStep): string {
  const [name, args] = Object.entries(step)[0] ?? ['', null];
  const missing = (NOT_KEPT[name] ?? []).filter((field) => !isFilled(args, field));
  const whole = missing.length === 0 ? args : { ...Object(args), ...Object.fromEntries(missing.map((field) => [field, ''])) };
  const line = `- ${name}: ${flow(whole ?? {})}`;
  return missing.length === 0 ? line : `${line} # ${missing.join(', ')}: not kept, fill it in`;
}

function isFilled(args: unknown, field: string): boolean {
  const value: unknown = Object(args)[field];
  return typeof value === 'string' && value !== '' && value !== '…';
}

function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    // A reference is good until the page is looked at again: it means nothing in a playbook.
    const fields = Object.entries(value).filter(([name, each]) => each !== null && each !== undefined && name !== 'ref');
    return fields.length === 0 ? '{}' : `{ ${fields.map(([name, each]) => `${name}: ${flow(each)}`).join(', ')} }`;
  }
  if (typeof value !== 'string') return String(value);
  const isPlain = /^[\p{L}\p{N}_./*][\p{L}\p{N}_./*() -]*$/u.test(value) && !value.endsWith(' ') && !value.startsWith('*') && !MEANS_SOMETHING.test(value);
  return isPlain ? value : JSON.stringify(value);
}
