/**
 * What a person's hands do over the live view, as events for the sandbox.
 *
 * Everything goes through one transparent editable overlay: WebKit takes a paste only there, and input methods need a place to
 * compose. Moves are sent once an animation frame, and before any button or key, so nothing overtakes the pointer.
 */
import { toNearest, toScreen } from './geometry';
import type { Point } from './geometry';
import { buttonChanges, Held, keyOfRelease, meaningOfPress } from './keys';
import type { KeyPress } from './keys';
import type { InputEvent, Screen } from './words';
import { WheelNotches } from './wheel';

export interface InputSink {
  event(event: InputEvent): void;
  paste(text: string): void;
}

/** X11 pastes its selection on a middle click; the sandbox has a middle click of its own. */
const MIDDLE_PASTE_MS = 500;

export class Input {
  readonly #overlay: HTMLTextAreaElement;
  readonly #composed: HTMLElement;
  readonly #sink: InputSink;
  readonly #mac: boolean;
  readonly #held = new Held();
  readonly #wheel = new WheelNotches();
  readonly #listening = new AbortController();
  #screen: Screen = { width: 0, height: 0 };
  #active = false;
  #move: Point | null = null;
  #moveFrame = 0;
  #middleAt = -Infinity;
  /** Where the pointer was last, within the overlay. */
  #pointerAt: Point = { x: 0, y: 0 };
  /** What an input method is composing, as it was sent last. */
  #composing = '';
  #composingInPage = true;

  /** `composed` shows what an input method is composing, where the sandbox's page does not. */
  constructor(overlay: HTMLTextAreaElement, composed: HTMLElement, sink: InputSink, mac: boolean) {
    this.#overlay = overlay;
    this.#composed = composed;
    this.#sink = sink;
    this.#mac = mac;
    this.#listen();
    this.#showActive();
  }

  setScreen(screen: Screen): void {
    this.#screen = screen;
  }

