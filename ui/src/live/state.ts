/** What a live view says about itself. */
import type { Carrier } from './choose';
import type { ControlView, Screen, ViewerMode } from './words';

export type Connection =
  | { kind: 'connecting' }
  | { kind: 'live' }
  /** `tries` counts from 1. */
  | { kind: 'lost'; tries: number }
  /** The sandbox is gone; the view does not come back. */
  | { kind: 'ended'; reason: string };

export interface LiveState {
  connection: Connection;
  control: ControlView | null;
  /** Whether this view may act at all. */
  mode: ViewerMode | null;
  screen: Screen | null;
  /** From the person's hand to the picture of it, in ms, as last measured. */
  delayMs: number | null;
  /** What the picture is now: `exact` when every pixel is the sandbox's own, `video` otherwise; empty before the first. */
  transport: '' | 'exact' | 'video';
  carrier: Carrier | null;
  /** Why this carrier, in a sentence. */
  transportWhy: string;
  /** The last refusal, in a sentence, until something is accepted. */
  denied: string | null;
}

export const START: LiveState = {
  connection: { kind: 'connecting' },
  control: null,
  mode: null,
  screen: null,
  delayMs: null,
  transport: '',
  carrier: null,
  transportWhy: '',
  denied: null,
};

/** Returns what the chip shows: `17 ms · exact`. */
export function chip(state: Pick<LiveState, 'delayMs' | 'transport' | 'carrier'>): string {
  const delay = state.delayMs === null ? '' : `${Math.max(Math.round(state.delayMs), 1)} ms`;
  return [delay, pictureOf(state)].filter((part) => part !== '').join(' · ');
}

/** Returns what the picture is, and its way where that is not the usual one: `exact`, `exact · WebRTC`. */
export function pictureOf({ transport, carrier }: Pick<LiveState, 'transport' | 'carrier'>): string {
  return [transport, carrier === 'webrtc' ? 'WebRTC' : ''].filter((part) => part !== '').join(' · ');
}
