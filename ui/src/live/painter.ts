/**
 * Paints the pictures of one connection on the surface, whatever carries them, and says which ones are shown.
 *
 * Pictures are lossless; what moves like a film comes as H.264 for WebCodecs. A decoder that fails is not tried again on this
 * connection: everything is lossless then.
 */
import { H264Decoder } from './h264';
import { Order } from './order';
import { parsePicture } from './picture';
import type { Film, Picture } from './picture';
import type { Surface } from './surface';
import type { FromViewer } from './words';

/** Longer than any picture takes to decode: the decoder holds it back. */
const DECODE_DEADLINE_MS = 1_000;

/** Pictures so many times smaller, and so many a second at most; without these, as they are and come. */
export interface Wants {
  scale?: number;
  rate?: number;
}

export interface PainterOptions {
  surface: Surface;
  decodesH264: boolean;
  wants?: Wants;
  say: (word: FromViewer) => void;
  onPainted: (picture: { capturedAtUs: number; exact: boolean }) => void;
}

export class Painter {
  readonly #options: PainterOptions;
  readonly #order: Order<Picture, VideoFrame>;
  #decoder: H264Decoder | null = null;
  #decodes: boolean;
  #deadline: ReturnType<typeof setTimeout> | null = null;
  /** Asked for pictures from a whole one on; what is still on the way from before is not decoded. */
  #awaitsKey = true;
  #over = false;

  constructor(options: PainterOptions) {
    this.#options = options;
    this.#decodes = options.decodesH264;
    this.#order = new Order<Picture, VideoFrame>({
      paint: (picture, frame) => this.#paint(picture, frame),
      skip: (picture) => this.#shown(picture),
      drop: (frame) => frame.close(),
    });
  }

  /** Asks for pictures from a whole one on. */
  hello(): void {
    this.#forgetPictures();
    this.#awaitsKey = true;
    this.#options.say({ type: 'hello', h264: this.#decodes, ...this.#options.wants });
  }

  /** Takes one picture; throws `BadPicture` if it cannot be read. */
  receive(message: ArrayBuffer): void {
    if (this.#over) return;
    const picture = parsePicture(message);
    if (picture.kind === 'lossless') this.#order.ready(picture.number, picture);
    else this.#decode(picture);
  }

  /** Nothing is painted or said any more. */
  close(): void {
    this.#over = true;
    this.#forgetPictures();
  }

  #decode(picture: Film): void {
    if (picture.key) this.#awaitsKey = false;
    if (this.#awaitsKey || !this.#decodes) {
      this.#shown(picture);
      this.#watch(() => this.hello());
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
    this.hello();
  }

  #paint(picture: Picture, frame: VideoFrame | null): void {
    this.#unwatch();
    if (this.#order.waiting) this.#watch(() => this.#giveUpDecoding());
    const { surface } = this.#options;
    if (picture.kind === 'lossless') {
      surface.draw(picture);
    } else if (frame !== null) {
      surface.drawFrame(frame, picture.part, picture.screen);
      // At once: WebKit's decoder stops when its frames are not given back.
      frame.close();
    }
    this.#shown(picture);
    this.#options.onPainted(picture);
  }

  #shown(picture: Picture): void {
    this.#options.say({ type: 'shown', picture: picture.number });
  }

  #forgetPictures(): void {
    this.#unwatch();
    this.#order.clear();
    this.#decoder?.close();
    this.#decoder = null;
  }
}
