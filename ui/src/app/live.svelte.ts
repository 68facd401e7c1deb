/** One sandbox's live view with its state as the page can follow it; pictures and input are `src/live`'s own. */
import type { Host } from '../host/types';
import { LiveView, type LiveState } from '../live';

/** What the live view that was shown last measured, for reports; `null` before anything was. */
export const measured = $state<{ delayMs: number | null; picture: string }>({ delayMs: null, picture: '' });

export class LiveSeat {
  readonly view: LiveView;
  state = $state.raw() as LiveState;
  readonly #stopListening: () => void;

  constructor(host: Host, sandboxId: string) {
    this.view = new LiveView({ endpoint: () => host.liveEndpoint(sandboxId), mac: host.platform.mac });
    this.#stopListening = this.view.onState((state) => {
      this.state = state;
      if (state.delayMs !== null) [measured.delayMs, measured.picture] = [state.delayMs, state.carrier === 'webrtc' ? 'WebRTC' : state.transport];
    });
  }

  close(): void {
    this.#stopListening();
    this.view.close();
  }
}
