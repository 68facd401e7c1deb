import { describe, expect, test } from 'vitest';
import { buttonChanges, Held, keyOfRelease, meaningOfPress } from './keys';
import type { KeyMeaning, KeyPress } from './keys';

function press(key: string, code: string, more: Partial<KeyPress> = {}): KeyPress {
  return { key, code, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, altGraph: false, isComposing: false, ...more };
}

function check(pressed: KeyPress, expected: KeyMeaning, mac = false) {
  expect(meaningOfPress(pressed, mac)).toEqual(expected);
}

describe('a key press', () => {
  test('travels by code and key', () => {
    check(press('a', 'KeyA'), { kind: 'send', code: 'KeyA', key: 'a' });
    check(press('Enter', 'Enter'), { kind: 'send', code: 'Enter', key: 'Enter' });
    check(press('@', 'KeyQ', { altGraph: true, ctrlKey: true, altKey: true }), { kind: 'send', code: 'KeyQ', key: '@' });
    check(press('c', 'KeyC', { ctrlKey: true }), { kind: 'send', code: 'KeyC', key: 'c' });
  });

  test('that pastes waits for the paste', () => {
    check(press('v', 'KeyV', { ctrlKey: true }), { kind: 'paste' });
    check(press('V', 'KeyV', { ctrlKey: true, shiftKey: true }), { kind: 'paste' });
    check(press('Insert', 'Insert', { shiftKey: true }), { kind: 'paste' });
    check(press('v', 'KeyV', { metaKey: true }), { kind: 'paste' }, true);
    check(press('v', 'KeyV', { ctrlKey: true, altKey: true }), { kind: 'send', code: 'KeyV', key: 'v' });
  });

  test('of an input method or a dead key is left to the overlay', () => {
    check(press('Dead', 'BracketLeft'), { kind: 'compose' });
    check(press('Process', 'KeyA'), { kind: 'compose' });
    check(press('a', 'KeyA', { isComposing: true }), { kind: 'compose' });
    check(press('Unidentified', ''), { kind: 'compose' });
  });

  test('of the page itself stays with the page', () => {
    check(press('F9', 'F9'), { kind: 'leave' });
    expect(keyOfRelease({ key: 'F9', code: 'F9' }, false)).toBeNull();
  });

  test('of ⌘ is Ctrl in the sandbox', () => {
    check(press('Meta', 'MetaLeft', { metaKey: true }), { kind: 'send', code: 'ControlLeft', key: 'Control' }, true);
    expect(keyOfRelease({ key: 'Meta', code: 'MetaRight' }, true)).toEqual({ code: 'ControlRight', key: 'Control' });
    check(press('Meta', 'MetaLeft', { metaKey: true }), { kind: 'send', code: 'MetaLeft', key: 'Meta' }, false);
  });
});

describe('Option of a Mac', () => {
  const option = (key: string, code: string, more: Partial<KeyPress> = {}) => press(key, code, { altKey: true, ...more });
  const characters: [key: string, code: string, shiftKey: boolean][] = [
    ['@', 'KeyL', false],
    ['[', 'Digit5', false],
    ['{', 'Digit8', false],
    ['|', 'Digit7', false],
    ['€', 'KeyE', false],
    ['~', 'KeyN', false],
    ['\\', 'Digit7', true],
    ['ç', 'KeyC', false],
    ['–', 'Slash', false],
    ['#', 'Digit3', false],
  ];

  test.each(characters)('makes %s of %s, and no shortcut', (key, code, shiftKey) => {
    const held = new Held();
    check(option('Alt', 'AltLeft'), { kind: 'later' }, true);
    if (shiftKey) held.keyDown({ code: 'ShiftLeft', key: 'Shift' });
    check(option(key, code, { shiftKey }), { kind: 'send', code, key }, true);
    expect(held.modifiersFor(option(key, code, { shiftKey }), true)).toEqual({ up: [], down: [] });
  });

  test('is Alt with a named key, with another modifier and with a click', () => {
    const alt = { code: 'AltLeft', key: 'Alt' };
    expect(new Held().modifiersFor(option('ArrowLeft', 'ArrowLeft'), true).down).toEqual([alt]);
    const control = { code: 'ControlLeft', key: 'Control' };
    expect(new Held().modifiersFor(option('˚', 'KeyK', { metaKey: true }), true).down).toEqual([control, alt]);
    const held = new Held();
    expect(held.altForClick(true, true)).toEqual(alt);
    expect(held.altForClick(true, true)).toBeNull();
    expect(held.modifiersFor(option('@', 'KeyL'), true).up).toEqual([alt]);
  });

  test('is an ordinary Alt elsewhere', () => {
    check(option('Alt', 'AltLeft'), { kind: 'send', code: 'AltLeft', key: 'Alt' });
    expect(new Held().modifiersFor(option('f', 'KeyF'), false).down).toEqual([{ code: 'AltLeft', key: 'Alt' }]);
    expect(new Held().altForClick(true, false)).toBeNull();
  });
});

describe('what is held', () => {
  test('goes up under the name it went down with, once', () => {
    const held = new Held();
    held.keyDown({ code: 'KeyA', key: 'A' });
    expect(held.keyUp('KeyA')).toEqual({ code: 'KeyA', key: 'A' });
    expect(held.keyUp('KeyA')).toBeNull();
  });

  test('is lifted newest first', () => {
    const held = new Held();
    held.keyDown({ code: 'ControlLeft', key: 'Control' });
    held.keyDown({ code: 'KeyC', key: 'c' });
    expect(held.takeKeys().map(({ code }) => code)).toEqual(['KeyC', 'ControlLeft']);
    expect(held.any).toBe(false);
  });

  test('modifiers follow what the person really holds', () => {
    const held = new Held();
    held.keyDown({ code: 'ShiftRight', key: 'Shift' });
    // Its release was lost; Ctrl went down while another window had the focus.
    expect(held.modifiersFor(press('c', 'KeyC', { ctrlKey: true }), false)).toEqual({
      up: [{ code: 'ShiftRight', key: 'Shift' }],
      down: [{ code: 'ControlLeft', key: 'Control' }],
    });
    expect(held.modifiersFor(press('c', 'KeyC', { ctrlKey: true }), false)).toEqual({ up: [], down: [] });
  });

  test('a modifier is not doubled by its own press, nor invented for AltGr', () => {
    const held = new Held();
    expect(held.modifiersFor(press('Shift', 'ShiftLeft', { shiftKey: true }), false)).toEqual({ up: [], down: [] });
    expect(held.modifiersFor(press('@', 'KeyQ', { ctrlKey: true, altKey: true, altGraph: true }), false)).toEqual({ up: [], down: [] });
  });

  test('buttons are told by what changed, also two at once', () => {
    const held = new Held();
    expect(buttonChanges(held, 1)).toEqual([{ button: 0, down: true }]);
    held.buttonDown(0);
    expect(buttonChanges(held, 3)).toEqual([{ button: 2, down: true }]);
    held.buttonDown(2);
    expect(buttonChanges(held, 4)).toEqual([
      { button: 0, down: false },
      { button: 2, down: false },
      { button: 1, down: true },
    ]);
    // Back and forward stay with the page.
    expect(buttonChanges(new Held(), 24)).toEqual([]);
  });
});
