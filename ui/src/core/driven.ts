/**
 * A person who drives and whose page is loaded anew, or loses its connection, goes on driving when it is back.
 *
 * Meanwhile the request stands open again, so that the agent does not go on. Whoever was away for long, or let their time
 * pass, takes control again themselves.
 */
import type { Phase } from './phase';

export interface Driven {
  sandboxId: string;
  requestId: string;
  /** When it was last known that they drove. */
  at: number;
}

const AWAY_MS = 60_000;

/** Decides what to do with the remembered request: go on driving, forget it, or wait for what is not known yet. */
export function afterReturn(driven: Driven | null, sandboxId: string, phase: Phase, now: number): 'drive' | 'forget' | 'wait' {
  if (driven === null || driven.sandboxId !== sandboxId) return 'wait';
  if (phase.kind !== 'needs') return phase.kind === 'starting' || phase.kind === 'handing' ? 'wait' : 'forget';
  if (phase.handoff === null) return 'wait';
  return phase.handoff.requestId === driven.requestId && now - driven.at < AWAY_MS ? 'drive' : 'forget';
}

/** Reads what a tab kept. */
export function readDriven(kept: string | null): Driven | null {
  try {
    const value: unknown = JSON.parse(kept ?? 'null');
    if (typeof value !== 'object' || value === null) return null;
    const { sandboxId, requestId, at } = value as Record<string, unknown>;
    return typeof sandboxId === 'string' && typeof requestId === 'string' && typeof at === 'number' ? { sandboxId, requestId, at } : null;
  } catch {
    return null;
  }
}
