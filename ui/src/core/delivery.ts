/** What became of a message to a webhook, in words. */
import type { Delivery, Webhook } from '../types';
import { waited } from './time';

export interface DeliveryWords {
  /** Whether somebody has to look at it. */
  kind: 'good' | 'waiting' | 'bad';
  words: string;
}

export function deliveryWords(delivery: Delivery, now: number): DeliveryWords {
  switch (delivery.status) {
    case 'delivered':
      return { kind: 'good', words: `Delivered${delivery.attempts > 1 ? ` at attempt ${delivery.attempts}` : ''}` };
    case 'failed':
      return { kind: 'bad', words: `Given up: ${delivery.lastError ?? 'no answer'}` };
    case 'pending': {
      const wait = (delivery.nextAttemptAt ?? now) - now;
      const when = wait > 0 ? `again in ${waited(wait)}` : 'being sent';
      return { kind: 'waiting', words: delivery.lastError == null ? 'Being sent' : `${delivery.lastError}; ${when}` };
    }
  }
}

/** Returns what a webhook is told about. */
export function wantedWords(webhook: Webhook): string {
  return webhook.eventTypes.length === 0 ? 'every event' : webhook.eventTypes.join(', ');
}

/** Reads event types as a person types them: with commas or blanks between. */
export function typesIn(text: string): string[] {
  return text.split(/[\s,]+/).filter((type) => type !== '');
}
