import { expect, test } from 'vitest';
import { aimOn } from './aim';
import type { Aim } from '../types';

const screen = { width: 1280, height: 808 };
const aim = (over: Partial<Aim> = {}): Aim => ({ x: 100, y: 50, page: { width: 1280, height: 720 }, target: { left: 80, top: 40, width: 60, height: 20 }, action: 'click', name: 'Pay', pressed: true, ...over });

test('the page lies beneath the browser’s own bars', () => {
  expect(aimOn(aim(), screen)).toEqual({ x: 100, y: 138, box: { left: 80, top: 128, width: 60, height: 20 }, words: 'Clicks “Pay”', pressed: true });
});

test('what is typed is said by its field alone', () => {
  expect(aimOn(aim({ action: 'type', name: 'Password' }), screen)?.words).toBe('Types into “Password”');
  expect(aimOn(aim({ action: 'type', name: null }), screen)?.words).toBe('Types');
  expect(aimOn(aim({ name: 'link "Invoices"' }), screen)?.words).toBe('Clicks link "Invoices"');
});

test('a program’s own pointer has neither box nor words', () => {
  expect(aimOn(aim({ action: null, name: null, target: null, pressed: false }), screen)).toMatchObject({ box: null, words: '', pressed: false });
});

test('what lies outside the page is not drawn', () => {
  expect(aimOn(aim({ y: -20 }), screen)).toBeNull();
  expect(aimOn(aim({ x: 4000 }), screen)).toBeNull();
});
