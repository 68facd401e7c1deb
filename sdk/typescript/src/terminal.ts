import { BatonError } from './error.js';
import { openSocket, type Socket } from './socket.js';

/** A terminal in a sandbox: bytes both ways. Iterating over it reads what it shows, until it ends. */
export class Terminal implements AsyncIterable<Uint8Array> {
  readonly #socket: Socket;
  readonly #shown: Uint8Array[] = [];
  #ended = false;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.onBytes = (bytes) => {
      this.#shown.push(bytes);
      this.#wake();
    };
    socket.onEnd = () => {
      this.#ended = true;
      this.#wake();
    };
  }

  static async open(address: string, token: string): Promise<Terminal> {
    try {
      return new Terminal(await openSocket(address.replace(/^http/, 'ws'), ['baton', `bearer.${token}`]));
    } catch (cause) {
      throw new BatonError(0, 'unreachable', 'the terminal could not be opened', { cause });
    }
  }

  /** Types. */
  write(keys: string | Uint8Array<ArrayBuffer>): void {
    this.#socket.send(typeof keys === 'string' ? new TextEncoder().encode(keys) : keys);
  }

  resize(cols: number, rows: number): void {
    this.#socket.send(JSON.stringify({ resize: { cols, rows } }));
  }

  /** Leaves; what runs in it ends. */
  close(): void {
    this.#socket.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      const bytes = this.#shown.shift();
      if (bytes !== undefined) yield bytes;
      else if (this.#ended) return;
      else await new Promise<void>((wake) => (this.#wake = wake));
    }
  }
}
