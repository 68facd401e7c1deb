/**
 * One live view: connects, shows, lets a person drive, and comes back by itself when the connection is lost.
 *
 * ```text
 *   connecting ──welcome──▶ live ──lost──▶ lost(1) ──pause, or retryNow──▶ lost(1), connecting ──welcome──▶ live
 *                            └──ended──▶ ended                     └──lost again──▶ lost(2)
 * ```
 *
 * Nothing runs until it is attached to a canvas, and nothing after it is detached.
 */
import { pauseBefore } from './backoff';
import { choose, decodesH264, means } from './choose';
import type { Carrier } from './choose';
import { Delay } from './delay';
import { copyToHost } from './host-clipboard';
import { Input } from './input';
import { SocketTransport } from './socket-transport';
import { buildStage } from './stage';
import type { Stage } from './stage';
import { START } from './state';
import type { LiveState } from './state';
import { Surface } from './surface';
import type { Endpoint, Transport, TransportEvents } from './transport';
import { WebRtcTransport } from './webrtc-transport';
import type { Screening } from './webrtc-transport';
import type { TypedText } from '../types';
import type { Aim, FromViewer, Screen, ToViewer } from './words';

export interface LiveOptions {
  /** Asked before each connection: the runtime may have moved. */
  endpoint: () => Promise<Endpoint>;
  /** Takes this carrier whatever the page can do. */
  transport?: Carrier | null;
  mac?: boolean;
}

/** The page says it is alive this often; the runtime keeps the person's lease by it. */
const PING_MS = 5_000;
/** Soon after connecting more often, to learn the way and the source's clock. */
const FIRST_PINGS_MS = [0, 100, 300, 1_000];
/** A connection that answers nothing for so long is dead. */
const SILENCE_MS = 15_000;
/** The figures on the chip change at most this often. */
const FIGURES_MS = 500;
/** After input the picture of it is awaited: nothing else is drawn before. */
export const CALM_AFTER_INPUT_MS = 100;
/** So close to the end of the lease its time is shown, and asked for after input. */
const LAPSE_SOON_MS = 130_000;
const DENIED_SHOWN_MS = 6_000;

