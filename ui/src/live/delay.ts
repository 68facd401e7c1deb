/**
 * How long it takes from a person's hand to the picture of it, measured all the time and without marks in the picture.
 *
 * Pings say how long the way there and back is, and what the source's clock shows; with that, each painted picture says how
 * old it is. The delay shown is half the way plus the picture's age: what the person does travels there, what it changed
 * travels back.
 */

/** How many pictures are kept: some seconds of a moving page, the last changes of a resting one. */
const AGES = 15;
/** How many pings are kept to find the shortest way: the clocks drift apart slowly. */
const PINGS = 6;

/** A picture older than this was not waited for: the whole one that a resting page shows to a new view. */
const OLDEST_MS = 2_000;

interface Ping {
  roundTripMs: number;
  /** Source's clock minus the page's, in ms. */
  offsetMs: number;
}

interface Painted {
  capturedAtUs: number;
  paintedAt: number;
}

export class Delay {
  #pings: Ping[] = [];
  #painted: Painted[] = [];

  /** Takes an answered ping; page times in ms, the source's clock in µs. */
  pong(sentAt: number, receivedAt: number, clockUs: number): void {
    const roundTripMs = Math.max(receivedAt - sentAt, 0);
    this.#pings.push({ roundTripMs, offsetMs: clockUs / 1000 - (sentAt + receivedAt) / 2 });
    if (this.#pings.length > PINGS) this.#pings.shift();
  }

  /** Takes a painted picture; 0 for a picture whose time is not known. */
  painted(capturedAtUs: number, paintedAt: number): void {
    if (capturedAtUs === 0) return;
    this.#painted.push({ capturedAtUs, paintedAt });
    if (this.#painted.length > AGES) this.#painted.shift();
  }

  /** Returns the delay in ms: the way alone while nothing changes, `null` before the first answer. */
  get currentMs(): number | null {
    const ping = this.#shortest();
    if (ping === null) return null;
    const ages = this.#painted.map(({ capturedAtUs, paintedAt }) => Math.max(paintedAt + ping.offsetMs - capturedAtUs / 1000, 0));
    const age = median(ages.filter((ms) => ms <= OLDEST_MS));
    return ping.roundTripMs / 2 + (age ?? ping.roundTripMs / 2);
  }

  /** Returns what the source's clock shows at `now`, in ms; `null` before the first answer. */
  clockAt(now: number): number | null {
    const ping = this.#shortest();
    return ping === null ? null : now + ping.offsetMs;
  }

  get roundTripMs(): number | null {
    return this.#shortest()?.roundTripMs ?? null;
  }

  /** A new connection measures afresh. */
  reset(): void {
    this.#pings = [];
    this.#painted = [];
  }

  /** The quickest answer is the one that waited least: its clock is the most right. */
  #shortest(): Ping | null {
    return this.#pings.reduce<Ping | null>((best, ping) => (best === null || ping.roundTripMs < best.roundTripMs ? ping : best), null);
  }
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
