/** What changed while a person drove, in words: names, never values. */
import type { Receipt } from '../types';
import { count } from './time';
import { code, plain, shortAddress, strong, type Words } from './words';

/** Returns the lines of the receipt, the most telling first. */
export function receiptLines(receipt: Receipt): Words[] {
  const lines: Words[] = [];
  for (const site of receipt.signedInChanged) lines.push([plain('Signed in at '), strong(site)]);
  const moved = receipt.after.url !== receipt.before.url && receipt.after.url !== '';
  if (moved) lines.push([plain('Went to '), strong(receipt.after.title || shortAddress(receipt.after.url))]);
  const tabs = tabWords(receipt);
  if (tabs !== null) lines.push([plain(tabs)]);
  if (receipt.fieldsTouched.length > 0) {
    lines.push([plain(`${count(receipt.fieldsTouched.length, 'field')} touched, values not kept`)]);
  }
  const veiled = receipt.fieldsVeiled ?? [];
  if (veiled.length > 0) {
    lines.push([plain('Still on the page, hidden from the agent and programs: '), strong(veiled.join(', '))]);
  }
  for (const path of receipt.filesArrived.slice(0, 3)) lines.push([plain('Brought in '), code(fileName(path))]);
  if (receipt.filesArrived.length > 3) lines.push([plain(`and ${count(receipt.filesArrived.length - 3, 'more file')}`)]);
  if (lines.length === 0) {
    lines.push([plain(receipt.inputs === 0 ? 'Nothing: you only looked' : 'Nothing that the agent has to know')]);
  }
  return lines;
}

/** Returns the one sentence of the story's gap, without a full stop; empty when nothing is worth telling. */
export function receiptSentence(receipt: Receipt): string {
  if (receipt.signedInChanged.length > 0) return `Signed in at ${receipt.signedInChanged.join(' and ')}`;
  if (receipt.filesArrived.length > 0) return `Brought in ${count(receipt.filesArrived.length, 'file')}`;
  const moved = receipt.after.url !== receipt.before.url && receipt.after.url !== '';
  if (moved) return `Went to ${receipt.after.title || shortAddress(receipt.after.url)}`;
  if (receipt.fieldsTouched.length > 0) return `${count(receipt.fieldsTouched.length, 'field')} touched`;
  return receipt.inputs === 0 ? 'Only looked' : '';
}

function tabWords(receipt: Receipt): string | null {
  const opened = receipt.tabsOpened.length;
  const closed = receipt.tabsClosed.length;
  if (opened === 0 && closed === 0) return null;
  if (closed === 0) return `Opened ${count(opened, 'tab')}`;
  if (opened === 0) return `Closed ${count(closed, 'tab')}`;
  return `Opened ${count(opened, 'tab')}, closed ${closed}`;
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
