/**
 * What a key press becomes.
 *
 * Keys travel by code and key; what an input method or a dead key commits travels as text, from the editable overlay. The
 * page's own shortcuts stay with the page.
 */

/** What is used of a `KeyboardEvent`. */
export interface KeyPress {
  code: string;
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
  /** Whether AltGr is down; it looks like Ctrl and Alt on some systems. */
  altGraph: boolean;
  isComposing: boolean;
}

export interface SandboxKey {
  code: string;
  key: string;
}

export type KeyMeaning =
  /** Goes to the sandbox as a key. */
  | ({ kind: 'send' } & SandboxKey)
  /** The host's clipboard is pasted; the overlay receives it as a paste event. */
  | { kind: 'paste' }
  /** The overlay turns it into text: composition and dead keys. */
  | { kind: 'compose' }
  /** Option of a Mac: goes to the sandbox as Alt with the key or the click that it is held for, never alone. */
  | { kind: 'later' }
  /** Belongs to the page around the live view. */
  | { kind: 'leave' };

/** The page's own keys: take control and hand back. */
const OWN_KEYS: ReadonlySet<string> = new Set(['F9']);

/** Says what pressing a key means. `mac`: whether ⌘ is the key of shortcuts here. */
export function meaningOfPress(press: KeyPress, mac: boolean): KeyMeaning {
  if (OWN_KEYS.has(press.key)) return { kind: 'leave' };
  if (press.isComposing || press.key === 'Process' || press.key === 'Dead') return { kind: 'compose' };
  if (isPaste(press, mac)) return { kind: 'paste' };
  // A virtual keyboard: only the text that follows says what was meant.
  if (press.code === '' || press.key === 'Unidentified') return { kind: 'compose' };
  // Alone it would open the menu of the sandbox's browser, and with a letter it would be a shortcut.
  if (mac && press.key === 'Alt') return { kind: 'later' };
  return { kind: 'send', ...asSandboxKey(press, mac) };
}

/** Returns the key that letting go of a key lifts; `null` for keys that stay with the page. */
export function keyOfRelease(press: Pick<KeyPress, 'code' | 'key'>, mac: boolean): SandboxKey | null {
  return OWN_KEYS.has(press.key) ? null : asSandboxKey(press, mac);
}

/** Whether a Mac's Option made a character of this key: `@`, `[`, `€`. That character is meant, not Alt with a key. */
function isOptionCharacter(press: KeyPress, mac: boolean): boolean {
  return mac && press.altKey && !press.ctrlKey && !press.metaKey && [...press.key].length === 1;
}

/** On a Mac ⌘ is what Ctrl is in the sandbox. */
function asSandboxKey(press: Pick<KeyPress, 'code' | 'key'>, mac: boolean): SandboxKey {
  if (mac && press.key === 'Meta') {
    return { code: press.code === 'MetaRight' ? 'ControlRight' : 'ControlLeft', key: 'Control' };
  }
  return { code: press.code, key: press.key };
}

function isPaste(press: KeyPress, mac: boolean): boolean {
  const shortcut = mac ? press.metaKey : press.ctrlKey;
  if (shortcut && !press.altKey && press.key.toLowerCase() === 'v') return true;
  return press.key === 'Insert' && press.shiftKey && !press.ctrlKey && !press.altKey;
}

/** Keys and buttons that are down in the sandbox because of this view. */
export class Held {
  readonly #keys = new Map<string, string>();
  readonly #buttons = new Set<number>();

  keyDown({ code, key }: SandboxKey): void {
    this.#keys.set(code, key);
  }

  /** Returns the key as it was pressed, or `null`: a release without its press is not sent. */
  keyUp(code: string): SandboxKey | null {
    const key = this.#keys.get(code);
    this.#keys.delete(code);
    return key === undefined ? null : { code, key };
  }

  /**
   * Returns what must go up and down before `press`, so that the sandbox sees the modifiers that the person holds: releases
   * get lost when the focus moves while a key is down.
   */
  modifiersFor(press: KeyPress, mac: boolean): { up: SandboxKey[]; down: SandboxKey[] } {
    const wanted: [key: string, code: string, held: boolean][] = [['Shift', 'ShiftLeft', press.shiftKey]];
    if (mac || !press.altGraph) {
      const alt = press.altKey && !isOptionCharacter(press, mac);
      wanted.push(['Control', 'ControlLeft', press.ctrlKey || (mac && press.metaKey)], ['Alt', 'AltLeft', alt]);
    }
    const own = asSandboxKey(press, mac).key;
    const up: SandboxKey[] = [];
    const down: SandboxKey[] = [];
    for (const [key, code, held] of wanted) {
      if (key === own) continue;
      const pressed = [...this.#keys].filter(([, name]) => name === key).map(([heldCode]) => ({ code: heldCode, key }));
      if (!held) up.push(...pressed);
      if (held && pressed.length === 0) down.push({ code, key });
    }
    for (const key of up) this.#keys.delete(key.code);
    for (const key of down) this.keyDown(key);
    return { up, down };
  }

  /** Returns the Alt that must go down before a click that a Mac's Option is held for, if it is not down. */
  altForClick(altKey: boolean, mac: boolean): SandboxKey | null {
    if (!mac || !altKey || [...this.#keys.values()].includes('Alt')) return null;
    const alt = { code: 'AltLeft', key: 'Alt' };
    this.keyDown(alt);
    return alt;
  }

  /** Lifts every key; returns what was down, newest first. */
  takeKeys(): SandboxKey[] {
    const keys = [...this.#keys].map(([code, key]) => ({ code, key })).reverse();
    this.#keys.clear();
    return keys;
  }

  buttonDown(button: number): void {
    this.#buttons.add(button);
  }

  /** Says whether the button was down. */
  buttonUp(button: number): boolean {
    return this.#buttons.delete(button);
  }

  isButtonDown(button: number): boolean {
    return this.#buttons.has(button);
  }

  get anyButton(): boolean {
    return this.#buttons.size > 0;
  }

  get any(): boolean {
    return this.#keys.size > 0 || this.#buttons.size > 0;
  }

  clear(): void {
    this.#keys.clear();
    this.#buttons.clear();
  }
}

/** Bits of `MouseEvent.buttons` and the buttons they stand for; back and forward are the page's. */
const BUTTON_BITS: readonly (readonly [bit: number, button: number])[] = [
  [1, 0],
  [2, 2],
  [4, 1],
];

/** Returns the buttons that changed, given which are down now: several may be pressed at once. */
export function buttonChanges(held: Held, buttons: number): { button: number; down: boolean }[] {
  return BUTTON_BITS.filter(([bit, button]) => ((buttons & bit) !== 0) !== held.isButtonDown(button)).map(([bit, button]) => ({
    button,
    down: (buttons & bit) !== 0,
  }));
}
