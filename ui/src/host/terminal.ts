/** One kept terminal over a WebSocket, for both hosts; comes back by itself until it is closed or the terminal has ended. */
import type { TerminalLink, TerminalListener } from '../core/terminals';
import { lastingSocket } from './socket';
import type { LiveEndpoint } from './types';

const PAUSE_MS = 1_500;

/** Joins the terminal at `endpoint`, whose address may carry the size that it is opened with. */
export function joinTerminal(endpoint: (cols: number, rows: number) => Promise<LiveEndpoint>, size: { cols: number; rows: number }, listener: TerminalListener): TerminalLink {
  let { cols, rows } = size;
  let replayed = false;
  const join = () => {
    listener.onState('connecting');
    replayed = false;
    return endpoint(cols, rows);
  };
  const socket = lastingSocket(join, {
    onOpen: () => {
      listener.onState('open');
      sendSize();
    },
    onMessage: (data) => {
      if (data instanceof ArrayBuffer) {
        listener.onShown(new Uint8Array(data), { replayed, first: replayed });
        replayed = false;
      } else replayed = true;
    },
    onLost: (loss) => {
      // The runtime says good-bye where the terminal has ended; one that cannot be joined is not tried for ever.
      const isOver = loss === 'refused' || loss === 'closed';
      listener.onState(isOver ? 'ended' : 'lost');
      return isOver ? null : PAUSE_MS;
    },
  });
  const sendSize = () => socket.send(JSON.stringify({ resize: { cols, rows } }));

  return {
    type: (text) => socket.send(new TextEncoder().encode(text)),
    resize: (width, height) => {
      [cols, rows] = [width, height];
      sendSize();
    },
    close: () => socket.close(),
  };
}
