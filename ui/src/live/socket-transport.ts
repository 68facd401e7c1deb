/**
 * The live view over one WebSocket: text messages are words, binary ones are pictures for the canvas.
 *
 * Pictures are lossless; what moves like a film comes as H.264 for WebCodecs. A decoder that fails is not tried again on this
 * connection: everything is lossless then.
 */
import { H264Decoder } from './h264';
import { Order } from './order';
import { BadPicture, parsePicture } from './picture';
import type { Film, Picture } from './picture';
import type { Surface } from './surface';
import type { Endpoint, Transport, TransportEvents } from './transport';
import { parseWord } from './words';
import type { FromViewer } from './words';

/** Longer than any picture takes to decode: the decoder holds it back. */
const DECODE_DEADLINE_MS = 1_000;

/** Pictures so many times smaller, and so many a second at most; without these, as they are and come. */
export interface Wants {
  scale?: number;
  rate?: number;
}

export class SocketTransport implements Transport {
  readonly #socket: WebSocket;
  readonly #surface: Surface;
  readonly #events: TransportEvents;
  readonly #wants: Wants;
  readonly #order: Order<Picture, VideoFrame>;
  #decoder: H264Decoder | null = null;
  #decodes: boolean;
  #deadline: ReturnType<typeof setTimeout> | null = null;
  /** Asked for pictures from a whole one on; what is still on the way from before is not decoded. */
  #awaitsKey = true;
  #over = false;

  constructor(endpoint: Endpoint, surface: Surface, decodesH264: boolean, events: TransportEvents, wants: Wants = {}) {
    this.#wants = wants;
    this.#surface = surface;
    this.#decodes = decodesH264;
    this.#events = events;
    this.#order = new Order<Picture, VideoFrame>({
      paint: (picture, frame) => this.#paint(picture, frame),
      skip: (picture) => this.#shown(picture),
      drop: (frame) => frame.close(),
    });
    this.#socket = new WebSocket(endpoint.wsUrl, ['baton', `bearer.${endpoint.token}`]);
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.onopen = () => this.#hello();
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

  /** Asks for pictures from a whole one on. */
  #hello(): void {
    this.#forgetPictures();
    this.#awaitsKey = true;
    this.say({ type: 'hello', h264: this.#decodes, ...this.#wants });
  }

  #receive(data: ArrayBuffer | string): void {
    if (this.#over) return;
    if (typeof data === 'string') {
      const word = parseWord(data);
      if (word !== null) this.#events.onWord(word);
      return;
    }
    try {
      const picture = parsePicture(data);
      if (picture.kind === 'lossless') this.#order.ready(picture.number, picture);
      else this.#decode(picture);
    } catch (cause) {
      if (!(cause instanceof BadPicture)) throw cause;
      // Whoever sends this will not send better: the view says that it is lost, and tries again later.
      this.#socket.close(4000, 'unreadable picture');
      this.#lost(cause.message);
    }
  }

  #decode(picture: Film): void {
    if (picture.key) this.#awaitsKey = false;
    if (this.#awaitsKey || !this.#decodes) {
      this.#shown(picture);
      this.#watch(() => this.#hello());
      return;
    }
    this.#decoder ??= new H264Decoder({
      onFrame: (number, frame) => this.#order.decoded(number, frame),
      onError: () => this.#giveUpDecoding(),
    });
    // In the queue first: a decoder may answer before `decode` returns.
    this.#order.decoding(picture.number, picture);
    this.#decoder.decode(picture.number, picture);
    this.#watch(() => this.#giveUpDecoding());
  }

  /** Does `remedy` if nothing is painted for long. */
  #watch(remedy: () => void): void {
    this.#deadline ??= setTimeout(() => {
      this.#deadline = null;
      remedy();
    }, DECODE_DEADLINE_MS);
  }

  #unwatch(): void {
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    this.#deadline = null;
  }

  #giveUpDecoding(): void {
    if (this.#over || !this.#decodes) return;
    this.#decodes = false;
    this.#hello();
  }

  #paint(picture: Picture, frame: VideoFrame | null): void {
    this.#unwatch();
    if (this.#order.waiting) this.#watch(() => this.#giveUpDecoding());
    if (picture.kind === 'lossless') {
      this.#surface.draw(picture);
    } else if (frame !== null) {
      this.#surface.drawFrame(frame, picture.part, picture.screen);
      // At once: WebKit's decoder stops when its frames are not given back.
      frame.close();
    }
    this.#shown(picture);
    this.#events.onPainted(picture);
  }

  #shown(picture: Picture): void {
    this.say({ type: 'shown', picture: picture.number });
  }

  #forgetPictures(): void {
    this.#unwatch();
    this.#order.clear();
    this.#decoder?.close();
    this.#decoder = null;
  }

  #lost(reason: string): void {
    if (this.#over) return;
    this.#end();
    this.#events.onLost(reason);
  }

  #end(): void {
    this.#over = true;
    this.#forgetPictures();
  }
}
