import type { ErrorBody, ErrorCode } from './generated.js';

/** The runtime refused, or does not answer. */
export class BatonError extends Error {
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** For programs: branch on this. `unreachable` when there was no answer. */
  readonly code: ErrorCode | 'unreachable';
  /** What to do about it. */
  readonly hint: string | undefined;
  readonly details: unknown;

  constructor(status: number, code: ErrorCode | 'unreachable', message: string, more: { hint?: string | null; details?: unknown; cause?: unknown } = {}) {
    super(message, { cause: more.cause });
    this.name = 'BatonError';
    this.status = status;
    this.code = code;
    this.hint = more.hint ?? undefined;
    this.details = more.details;
  }
}

/** Reads a refusal. */
export async function refusal(response: Response): Promise<BatonError> {
  const body: unknown = await response.json().catch(() => null);
  if (!isErrorBody(body)) return new BatonError(response.status, 'internal', `the runtime answered ${response.status}`);
  const { code, message, hint, details } = body.error;
  return new BatonError(response.status, code, message, { ...(hint == null ? {} : { hint }), details });
}

function isErrorBody(body: unknown): body is ErrorBody {
  if (typeof body !== 'object' || body === null || !('error' in body)) return false;
  const { error } = body;
  return typeof error === 'object' && error !== null && 'code' in error && 'message' in error && typeof error.message === 'string';
}
