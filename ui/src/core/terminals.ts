/** The terminals of a sandbox: their names, and the colours that they are drawn in. */

/** What a screen hears of its terminal. */
export interface TerminalListener {
  /** Bytes to show. `replayed` ones were shown before: what they ask is not to be answered. `first`: forget what was shown. */
  onShown: (bytes: Uint8Array, how: { replayed: boolean; first: boolean }) => void;
  onState: (state: 'connecting' | 'open' | 'lost' | 'ended') => void;
}

/** What a screen says to its terminal. */
export interface TerminalLink {
  type: (bytes: string) => void;
  resize: (cols: number, rows: number) => void;
  /** Leaves the terminal as it is. */
  close: () => void;
}

/** How many terminals a sandbox keeps. */
export const TERMINALS_MAX = 8;

/** Returns the lowest number that no terminal has. */
export function nextName(names: readonly string[]): string {
  let n = 1;
  while (names.includes(String(n))) n += 1;
  return String(n);
}

/** Returns the terminal that is shown when one goes: its neighbour, or none. */
export function afterClosing(names: readonly string[], closed: string): string | null {
  const at = names.indexOf(closed);
  const left = names.filter((name) => name !== closed);
  return left[Math.min(Math.max(at, 0), left.length - 1)] ?? null;
}

/** Returns names in the order of their numbers. */
export function inOrder(names: readonly string[]): string[] {
  return [...names].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

/** Terminals take colours in hexadecimal only: those of the tokens, and sixteen that are legible on them. */
export const COLOURS = {
  light: {
    background: '#ffffff', foreground: '#1f2430', cursor: '#1f2430', cursorAccent: '#ffffff', selectionBackground: '#cfe0fb',
    black: '#24292f', red: '#b3261e', green: '#1a7f37', yellow: '#805a00', blue: '#0b5cad', magenta: '#8a3ba8', cyan: '#0f6f78', white: '#59636e',
    brightBlack: '#656d76', brightRed: '#c93c33', brightGreen: '#1a7f37', brightYellow: '#805a00', brightBlue: '#0969da', brightMagenta: '#8250df', brightCyan: '#1b7c83', brightWhite: '#3d444d',
  },
  dark: {
    background: '#1b1e24', foreground: '#e6e9ef', cursor: '#e6e9ef', cursorAccent: '#1b1e24', selectionBackground: '#2f4a73',
    black: '#5c6470', red: '#ff8a80', green: '#7ddb8f', yellow: '#e8c36a', blue: '#84b6ff', magenta: '#d6a4f0', cyan: '#79d5df', white: '#c9d0da',
    brightBlack: '#8b949e', brightRed: '#ffa59e', brightGreen: '#9be9a8', brightYellow: '#f2d38b', brightBlue: '#a5caff', brightMagenta: '#e2bdf5', brightCyan: '#a0e6ee', brightWhite: '#ffffff',
  },
} as const;
