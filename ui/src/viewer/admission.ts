/**
 * From a link to the right to look: the address carries a one-time ticket in its fragment, which is taken out of the address
 * at once and exchanged for a token of this tab.
 */
import type { ViewerMode } from '../live/words';

export interface Admission {
  token: string;
  sandboxId: string;
  mode: ViewerMode;
}

export type Admitted =
  | { kind: 'admitted'; admission: Admission }
  /** The ticket was used, expired or revoked, or there is none. */
  | { kind: 'refused' }
  /** The runtime did not answer; the ticket is still good. */
  | { kind: 'unreachable' };

const KEPT = 'baton.viewer';

/** Takes the ticket out of the address and its history. */
export function takeTicket(): string | null {
  const fragment = location.hash.slice(1);
  if (fragment === '') return null;
  history.replaceState(null, '', location.pathname + location.search);
  return new URLSearchParams(fragment).get('ticket') ?? fragment;
}

/** Exchanges a ticket; without one, takes what this tab was admitted with before (a reload). */
export async function admit(ticket: string | null): Promise<Admitted> {
  if (ticket === null) return fromKept(sessionStorage.getItem(KEPT));
  let response: Response;
  try {
    response = await fetch('/v1/tickets/redeem', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ticket }),
    });
  } catch {
    return { kind: 'unreachable' };
  }
  const body: unknown = await response.json().catch(() => null);
  const admission = response.ok ? parseAdmission(body) : null;
  if (admission === null) return response.status >= 500 ? { kind: 'unreachable' } : { kind: 'refused' };
  sessionStorage.setItem(KEPT, JSON.stringify(admission));
  return { kind: 'admitted', admission };
}

export function fromKept(kept: string | null): Admitted {
  let value: unknown = null;
  try {
    value = kept === null ? null : JSON.parse(kept);
  } catch {
    // Somebody else's words in our place: as good as none.
  }
  const admission = parseAdmission(value);
  return admission === null ? { kind: 'refused' } : { kind: 'admitted', admission };
}

export function parseAdmission(value: unknown): Admission | null {
  if (typeof value !== 'object' || value === null) return null;
  const { token, sandboxId, mode } = value as Record<string, unknown>;
  if (typeof token !== 'string' || typeof sandboxId !== 'string') return null;
  if (mode !== 'watch' && mode !== 'control') return null;
  return { token, sandboxId, mode };
}
