/** Follows a route over a WebSocket, for both hosts; comes back by itself while it is wanted. */
import type { LiveEndpoint } from './types';

const PAUSE_MS = 3_000;

export function followRoute(endpoint: () => Promise<LiveEndpoint>, onNews: () => void): () => void {
  let closed = false;
  let socket: WebSocket | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let cut = false;

  const again = () => {
    cut = true;
    if (!closed) timer = setTimeout(() => void connect(), PAUSE_MS);
  };

  const connect = async () => {
    let at: LiveEndpoint;
    try {
      at = await endpoint();
    } catch {
      again();
      return;
    }
    if (closed) return;
    const mine = new WebSocket(at.wsUrl, ['baton', `bearer.${at.token}`]);
    socket = mine;
    mine.onopen = () => {
      // What was told meanwhile was missed.
      if (cut && !closed) onNews();
    };
    mine.onmessage = () => {
      if (!closed) onNews();
    };
    mine.onclose = again;
  };
  void connect();

  return () => {
    closed = true;
    if (timer !== null) clearTimeout(timer);
    socket?.close();
  };
}
