/** The words between a live view and the runtime, as the runtime defines them. */
export type { Aim, ControlMode, ControlView, FromViewer, InputEvent, Screen, ToViewer, ViewerMode } from '../types';

import { plainDeep } from '../core/plain';
import type { ToViewer } from '../types';

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
