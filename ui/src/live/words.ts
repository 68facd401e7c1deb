/** The words between a live view and the runtime, as the runtime defines them. */
export type { Aim } from '../types/generated/Aim';
export type { ControlMode } from '../types/generated/ControlMode';
export type { ControlView } from '../types/generated/ControlView';
export type { FromViewer } from '../types/generated/FromViewer';
export type { InputEvent } from '../types/generated/InputEvent';
export type { Screen } from '../types/generated/Screen';
export type { ToViewer } from '../types/generated/ToViewer';
export type { ViewerMode } from '../types/generated/ViewerMode';

import { plainDeep } from '../core/plain';
import type { ToViewer } from '../types/generated/ToViewer';

const KINDS: ReadonlySet<string> = new Set<ToViewer['type']>([
  'welcome',
  'pong',
  'screen',
  'control',
  'denied',
  'clipboard',
  'composing',
  'cursor',
  'aim',
  'ended',
]);

/** Reads one word of the runtime; `null` for what this version does not know. */
export function parseWord(text: string): ToViewer | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || !('type' in value)) return null;
  // The runtime made it: which word it is says what is in it.
  if (typeof value.type !== 'string' || !KINDS.has(value.type)) return null;
  // What was copied is the person's, as it is; the rest is shown.
  return value.type === 'clipboard' ? (value as ToViewer) : plainDeep(value as ToViewer);
}
