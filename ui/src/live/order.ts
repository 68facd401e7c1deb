/**
 * Keeps pictures in order: a lossless picture that follows a frame of a film is painted after it, however long its decoding takes.
 *
 * Lossless pictures are ready at once, frames of a film when they are decoded. A frame that comes means that earlier ones never will: a
 * decoder may drop a picture, not reorder (the encoder declares zero reordering).
 */

type Entry<T, F> = { number: number; item: T } & ({ kind: 'ready' } | { kind: 'decoding' } | { kind: 'decoded'; frame: F });

export interface Painting<T, F> {
  /** Paints one picture; `frame` belongs to it if it had to be decoded. */
  paint(item: T, frame: F | null): void;
  /** Its frame never came. */
  skip(item: T): void;
  /** Frees a frame that no picture waits for. */
  drop(frame: F): void;
}

export class Order<T, F> {
  readonly #painting: Painting<T, F>;
  #queue: Entry<T, F>[] = [];

  constructor(painting: Painting<T, F>) {
    this.#painting = painting;
  }

  /** Puts a picture that can be painted as soon as it is its turn. */
  ready(number: number, item: T): void {
    this.#queue.push({ number, item, kind: 'ready' });
    this.#advance();
  }

  /** Puts a picture whose frame comes later, by [`decoded`]. */
  decoding(number: number, item: T): void {
    this.#queue.push({ number, item, kind: 'decoding' });
  }

  decoded(number: number, frame: F): void {
    const at = this.#queue.findIndex((entry) => entry.number === number && entry.kind === 'decoding');
    if (at === -1) {
      this.#painting.drop(frame);
      return;
    }
    const dropped = this.#queue.slice(0, at).filter((entry) => entry.kind === 'decoding');
    this.#queue = this.#queue.flatMap((entry, n): Entry<T, F>[] => {
      if (n < at && entry.kind === 'decoding') return [];
      return n === at ? [{ number, item: entry.item, kind: 'decoded', frame }] : [entry];
    });
    for (const entry of dropped) this.#painting.skip(entry.item);
    this.#advance();
  }

  /** Whether a picture waits for its frame. */
  get waiting(): boolean {
    return this.#queue.length > 0;
  }

  /** Forgets everything that waits. */
  clear(): void {
    for (const entry of this.#queue) if (entry.kind === 'decoded') this.#painting.drop(entry.frame);
    this.#queue = [];
  }

  #advance(): void {
    for (let head = this.#queue[0]; head !== undefined && head.kind !== 'decoding'; head = this.#queue[0]) {
      this.#queue.shift();
      this.#painting.paint(head.item, head.kind === 'decoded' ? head.frame : null);
    }
  }
}
