/** One H.264 decoder: access units in, frames out, each named by the number of its picture. */
import { codecOf } from './sps';
import type { Film, Rect } from './picture';

export interface H264Frames {
  /** Called for each decoded picture; whoever gets the frame closes it. */
  onFrame(number: number, frame: VideoFrame): void;
  onError(cause: unknown): void;
}

export class H264Decoder {
  readonly #frames: H264Frames;
  #decoder: VideoDecoder | null = null;
  #sequence = '';
  #closed = false;

  constructor(frames: H264Frames) {
    this.#frames = frames;
  }

  /** Takes one access unit; the first must be a key frame. */
  decode(number: number, { key, part, accessUnit }: Pick<Film, 'key' | 'part' | 'accessUnit'>): void {
    if (this.#closed) return;
    try {
      if (key) this.#configure(accessUnit, part);
      if (this.#decoder === null) throw new Error('the first picture is no key frame');
      this.#decoder.decode(new EncodedVideoChunk({ type: key ? 'key' : 'delta', timestamp: number, data: accessUnit }));
    } catch (cause) {
      this.#frames.onError(cause);
    }
  }

  close(): void {
    this.#closed = true;
    if (this.#decoder !== null && this.#decoder.state !== 'closed') this.#decoder.close();
    this.#decoder = null;
  }

  /** A new sequence (another size or profile) needs a decoder told so; Annex B carries the rest in band. */
  #configure(accessUnit: Uint8Array, { width, height }: Rect): void {
    const codec = codecOf(accessUnit) ?? 'avc1.42e01f';
    const sequence = `${codec} ${width}×${height}`;
    if (this.#decoder !== null && sequence === this.#sequence) return;
    this.#decoder ??= new VideoDecoder({
      output: (frame) => {
        // Closed while the decoder was still at it: nobody else will free this frame.
        if (this.#closed) frame.close();
        else this.#frames.onFrame(frame.timestamp, frame);
      },
      error: (cause) => {
        if (!this.#closed) this.#frames.onError(cause);
      },
    });
    this.#decoder.configure({ codec, optimizeForLatency: true });
    this.#sequence = sequence;
  }
}