export class LiveView {
  readonly #options: LiveOptions;
  readonly #listeners = new Set<(state: LiveState) => void>();
  readonly #aimListeners = new Set<(aim: Aim) => void>();
  readonly #delay = new Delay();
  #state: LiveState = START;
  #stage: Stage | null = null;
  #surface: Surface | null = null;
  #input: Input | null = null;
  #transport: Transport | null = null;
  /** Grows with every connection: what an older one still says is nobody's. */
  #connection = 0;
  #tries = 0;
  #webrtcFailed = false;
  #exact: boolean | null = null;
  #heardAt = 0;
  #inputAt = -Infinity;
  #askedAt = -Infinity;
  #figuresTimer: ReturnType<typeof setTimeout> | null = null;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #retry: ReturnType<typeof setTimeout> | null = null;
  #deniedTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  get state(): LiveState {
    return this.#state;
  }

  /** How long ago this person did something, in ms. */
  get sinceInputMs(): number {
    return performance.now() - this.#inputAt;
  }

  /** Calls `listener` with the state now and at each change; returns what ends that. */
  onState(listener: (state: LiveState) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#state);
    return () => void this.#listeners.delete(listener);
  }

  /** Calls `listener` with what the agent's side does on the page, as it does it; returns what ends that. */
  onAim(listener: (aim: Aim) => void): () => void {
    this.#aimListeners.add(listener);
    return () => void this.#aimListeners.delete(listener);
  }

  /** Shows the sandbox in this canvas' parent; returns what detaches and disconnects. */
  attach(canvas: HTMLCanvasElement): () => void {
    this.close();
    const stage = buildStage(canvas);
    const sink = {
      event: (event: Extract<FromViewer, { type: 'input' }>['event']) => this.#withLease((lease) => this.#sendInput(lease, event)),
      paste: (text: string) => this.paste(text),
    };
    this.#stage = stage;
    this.#surface = new Surface(canvas);
    this.#input = new Input(stage.overlay, stage.composed, sink, this.#options.mac ?? false);
    // Whoever puts the focus on the picture means the sandbox behind it.
    canvas.onfocus = () => this.#input?.focus();
    this.#set({ ...START });
    this.#tries = 0;
    void this.#connect();
    return () => {
      canvas.onfocus = null;
      if (this.#stage === stage) this.close();
    };
  }

  take(controller: string): void {
    this.#say({ type: 'take', controller });
  }

  /** Asks the person who drives for control. */
  askControl(controller: string): void {
    this.#say({ type: 'askControl', controller });
  }

  /** Answers a request for control: gives or keeps it. */
  answerAsker(gives: boolean): void {
    this.#say(gives ? { type: 'giveControl' } : { type: 'keepControl' });
  }

  /** `typed` says what becomes of what the person typed and is still on the page; without it, it stays hidden. */
  handBack(note: string | null, typed: TypedText = 'veiled'): void {
    this.#say(typed === 'veiled' ? { type: 'handBack', note } : { type: 'handBack', note, typed });
  }

  /** Types committed text, past every clipboard. */
  type(text: string): void {
    this.#withLease((lease) => this.#say({ type: 'input', lease, event: { kind: 'text', text } }));
  }

  paste(text: string): void {
    this.#withLease((lease) => this.#say({ type: 'paste', lease, text }));
  }

  /** Brings what the sandbox's clipboard holds into this machine's. */
  copy(): void {
    this.#withLease((lease) => this.#say({ type: 'copy', lease }));
  }

  /** Puts the keyboard into the sandbox. */
  focus(): void {
    this.#input?.focus();
  }

  /** Connects at once instead of after the pause. */
  retryNow(): void {
    if (this.#state.connection.kind !== 'lost' || this.#retry === null) return;
    clearTimeout(this.#retry);
    this.#retry = null;
    void this.#connect();
  }

  /** Detaches and disconnects; it may be attached again. */
  close(): void {
    this.#input?.close();
    this.#disconnect();
    if (this.#retry !== null) clearTimeout(this.#retry);
    if (this.#deniedTimer !== null) clearTimeout(this.#deniedTimer);
    this.#retry = null;
    this.#deniedTimer = null;
    this.#stage?.remove();
    this.#stage = null;
    this.#surface = null;
    this.#input = null;
  }

  async #connect(): Promise<void> {
    this.#disconnect();
    const mine = this.#connection;
    let endpoint: Endpoint;
    let decodes: boolean;
    try {
      [endpoint, decodes] = await Promise.all([this.#options.endpoint(), decodesH264()]);
    } catch {
      // The host cannot say where the runtime is: as good as a refused connection.
      if (mine === this.#connection) this.#lost(null);
      return;
    }
    if (mine !== this.#connection || this.#stage === null || this.#surface === null) return;
    const { carrier, why } = choose(means(endpoint.wsUrl, this.#options.transport ?? null, this.#webrtcFailed));
    this.#stage.show('canvas');
    this.#exact = null;
    this.#delay.reset();
    this.#set({ ...this.#state, carrier, transportWhy: why, transport: '', delayMs: null });
    const events: TransportEvents = {
      onWord: (word) => mine === this.#connection && this.#hear(word),
      onPainted: ({ capturedAtUs, exact }) => {
        if (mine !== this.#connection) return;
        this.#delay.painted(capturedAtUs, performance.now());
        this.#exact = exact;
        this.#showFiguresSoon();
      },
      onLost: () => mine === this.#connection && this.#lost(carrier),
    };
    this.#transport =
      carrier === 'socket'
        ? new SocketTransport(endpoint, this.#surface, decodes, events)
        : new WebRtcTransport(endpoint, this.#screening(this.#stage, this.#surface, decodes), events);
  }

  #screening(stage: Stage, surface: Surface, decodesH264: boolean): Screening {
    return { stage, surface, decodesH264, clockNow: () => this.#delay.clockAt(performance.now()) };
  }

  #disconnect(): void {
    this.#connection += 1;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#figuresTimer = null;
    this.#input?.setActive(false);
    this.#transport?.close();
    this.#transport = null;
  }

  #lost(carrier: Carrier | null): void {
    if (carrier === 'webrtc' && this.#state.connection.kind !== 'live') this.#webrtcFailed = true;
    this.#disconnect();
    this.#tries += 1;
    this.#set({ ...this.#state, connection: { kind: 'lost', tries: this.#tries }, control: null, delayMs: null });
    this.#retry = setTimeout(() => {
      this.#retry = null;
      void this.#connect();
    }, pauseBefore(this.#tries, Math.random()));
  }

  #hear(word: ToViewer): void {
    this.#heardAt = performance.now();
    switch (word.type) {
      case 'welcome':
        this.#tries = 0;
        this.#set({ ...this.#state, connection: { kind: 'live' }, mode: word.mode });
        this.#input?.setComposingInPage(true);
        this.#resize(word.screen);
        this.#keepAlive();
        break;
      case 'pong':
        this.#delay.pong(word.sentAt, performance.now(), word.clockUs);
        this.#showFiguresSoon();
        this.#lapse(word.lapsesAt ?? null);
        break;
      case 'screen':
        this.#resize(word.screen);
        break;
      case 'control':
        this.#set({ ...this.#state, control: word.control, denied: word.control.yours ? null : this.#state.denied });
        this.#input?.setActive(word.control.yours && word.control.lease != null);
        break;
      case 'denied':
        this.#deny(word.message);
        break;
      case 'composing':
        this.#input?.setComposingInPage(word.inPage);
        break;
      case 'clipboard':
        void copyToHost(word.text).then((copied) => {
          if (!copied) this.#deny('This page may not write to your clipboard.');
        });
        break;
      case 'cursor':
        this.#input?.setCursor(word.cursor);
        break;
      case 'aim':
        for (const listener of this.#aimListeners) listener(word.aim);
        break;
      case 'ended':
        this.#disconnect();
        this.#set({ ...this.#state, connection: { kind: 'ended', reason: word.reason }, control: null, delayMs: null });
        break;
    }
  }

  #resize(screen: Screen): void {
    this.#input?.setScreen(screen);
    this.#set({ ...this.#state, screen });
  }

  #keepAlive(): void {
    const ping = () => this.#ping();
    for (const after of FIRST_PINGS_MS) this.#later(after, ping);
    this.#every(PING_MS, () => {
      if (performance.now() - this.#heardAt > SILENCE_MS && !document.hidden) this.#lost(this.#state.carrier);
      else ping();
    });
  }

  #ping(): void {
    this.#say({ type: 'ping', sentAt: performance.now() });
  }

  #sendInput(lease: number, event: Extract<FromViewer, { type: 'input' }>['event']): void {
    this.#inputAt = performance.now();
    this.#say({ type: 'input', lease, event });
    // The countdown is on the bar: the person sees that the input has moved it.
    const lapsesAt = this.#state.control?.lapsesAt;
    if (lapsesAt == null || lapsesAt - Date.now() > LAPSE_SOON_MS || this.#inputAt - this.#askedAt < 1_000) return;
    this.#askedAt = this.#inputAt;
    this.#later(CALM_AFTER_INPUT_MS, () => this.#ping());
  }

  #lapse(lapsesAt: number | null): void {
    const control = this.#state.control;
    if (control === null || (control.lapsesAt ?? null) === lapsesAt) return;
    this.#set({ ...this.#state, control: { ...control, lapsesAt } });
  }

  /** Not at once, not for each picture, and not between a person's hand and its picture. A resting page has no timer. */
  #showFiguresSoon(): void {
    if (this.#figuresTimer !== null) return;
    this.#figuresTimer = this.#later(FIGURES_MS, () => this.#showFiguresWhenCalm());
  }

  #showFiguresWhenCalm(): void {
    this.#figuresTimer = null;
    if (this.sinceInputMs < CALM_AFTER_INPUT_MS) this.#figuresTimer = this.#later(CALM_AFTER_INPUT_MS, () => this.#showFiguresWhenCalm());
    else this.#showFigures();
  }

  #showFigures(): void {
    const delayMs = this.#delay.currentMs === null ? null : Math.round(this.#delay.currentMs);
    const transport = this.#exact === null ? '' : this.#exact ? 'exact' : 'video';
    if (delayMs === this.#state.delayMs && transport === this.#state.transport) return;
    this.#set({ ...this.#state, delayMs, transport });
  }

  #deny(message: string): void {
    this.#set({ ...this.#state, denied: message });
    if (this.#deniedTimer !== null) clearTimeout(this.#deniedTimer);
    this.#deniedTimer = setTimeout(() => {
      this.#deniedTimer = null;
      this.#set({ ...this.#state, denied: null });
    }, DENIED_SHOWN_MS);
  }

  #withLease(act: (lease: number) => void): void {
    const control = this.#state.control;
    if (control !== null && control.yours && control.lease != null) act(control.lease);
  }

  #say(word: FromViewer): void {
    this.#transport?.say(word);
  }

  #later(afterMs: number, act: () => void): ReturnType<typeof setTimeout> {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, afterMs);
    this.#timers.add(timer);
    return timer;
  }

  /** Again and again until this connection ends; never two at once. */
  #every(periodMs: number, act: () => void): void {
    const mine = this.#connection;
    this.#later(periodMs, () => {
      act();
      if (mine === this.#connection) this.#every(periodMs, act);
    });
  }

  #set(state: LiveState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}
