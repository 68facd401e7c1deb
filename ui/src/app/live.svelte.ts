/** One sandbox's live view with its state as the page can follow it; pictures and input are `src/live`'s own. */
import type { Host } from '../host/types';
import { LiveView, type LiveState } from '../live';

export class LiveSeat {
  readonly view: LiveView;
  state = $state.raw() as LiveState;
  readonly #stopListening: () => void;

  constructor(host: Host, sandboxId: string) {
    this.view = new LiveView({ endpoint: () => host.liveEndpoint(sandboxId), mac: host.platform.mac });
    this.#stopListening = this.view.onState((state) => (this.state = state));
  }

  close(): void {
    this.#stopListening();
    this.view.close();
  }
}
