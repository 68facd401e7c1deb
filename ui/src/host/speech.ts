/** Follows the speech of one task over a WebSocket, for both hosts; comes back by itself while it is wanted. */
import { lastingSocket } from './socket';
import type { LiveEndpoint } from './types';

const PAUSE_MS = 2_000;

export function followSpeech(endpoint: () => Promise<LiveEndpoint>, onText: (text: string) => void): () => void {
  const socket = lastingSocket(endpoint, {
    onMessage: (data) => {
      const text = textOf(data);
      if (text !== null) onText(text);
    },
    onLost: () => PAUSE_MS,
  });
  return () => socket.close();
}

function textOf(data: unknown): string | null {
  if (typeof data !== 'string') return null;
  try {
    const value: unknown = JSON.parse(data);
    const isText = typeof value === 'object' && value !== null && 'text' in value && typeof value.text === 'string';
    return isText ? (value as { text: string }).text : null;
  } catch {
    return null;
  }
}
