import { expect, test } from 'vitest';
import type { PasswordManager } from '../types';
import { standing, takesPassphrase } from './password-managers';

function managerOf(over: Partial<PasswordManager>): PasswordManager {
  return { source: 'bitwarden', name: 'Bitwarden', state: 'off', entries: 0, ...over };
}

test('each state says what a person has to know', () => {
  expect(standing(managerOf({ state: 'absent', detail: 'the program of Bitwarden is not on this machine: install it' }), 0)).toMatch(/install it\.$/);
  expect(standing(managerOf({}), 0)).toMatch(/^Not connected\./);
  expect(standing(managerOf({ state: 'locked', detail: 'Bitwarden gives nothing now: it is locked.' }), 0)).toBe('Bitwarden gives nothing now: it is locked.');
  expect(standing(managerOf({ state: 'ready', entries: 12, listedAt: 0 }), 120_000)).toBe('12 sign-ins, listed 2 min ago');
  expect(standing(managerOf({ state: 'ready', entries: 1 }), 0)).toBe('1 sign-in');
});

test('only one that wants a master password from us is given one', () => {
  expect(takesPassphrase(managerOf({}))).toBe(true);
  expect(takesPassphrase(managerOf({ source: '1password' }))).toBe(false);
});
