/** Follows a route over a WebSocket, for both hosts; comes back by itself while it is wanted. */
import { lastingSocket } from './socket';
import type { LiveEndpoint } from './types';

const PAUSE_MS = 3_000;

export function followRoute(endpoint: () => Promise<LiveEndpoint>, onNews: () => void): () => void {
  let wasLost = false;
  const socket = lastingSocket(endpoint, {
    onOpen: () => {
      // What was told meanwhile was missed.
      if (wasLost) onNews();
    },
    onMessage: onNews,
    onLost: () => {
      wasLost = true;
      return PAUSE_MS;
    },
  });
  return () => socket.close();
}
