/** Follows the speech of one task over a WebSocket, for both hosts; comes back by itself while it is wanted. */
import type { LiveEndpoint } from './types';

const PAUSE_MS = 2_000;

export function followSpeech(endpoint: () => Promise<LiveEndpoint>, onText: (text: string) => void): () => void {
  let closed = false;
  let socket: WebSocket | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;

  const again = () => {
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
    mine.onmessage = (message: MessageEvent<unknown>) => {
      const text = textOf(message.data);
      if (text !== null && !closed) onText(text);
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
