import type { Event, EventEnvelope } from './generated.js';

/** What a webhook delivery says: an event with the metadata of its task, or a test. `switch (payload.type)` tells them apart. */
export type WebhookPayload =
  | {
      [E in Event as E['type']]: {
        type: E['type'];
        timestamp: string;
        data: EventEnvelope & { data: E['data']; metadata?: Record<string, unknown> };
      };
    }[Event['type']]
  | { type: 'webhook.test'; timestamp: string; data: { webhookId: string; message: string } };

export interface VerifyOptions {
  /** How far the delivery's clock may be from ours; 300 seconds by default. */
  toleranceSeconds?: number;
  /** Seconds since the epoch; now unless said. */
  now?: number;
}

/** A delivery is not from who holds the secret, is too old, or is none. */
export class WebhookError extends Error {
  override readonly name = 'WebhookError';
}

/**
 * Checks the signature of a webhook delivery (Standard Webhooks) and returns what it says.
 *
 * `body` is the body as it came, before any parsing. Throws {@link WebhookError}.
 */
export async function verifyWebhook(
  body: string | Uint8Array<ArrayBuffer>,
  headers: Headers | Record<string, string | string[] | undefined>,
  secret: string,
  { toleranceSeconds = 300, now = Date.now() / 1000 }: VerifyOptions = {},
): Promise<WebhookPayload> {
  const id = header(headers, 'webhook-id');
  const timestamp = header(headers, 'webhook-timestamp');
  const seconds = Number(timestamp);
  if (!/^\d+$/.test(timestamp) || Math.abs(now - seconds) > toleranceSeconds) {
    throw new WebhookError('the delivery is too old, or its clock is wrong');
  }
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body);
  const key = await crypto.subtle.importKey('raw', bytes(secret.replace(/^whsec_/, '')), { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${text}`);
  for (const signature of header(headers, 'webhook-signature').split(' ')) {
    const [version, value] = signature.split(',', 2);
    // `verify` takes the same time whatever differs.
    if (version === 'v1' && value && (await crypto.subtle.verify('HMAC', key, bytes(value), signed))) {
      return JSON.parse(text) as WebhookPayload;
    }
  }
  throw new WebhookError('no signature of the delivery fits');
}

function header(headers: Headers | Record<string, string | string[] | undefined>, name: string): string {
  const found = headers instanceof Headers ? headers.get(name) : Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  const value = Array.isArray(found) ? found[0] : found;
  if (value === undefined || value === null) throw new WebhookError(`the header ${name} is missing`);
  return value;
}

function bytes(base64: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  } catch {
    throw new WebhookError('a signature or the secret is no base64');
  }
}
