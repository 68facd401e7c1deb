/** What the agent is about to do, as the viewer draws it over the picture: where it points, the box it means, and in words. */
import type { Action, Aim, Screen } from '../types';
import type { KeyOf } from './words';

export interface AimShown {
  /** In pixels of the screen, as are the box's. */
  x: number;
  y: number;
  box: { left: number; top: number; width: number; height: number } | null;
  /** Empty where a program only moves the pointer. */
  words: string;
  pressed: boolean;
}

/** How long the box and its words stay, and how long the pointer does. */
export const BOX_MS = 1_200;
export const POINTER_MS = 8_000;

/** Actions that mean no element, or only look at one. */
const AIMLESS = [
  'navigate', 'back', 'forward', 'reload', 'waitFor', 'expect', 'extract', 'screenshot', 'look', 'find',
  'tabs', 'newTab', 'activateTab', 'closeTab', 'dialog', 'signIn',
] as const satisfies readonly KeyOf<Action>[];

/** What each action does to the element that it means. */
const WORDS: Record<Exclude<KeyOf<Action>, (typeof AIMLESS)[number]>, string> = {
  click: 'Clicks',
  doubleClick: 'Double-clicks',
  hover: 'Points at',
  drag: 'Drags',
  type: 'Types into',
  press: 'Presses a key in',
  select: 'Chooses in',
  scroll: 'Scrolls',
  download: 'Downloads from',
  upload: 'Gives a file to',
};

/** Returns where on the screen an aim lies: the page is at the bottom left, beneath the browser's own bars. `null` for what lies outside. */
export function aimOn(aim: Aim, screen: Screen): AimShown | null {
  const top = Math.max(0, screen.height - aim.page.height);
  const [x, y] = [aim.x, aim.y + top];
  if (x < 0 || y < top || x > screen.width || y > screen.height) return null;
  const box = aim.target === null || aim.target === undefined ? null : { ...aim.target, top: aim.target.top + top };
  const verb = aim.action == null ? '' : ((WORDS as Record<string, string | undefined>)[aim.action] ?? '');
  const words = verb === '' ? '' : aim.name == null || aim.name === '' ? verb.replace(/ (at|in|into|from|to)$/, '') : `${verb} ${quoted(aim.name)}`;
  return { x, y, box, words, pressed: aim.pressed };
}

/** A name that says already what it is, `link "Invoices"`, stays as it is. */
function quoted(name: string): string {
  return name.includes('"') ? name : `“${name}”`;
}
