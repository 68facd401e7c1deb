/**
 * Events as the interface reads them: one member of the union for each type that this page knows, and one for all others.
 *
 * What comes from the runtime passes {@link readEvent} once, at the door; behind it `switch (event.type)` is exhaustive.
 */
import type { Event as KnownEvent, EventEnvelope } from '../types';

/** A type that this page knows. */
export type EventType = KnownEvent['type'];

/** What events of a type hold. */
export type Payload<T extends EventType> = Extract<KnownEvent, { type: T }>['data'];

/** An event of a type that came after this page, or with a payload that is none. */
export type UnknownEvent = EventEnvelope & { type: 'unknown'; kind: string; data: unknown };

export type Event = KnownEvent | UnknownEvent;

/** Events of one type. */
export type EventOf<T extends EventType> = Extract<KnownEvent, { type: T }>;

/** Complete by its type: a type that is missing does not compile. */
const KNOWN: Record<EventType, true> = {
  'sandbox.created': true,
  'sandbox.assigned': true,
  'sandbox.ready': true,
  'sandbox.paused': true,
  'sandbox.resumed': true,
  'sandbox.ended': true,
  'sandbox.failed': true,
  'sandbox.recovered': true,
  'sandbox.agent.ready': true,
  'sandbox.agent.task.queued': true,
  'sandbox.agent.task.started': true,
  'sandbox.agent.task.completed': true,
  'sandbox.agent.task.failed': true,
  'sandbox.agent.task.cancelled': true,
  'sandbox.agent.step': true,
  'sandbox.agent.action': true,
  'sandbox.agent.message': true,
  'sandbox.browser.ready': true,
  'sandbox.browser.failed': true,
  'sandbox.browser.navigated': true,
  'sandbox.browser.dialog': true,
  'sandbox.approval.requested': true,
  'sandbox.approval.decided': true,
  'sandbox.handoff.requested': true,
  'sandbox.handoff.accepted': true,
  'sandbox.handoff.completed': true,
  'sandbox.handoff.cancelled': true,
  'sandbox.handoff.expired': true,
  'sandbox.control.changed': true,
  'sandbox.exec.completed': true,
  'sandbox.file.changed': true,
  'sandbox.document.converted': true,
  'sandbox.checkpoint.created': true,
  'sandbox.checkpoint.restored': true,
  'sandbox.artifacts.updated': true,
  'sandbox.network.denied': true,
  'sandbox.credential.used': true,
};

/** Returns the event that a message of the runtime holds, or `null` for anything else. */
export function readEvent(value: unknown): Event | null {
  if (!isObject(value)) return null;
  const { id, sandboxId, seq, type, data } = value;
  if (typeof id !== 'string' || typeof sandboxId !== 'string' || typeof seq !== 'number' || typeof type !== 'string') return null;
  if (Object.hasOwn(KNOWN, type) && isObject(data)) return value as unknown as KnownEvent;
  return { ...(value as unknown as UnknownEvent), type: 'unknown', kind: type, data };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
