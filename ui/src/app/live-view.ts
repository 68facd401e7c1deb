/** Opens the live view of `src/live`, as the rest of the interface uses it. */
import type { Host } from '../host/types';
import { LiveView as View } from '../live';
import type { LiveView } from './live.svelte';

export function openLiveView(host: Host, sandboxId: string): LiveView {
  return new View({ endpoint: () => host.liveEndpoint(sandboxId), mac: host.platform.mac });
}
