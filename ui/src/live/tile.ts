/**
 * A small picture of a sandbox's screen, a few times a second: for the wall, where many are seen at once. It only shows, and
 * comes back by itself.
 */
import { pauseBefore } from './backoff';
import { SocketTransport } from './socket-transport';
import { Surface } from './surface';
import type { Endpoint, Transport } from './transport';

export interface TileOptions {
  /** Asked before each connection: the runtime may have moved. */
  endpoint: () => Promise<Endpoint>;
  /** How many times smaller than the screen the pictures are. */
  scale: number;
  /** Pictures a second, at most. */
  rate: number;
}

/** The runtime takes a page that says nothing for 90 s for gone. */
const PING_MS = 30_000;

/** Shows the tile in a canvas; returns what ends it. */
export function showTile(canvas: HTMLCanvasElement, { endpoint, scale, rate }: TileOptions, onShown: (shown: boolean) => void): () => void {
  let over = false;
  let tries = 0;
  let transport: Transport | null = null;
  let retry: ReturnType<typeof setTimeout> | null = null;
  const surface = new Surface(canvas);
  const pings = setInterval(() => transport?.say({ type: 'ping', sentAt: performance.now() }), PING_MS);

  const connect = async () => {
    let at: Endpoint;
    try {
      at = await endpoint();
    } catch {
      lost();
      return;
    }
    if (over) return;
    const socket = new SocketTransport(at, surface, false, {
      onWord: (word) => {
        if (word.type === 'welcome') tries = 0;
        if (word.type === 'ended') end();
      },
      onPainted: () => onShown(true),
      onLost: lost,
    }, { scale, rate });
    transport = socket;
  };

  const lost = () => {
    if (over) return;
    transport = null;
    onShown(false);
    tries += 1;
    retry = setTimeout(() => void connect(), pauseBefore(tries, Math.random()));
  };

  const end = () => {
    over = true;
    clearInterval(pings);
    if (retry !== null) clearTimeout(retry);
    transport?.close();
    transport = null;
  };

  void connect();
  return end;
}
