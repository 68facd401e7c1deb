/** What carries pictures and words: the one interface behind which WebRTC and the WebSocket are the same. */
import type { FromViewer, ToViewer } from './words';

/** Where the runtime is. `wsUrl` is the stream's address; WHEP lies beside it. */
export interface Endpoint {
  wsUrl: string;
  token: string;
}

export interface Transport {
  /** Says a word; nothing happens if the connection is not up. */
  say(word: FromViewer): void;
  close(): void;
}

export interface TransportEvents {
  onWord(word: ToViewer): void;
  /** A picture is on the screen. `capturedAtUs` is the source's clock, 0 if unknown. */
  onPainted(picture: { capturedAtUs: number; exact: boolean }): void;
  /** The connection is gone; at most once, and nothing follows. */
  onLost(reason: string): void;
}
