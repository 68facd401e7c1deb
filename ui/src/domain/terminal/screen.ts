/**
 * A terminal's screen: xterm.js, with everything shut that would let a program in the sandbox reach the person's own machine.
 *
 * Loaded when a terminal is first shown.
 */
import '@xterm/xterm/css/xterm.css';
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import { COLOURS } from '../../core/terminals';

/** Operating system commands that are swallowed: titles, links, the clipboard, notices, progress, files of iTerm. */
const SWALLOWED = [0, 1, 2, 7, 8, 9, 50, 51, 52, 133, 633, 777, 1337];

export interface Screen {
  readonly cols: number;
  readonly rows: number;
  /** Shows bytes; what was shown before answers nothing. */
  show: (bytes: Uint8Array, how: { replayed: boolean; first: boolean }) => void;
  paste: (text: string) => void;
  selection: () => string;
  fit: () => void;
  focus: () => void;
  colour: (theme: 'light' | 'dark') => void;
  dispose: () => void;
}

export function openScreen(
  element: HTMLElement,
  theme: 'light' | 'dark',
  on: { typed: (text: string) => void; resized: (cols: number, rows: number) => void; key: (event: KeyboardEvent) => boolean },
): Screen {
  const terminal = new Terminal({
    theme: COLOURS[theme],
    fontFamily: getComputedStyle(element).getPropertyValue('--mono'),
    fontSize: 13,
    lineHeight: 1.15,
    scrollback: 5_000,
    minimumContrastRatio: 4.5,
    cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
    // No program opens anything here.
    linkHandler: { activate: () => undefined },
    windowOptions: {},
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  for (const command of SWALLOWED) terminal.parser.registerOscHandler(command, () => true);
  terminal.attachCustomKeyEventHandler((event) => on.key(event));
  let replaying = 0;
  // What a program asks the screen is answered once, not again whenever a page comes back.
  terminal.onData((text) => {
    if (replaying === 0) on.typed(text);
  });
  terminal.onResize(({ cols, rows }) => on.resized(cols, rows));
  terminal.open(element);
  fit.fit();
  return {
    get cols() {
      return terminal.cols;
    },
    get rows() {
      return terminal.rows;
    },
    show(bytes, { replayed, first }) {
      if (first) terminal.reset();
      if (!replayed) {
        terminal.write(bytes);
        return;
      }
      replaying += 1;
      terminal.write(bytes, () => (replaying -= 1));
    },
    paste: (text) => terminal.paste(text),
    selection: () => terminal.getSelection(),
    fit: () => fit.fit(),
    focus: () => terminal.focus(),
    colour: (next) => (terminal.options.theme = COLOURS[next]),
    dispose: () => terminal.dispose(),
  };
}
