/** Looking for words in the whole of a large file: what was found so far, and which match is shown. */
import { FOUND_MAX, findIn, firstFrom, type Found } from '../../core/log-find';
import type { Encoding } from '../../core/viewer';

export interface Looked {
  read: (from: number, to: number) => Promise<Uint8Array<ArrayBuffer>>;
  size: number;
  encoding: Encoding;
  /** Where one reads now: what stands from there on is looked at first. */
  place: number;
}

export class Finding {
  /** In the order of the file. */
  found = $state.raw<readonly Found[]>([]);
  current = $state<number | null>(null);
  running = $state(false);
  failed = $state(false);
  /** How many bytes were looked at. */
  read = $state(0);
  words = $state('');
  /** The size of the file that was looked at; what is written later is looked at on its own. */
  size = $state(0);
  #run = 0;

  readonly #onmatch: (match: Found) => void;

  constructor(onmatch: (match: Found) => void) {
    this.#onmatch = onmatch;
  }

  /** Looks through the whole file, from one's place to the end and then from the beginning. */
  async start(words: string, looked: Looked): Promise<void> {
    this.stop();
    [this.words, this.found, this.current, this.read, this.failed, this.size] = [words, [], null, 0, false, looked.size];
    if (words === '') return;
    const later: Found[] = [];
    const earlier: Found[] = [];
    const place = Math.min(looked.place, looked.size);
    const show = () => {
      const before = this.current === null ? null : this.found[this.current]!;
      this.found = [...earlier, ...later];
      if (before !== null) this.current = this.found.findIndex(({ at }) => at === before.at);
      else if (later.length > 0) this.#show(earlier.length);
    };
    await this.#look(looked, [
      { from: place, to: looked.size, into: later },
      { from: 0, to: place, into: earlier },
    ], show);
    if (this.current === null && this.words === words && !this.running) {
      const first = firstFrom(this.found, place);
      if (first !== null) this.#show(first);
    }
  }

  /** Looks through what was added to the file since. */
  async grow(looked: Looked): Promise<void> {
    if (this.running || this.words === '' || this.failed || this.found.length >= FOUND_MAX || looked.size <= this.size) return;
    const added = [...this.found];
    // A match may begin in what was there before.
    const from = Math.max(this.found.at(-1) === undefined ? 0 : this.found.at(-1)!.at + this.found.at(-1)!.length, this.size - 4 * this.words.length);
    this.size = looked.size;
    await this.#look(looked, [{ from, to: looked.size, into: added }], () => (this.found = [...added]));
    this.read = this.size;
  }

  /** Shows the next match, or the one before; behind the last comes the first. */
  step(by: 1 | -1): void {
    const n = this.found.length;
    if (n > 0) this.#show(this.current === null ? 0 : (this.current + by + n) % n);
  }

  /** Looks no further; what was found stays. */
  stop(): void {
    this.#run += 1;
    this.running = false;
  }

  #show(match: number): void {
    this.current = match;
    this.#onmatch(this.found[match]!);
  }

  async #look(looked: Looked, stretches: readonly { from: number; to: number; into: Found[] }[], show: () => void): Promise<void> {
    const run = (this.#run += 1);
    this.running = true;
    try {
      for (const { from, to, into } of stretches) {
        let before = from;
        for await (const { found, upTo } of findIn(looked.read, { from, to }, this.words, looked.encoding)) {
          if (run !== this.#run) return;
          into.push(...found);
          this.read += upTo - before;
          before = upTo;
          if (found.length > 0) show();
          if (this.found.length >= FOUND_MAX) return;
        }
        if (run !== this.#run) return;
      }
    } catch {
      if (run === this.#run) this.failed = true;
    } finally {
      if (run === this.#run) this.running = false;
    }
  }
}
