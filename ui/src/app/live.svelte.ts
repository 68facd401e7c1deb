/** One sandbox's live view with its state as the page can follow it; pictures and input are `src/live`'s own. */
import type { Host } from '../host/types';
import { BOX_MS, POINTER_MS } from '../core/aim';
import { LiveView, pictureOf, type LiveState } from '../live';
import type { Aim } from '../types';

/** What the live view that was shown last measured, for reports; `null` before anything was. */
export const measured = $state<{ delayMs: number | null; picture: string }>({ delayMs: null, picture: '' });

export class LiveSeat {
  readonly view: LiveView;
  state = $state.raw() as LiveState;
  /** Where the agent's side points, for a while after it did. */
  aim = $state.raw<Aim | null>(null);
  /** What it means there, for a moment. */
  meant = $state.raw<Aim | null>(null);
  readonly #stopListening: () => void;
  #pointerTimer: ReturnType<typeof setTimeout> | null = null;
  #boxTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(host: Host, sandboxId: string) {
    this.view = new LiveView({ endpoint: () => host.liveEndpoint(sandboxId), mac: host.platform.mac });
    const stops = [
      this.view.onState((state) => {
        this.state = state;
        if (state.delayMs !== null) [measured.delayMs, measured.picture] = [state.delayMs, pictureOf(state)];
        // What a person does is theirs: nothing of the agent's stays drawn over it.
        if (state.control?.mode === 'human' && this.aim !== null) this.#show(null);
      }),
      this.view.onAim((aim) => this.#show(aim)),
    ];
    this.#stopListening = () => stops.forEach((stop) => stop());
  }

  #show(aim: Aim | null): void {
    this.aim = aim;
    if (this.#pointerTimer !== null) clearTimeout(this.#pointerTimer);
    this.#pointerTimer = aim === null ? null : setTimeout(() => (this.aim = null), POINTER_MS);
    // A pointer that only moves on leaves what was said.
    if (aim !== null && aim.action == null) return;
    this.meant = aim;
    if (this.#boxTimer !== null) clearTimeout(this.#boxTimer);
    this.#boxTimer = aim === null ? null : setTimeout(() => (this.meant = null), BOX_MS);
  }

  close(): void {
    this.#stopListening();
    this.#show(null);
    this.view.close();
  }
}
