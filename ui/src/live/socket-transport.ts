/** The live view over one WebSocket: text messages are words, binary ones are pictures for the canvas. */
import { Painter } from './painter';
import type { Wants } from './painter';
import { BadPicture } from './picture';
import type { Surface } from './surface';
import type { Endpoint, Transport, TransportEvents } from './transport';
import { parseWord } from './words';
import type { FromViewer } from './words';

export class SocketTransport implements Transport {
  readonly #socket: WebSocket;
  readonly #events: TransportEvents;
  readonly #painter: Painter;
  #over = false;

  constructor(endpoint: Endpoint, surface: Surface, decodesH264: boolean, events: TransportEvents, wants: Wants = {}) {
    this.#events = events;
    this.#painter = new Painter({
      surface,
      decodesH264,
      wants,
      say: (word) => this.say(word),
      onPainted: (picture) => events.onPainted(picture),
    });
    this.#socket = new WebSocket(endpoint.wsUrl, ['baton', `bearer.${endpoint.token}`]);
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.onopen = () => this.#painter.hello();
    this.#socket.onmessage = ({ data }: MessageEvent<ArrayBuffer | string>) => this.#receive(data);
    this.#socket.onclose = ({ reason }) => this.#lost(reason === '' ? 'the connection closed' : reason);
  }

  say(word: FromViewer): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(word));
  }

  close(): void {
    this.#end();
    this.#socket.close(1000);
  }

  #receive(data: ArrayBuffer | string): void {
    if (this.#over) return;
    if (typeof data === 'string') {
      const word = parseWord(data);
      if (word !== null) this.#events.onWord(word);
      return;
    }
    try {
      this.#painter.receive(data);
    } catch (cause) {
      if (!(cause instanceof BadPicture)) throw cause;
      // Whoever sends this will not send better: the view says that it is lost, and tries again later.
      this.#socket.close(4000, 'unreadable picture');
      this.#lost(cause.message);
    }
  }

  #lost(reason: string): void {
    if (this.#over) return;
    this.#end();
    this.#events.onLost(reason);
  }

  #end(): void {
    this.#over = true;
    this.#painter.close();
  }
}
