/** One kept terminal over a WebSocket, for both hosts; comes back by itself until it is closed or the terminal has ended. */
import type { TerminalLink, TerminalListener } from '../core/terminals';
import type { LiveEndpoint } from './types';

const PAUSE_MS = 1_500;

/** Joins the terminal at `endpoint`, whose address may carry the size that it is opened with. */
export function joinTerminal(endpoint: (cols: number, rows: number) => Promise<LiveEndpoint>, size: { cols: number; rows: number }, listener: TerminalListener): TerminalLink {
  let closed = false;
  let socket: WebSocket | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let { cols, rows } = size;

  const again = () => {
    if (closed) return;
    listener.onState('lost');
    timer = setTimeout(() => void connect(), PAUSE_MS);
  };
  const end = () => {
    closed = true;
    listener.onState('ended');
  };

  const connect = async () => {
    listener.onState('connecting');
    let at: LiveEndpoint;
    try {
      at = await endpoint(cols, rows);
    } catch {
      again();
      return;
    }
    if (closed) return;
    const mine = new WebSocket(at.wsUrl, ['baton', `bearer.${at.token}`]);
    mine.binaryType = 'arraybuffer';
    socket = mine;
    let opened = false;
    let replayed = false;
    mine.onopen = () => {
      opened = true;
      listener.onState('open');
      say({ resize: { cols, rows } });
    };
    mine.onmessage = (message: MessageEvent<unknown>) => {
      if (closed) return;
      if (message.data instanceof ArrayBuffer) {
        listener.onShown(new Uint8Array(message.data), { replayed, first: replayed });
        replayed = false;
      } else replayed = true;
    };
    mine.onclose = (event) => {
      if (closed) return;
      // The runtime says good-bye where the terminal has ended; one that cannot be joined is not tried for ever.
      if (event.wasClean || !opened) end();
      else again();
    };
  };
  const say = (words: unknown) => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(words));
  };
  void connect();

  return {
    type: (text) => {
      if (socket?.readyState === WebSocket.OPEN) socket.send(new TextEncoder().encode(text));
    },
    resize: (width, height) => {
      [cols, rows] = [width, height];
      say({ resize: { cols, rows } });
    },
    close: () => {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      socket?.close();
    },
  };
}
