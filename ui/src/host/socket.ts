/**
 * A WebSocket of the runtime that comes back by itself until it is closed; for both hosts.
 *
 * ```text
 *   connecting ──open──▶ open ──lost──▶ after a pause, or retryNow: connecting
 * ```
 */
import type { LiveEndpoint } from './types';

/** How a connection ended, or did not begin: no address could be had, it was refused, closed by the runtime, or cut off. */
export type Loss = 'noEndpoint' | 'refused' | 'closed' | 'cut';

export interface SocketListener {
  onOpen?: () => void;
  onMessage: (data: unknown) => void;
  /** Returns how many milliseconds to wait before it connects again, or `null` to give up. */
  onLost: (loss: Loss) => number | null;
}

export interface LastingSocket {
  /** Sends while it is open; otherwise what is sent is lost. */
  send(data: string | Uint8Array<ArrayBuffer>): void;
  /** Connects now instead of after the pause. */
  retryNow(): void;
  close(): void;
}

export function lastingSocket(endpoint: () => Promise<LiveEndpoint>, listener: SocketListener): LastingSocket {
  let closed = false;
  let socket: WebSocket | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;

  const lost = (loss: Loss) => {
    socket = null;
    if (closed) return;
    const pauseMs = listener.onLost(loss);
    if (pauseMs === null) closed = true;
    else timer = setTimeout(() => void connect(), pauseMs);
  };

  const connect = async () => {
    timer = null;
    let at: LiveEndpoint;
    try {
      at = await endpoint();
    } catch {
      // The host cannot say where the runtime is.
      lost('noEndpoint');
      return;
    }
    if (closed) return;
    const mine = new WebSocket(at.wsUrl, ['baton', `bearer.${at.token}`]);
    mine.binaryType = 'arraybuffer';
    socket = mine;
    let opened = false;
    mine.onopen = () => {
      opened = true;
      if (!closed) listener.onOpen?.();
    };
    mine.onmessage = (message: MessageEvent<unknown>) => {
      if (!closed) listener.onMessage(message.data);
    };
    mine.onclose = (event) => {
      if (socket === mine) lost(!opened ? 'refused' : event.wasClean ? 'closed' : 'cut');
    };
  };
  void connect();

  return {
    send(data) {
      if (socket?.readyState === WebSocket.OPEN) socket.send(data);
    },
    retryNow() {
      if (timer === null) return;
      clearTimeout(timer);
      void connect();
    },
    close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      socket?.close();
    },
  };
}
