/**
 * Messages in pieces, as they go by a data channel: pictures, and long words; `sandbox_picture::pieces` has the layout. Little-endian.
 *
 * Each piece says how many bytes of its message come after it, and is checked against what the first one said.
 */
const HEAD_LEN = 4;
const MAX_MESSAGE = 64 * 2 ** 20;

/** Cuts a message into pieces of at most `maxLen` bytes each. */
export function* cut(message: Uint8Array, maxLen: number): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < message.length; at += maxLen - HEAD_LEN) {
    const part = message.subarray(at, at + maxLen - HEAD_LEN);
    const piece = new Uint8Array(HEAD_LEN + part.length);
    new DataView(piece.buffer).setUint32(0, message.length - at - part.length, true);
    piece.set(part, HEAD_LEN);
    yield piece;
  }
}

/** A piece that the runtime never makes. */
export class BadPiece extends Error {}

/** Puts the pieces of one message after another together again. */
export class Joiner {
  #parts: Uint8Array[] = [];
  /** Bytes that are still to come; 0 between two messages. */
  #left = 0;

  /** Takes the next piece; returns the message if it was the last one of it. */
  push(piece: ArrayBuffer): ArrayBuffer | null {
    try {
      return this.#take(piece);
    } catch (cause) {
      this.#parts = [];
      this.#left = 0;
      throw cause;
    }
  }

  #take(piece: ArrayBuffer): ArrayBuffer | null {
    if (piece.byteLength <= HEAD_LEN) throw new BadPiece(`a piece of ${piece.byteLength} bytes has no part of a message`);
    const after = new DataView(piece).getUint32(0, true);
    const part = new Uint8Array(piece, HEAD_LEN);
    const said = part.length + after;
    if (this.#left === 0 && said > MAX_MESSAGE) throw new BadPiece(`the message would have ${said} bytes`);
    if (this.#left !== 0 && this.#left !== said) throw new BadPiece(`a piece speaks of ${said} bytes where ${this.#left} are left`);
    this.#left = after;
    // Kept as they come: a first piece that promises much takes no memory by that.
    this.#parts.push(part);
    if (after > 0) return null;
    const parts = this.#parts;
    this.#parts = [];
    return joined(parts);
  }
}

function joined(parts: readonly Uint8Array[]): ArrayBuffer {
  const message = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    message.set(part, at);
    at += part.length;
  }
  return message.buffer;
}