  /** Whether this person drives: only then anything is sent. */
  setActive(active: boolean): void {
    if (active === this.#active) return;
    // The runtime lifts what was held when it gives control to another.
    this.#forget();
    this.#active = active;
    this.#showActive();
    if (active) this.focus();
  }

  /** Whether the sandbox's page shows what is being composed. */
  setComposingInPage(inPage: boolean): void {
    this.#composingInPage = inPage;
    this.#showComposing();
  }

  setCursor(cursor: string): void {
    if (this.#overlay.style.cursor !== cursor) this.#overlay.style.cursor = cursor;
  }

  /** Puts the keyboard into the sandbox, if this person drives: an idle overlay would only trap the focus. */
  focus(): void {
    if (this.#active) this.#overlay.focus({ preventScroll: true });
  }

  close(): void {
    this.#blur();
    this.#listening.abort();
    cancelAnimationFrame(this.#moveFrame);
  }

  #showActive(): void {
    this.#overlay.style.pointerEvents = this.#active ? 'auto' : 'none';
    this.#overlay.tabIndex = this.#active ? 0 : -1;
    this.#overlay.readOnly = !this.#active;
    if (!this.#active) this.#overlay.style.cursor = '';
  }

  #listen(): void {
    const { signal } = this.#listening;
    const on = <K extends keyof HTMLElementEventMap>(name: K, handler: (event: HTMLElementEventMap[K]) => void) =>
      this.#overlay.addEventListener(
        name,
        (event) => {
          if (this.#active) handler(event);
        },
        { signal, passive: false },
      );
    on('pointerdown', (event) => this.#pointer(event));
    on('pointermove', (event) => this.#pointer(event));
    on('pointerup', (event) => this.#pointer(event));
    on('pointercancel', () => this.#blur());
    // The sandbox has its own selections, menus and drags.
    for (const name of ['mousedown', 'auxclick', 'contextmenu', 'dragstart', 'drop'] as const) on(name, (event) => event.preventDefault());
    on('wheel', (event) => this.#wheeled(event));
    on('keydown', (event) => this.#pressed(event));
    on('keyup', (event) => this.#released(event));
    on('input', (event) => {
      if (!(event as unknown as globalThis.InputEvent).isComposing) this.#typed();
    });
    on('compositionupdate', ({ data }) => this.#compose(data));
    on('compositionend', () => {
      const gaveUp = this.#overlay.value === '';
      if (gaveUp) this.#compose('');
      this.#endComposing();
      this.#typed();
    });
    on('paste', (event) => this.#pasted(event));
    on('blur', () => this.#blur());
    window.addEventListener('blur', () => this.#blur(), { signal });
    document.addEventListener('visibilitychange', () => document.hidden && this.#blur(), { signal });
  }

  #pointer(event: PointerEvent): void {
    event.preventDefault();
    const changes = buttonChanges(this.#held, event.buttons);
    const at = this.#at(event, this.#held.anyButton);
    if (changes.length === 0) {
      if (at !== null) this.#moved(at);
      return;
    }
    if (event.button === 1) this.#middleAt = event.timeStamp;
    if (event.type === 'pointerdown') {
      this.#overlay.setPointerCapture(event.pointerId);
      this.focus();
    }
    for (const { button, down } of changes) {
      // A press in the letterbox is for nobody; a release goes to the edge where the drag left.
      if (at === null) continue;
      this.#flush();
      const alt = down ? this.#held.altForClick(event.altKey, this.#mac) : null;
      if (alt !== null) this.#sink.event({ kind: 'key', ...alt, down: true });
      if (down) this.#held.buttonDown(button);
      else this.#held.buttonUp(button);
      this.#sink.event({ kind: 'button', button, down, ...at });
    }
  }

  #wheeled(event: WheelEvent): void {
    event.preventDefault();
    // Ctrl and wheel is the browser's zoom, also when a touchpad pinches: it goes to the sandbox as it is.
    const notches = this.#wheel.add(event);
    const at = this.#at(event, false);
    if (notches === null || at === null) return;
    this.#flush();
    this.#sink.event({ kind: 'wheel', ...notches, ...at });
  }

  #pressed(event: KeyboardEvent): void {
    const press = keyPress(event);
    const meaning = meaningOfPress(press, this.#mac);
    switch (meaning.kind) {
      case 'leave':
      case 'compose':
        return;
      case 'later':
        event.preventDefault();
        return;
      case 'paste':
        // The paste brings its own Ctrl: what is held would turn it into another shortcut. The event follows.
        this.#liftKeys();
        return;
      case 'send':
        event.preventDefault();
        this.#flush();
        for (const [keys, down] of fixes(this.#held.modifiersFor(press, this.#mac))) {
          for (const { code, key } of keys) this.#sink.event({ kind: 'key', code, key, down });
        }
        this.#held.keyDown(meaning);
        this.#sink.event({ kind: 'key', code: meaning.code, key: meaning.key, down: true });
    }
  }

  #released(event: KeyboardEvent): void {
    const key = keyOfRelease(event, this.#mac);
    if (key === null) return;
    event.preventDefault();
    const pressed = this.#held.keyUp(key.code);
    if (pressed === null) return;
    this.#flush();
    this.#sink.event({ kind: 'key', ...pressed, down: false });
    // macOS tells of no release of a key while ⌘ is held.
    if (this.#mac && event.key === 'Meta') this.#liftKeys();
  }

  /** What the overlay holds now was committed: by an input method, a dead key, an emoji list. */
  #typed(): void {
    const text = this.#overlay.value;
    this.#overlay.value = '';
    if (text === '') return;
    this.#flush();
    this.#liftKeys();
    this.#sink.event({ kind: 'text', text });
  }

  #compose(text: string): void {
    if (text === this.#composing) return;
    this.#flush();
    this.#liftKeys();
    this.#composing = text;
    this.#sink.event({ kind: 'compose', text });
    this.#showComposing();
  }

  #endComposing(): void {
    this.#composing = '';
    this.#showComposing();
  }

  #showComposing(): void {
    const hidden = this.#composing === '' || this.#composingInPage;
    this.#composed.hidden = hidden;
    if (hidden) return;
    // Input methods open their lists where the text goes.
    this.#composed.style.translate = `${this.#pointerAt.x}px ${this.#pointerAt.y}px`;
    this.#composed.textContent = this.#composing;
  }

  #pasted(event: ClipboardEvent): void {
    event.preventDefault();
    if (event.timeStamp - this.#middleAt < MIDDLE_PASTE_MS) return;
    const text = event.clipboardData?.getData('text/plain') ?? '';
    if (text === '') return;
    this.#flush();
    this.#sink.paste(text);
  }

  #moved(at: Point): void {
    this.#move = at;
    if (this.#moveFrame !== 0) return;
    this.#moveFrame = requestAnimationFrame(() => {
      this.#moveFrame = 0;
      this.#flush();
    });
  }

  /** Sends the pointer's newest place, if it is not sent yet. */
  #flush(): void {
    if (this.#move === null) return;
    this.#sink.event({ kind: 'move', ...this.#move });
    this.#move = null;
  }

  #liftKeys(): void {
    for (const key of this.#held.takeKeys()) this.#sink.event({ kind: 'key', ...key, down: false });
  }

  #blur(): void {
    if (!this.#active) return;
    this.#flush();
    this.#forget();
    this.#sink.event({ kind: 'blur' });
  }

  #forget(): void {
    this.#held.clear();
    this.#wheel.reset();
    this.#move = null;
    this.#overlay.value = '';
    this.#endComposing();
  }

  #at(event: MouseEvent, dragging: boolean): Point | null {
    const point = { x: event.clientX, y: event.clientY };
    const box = this.#overlay.getBoundingClientRect();
    this.#pointerAt = { x: point.x - box.left, y: point.y - box.top };
    return dragging ? toNearest(point, this.#screen, box) : toScreen(point, this.#screen, box);
  }
}

function keyPress(event: KeyboardEvent): KeyPress {
  const { code, key, ctrlKey, metaKey, altKey, shiftKey, isComposing } = event;
  return { code, key, ctrlKey, metaKey, altKey, shiftKey, isComposing, altGraph: event.getModifierState('AltGraph') };
}

function fixes<T>({ up, down }: { up: T[]; down: T[] }): [T[], boolean][] {
  return [
    [up, false],
    [down, true],
  ];
}
