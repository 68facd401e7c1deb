/** What was recorded of one sandbox, read when it is looked at. */
import type { Recording } from '../types';
import type { Client } from './client';

/** Between two readings of a list that grows. */
const PAUSE_MS = 2_000;

export class Past {
  recordings = $state.raw<readonly Recording[]>([]);
  readonly #client: Client;
  readonly #sandboxId: string;
  #readAt = -Infinity;

  constructor(client: Client, sandboxId: string) {
    this.#client = client;
    this.#sandboxId = sandboxId;
  }

  /** Reads the list, if it may say more about this moment than what is known. */
  async look(at: number): Promise<void> {
    const newest = this.recordings.at(-1);
    const isKnown = newest !== undefined && (newest.growing !== true || at <= newest.endedAt);
    const now = performance.now();
    if (isKnown || now - this.#readAt < PAUSE_MS) return;
    this.#readAt = now;
    try {
      this.recordings = await this.#client.recordings(this.#sandboxId);
    } catch {
      // Pictures of steps are there without one; the next look asks again.
    }
  }

  /** Returns an address at which a video element finds a recording. One that grows is read whole, as it is by now. */
  async film(recording: Recording): Promise<{ url: string; free: () => void }> {
    if (recording.growing !== true) return { url: (await this.#client.artifactUrl(recording.key)).url, free: () => {} };
    const url = URL.createObjectURL(await this.#client.recording(recording.key));
    return { url, free: () => URL.revokeObjectURL(url) };
  }
}
