import { expect, test } from 'vitest';
import { draftOf, holds, importWords, isWhole, keepWords, lastUse, logins, newCredential, patchLike, patchOf } from './sign-ins';
import { AT, credentialOf } from './testing';

test('a new entry sends what was typed, and a change leaves alone what was not', () => {
  const draft = { ...draftOf(null), site: ' portal.example ', username: 'ada', password: 'p', totp: 'JBSW Y3DP' };
  expect(newCredential(draft)).toEqual({ kind: 'login', site: 'portal.example', username: 'ada', password: 'p', totp: 'JBSW Y3DP', rule: 'ask' });
  expect(patchOf({ ...draftOf(credentialOf()), rule: 'fill' })).toEqual({ site: 'portal.example', username: 'ada@portal.example', rule: 'fill' });
});

test('a new entry may begin with a site, and one that was filled in again changes what was saved', () => {
  const draft = { ...draftOf(null, 'portal.example'), username: 'ada', password: 'p' };
  expect(draft.site).toBe('portal.example');
  expect(patchLike(newCredential(draft))).toEqual({ site: 'portal.example', username: 'ada', password: 'p', rule: 'ask' });
});

test('an entry needs a site and something to fill in', () => {
  expect(isWhole(draftOf(null), null)).toBe(false);
  expect(isWhole({ ...draftOf(null), site: 'portal.example' }, null)).toBe(false);
  expect(isWhole({ ...draftOf(null), site: 'portal.example', password: 'p' }, null)).toBe(true);
  expect(isWhole({ ...draftOf(credentialOf()), username: '' }, credentialOf())).toBe(true);
});

test('an entry says what it holds and what used it last', () => {
  expect(holds(credentialOf({ hasTotp: true }))).toBe('password, one-time codes');
  const named = (id: string) => (id === 'task_1' ? 'October invoices' : null);
  expect(lastUse(credentialOf(), AT, named)).toBe('not used yet');
  expect(lastUse(credentialOf({ lastUsedAt: AT - 180_000, lastUsedBy: 'task_1' }), AT, named)).toBe('used 3 min ago by October invoices');
  expect(lastUse(credentialOf({ lastUsedAt: AT - 180_000 }), AT, named)).toBe('used 3 min ago');
});

test('an entry says how many passkeys it has, and forgets them on a word', () => {
  expect(holds(credentialOf({ hasPassword: false, passkeys: 1 }))).toBe('1 passkey');
  expect(holds(credentialOf({ passkeys: 2 }))).toBe('password, 2 passkeys');
  const draft = { ...draftOf(credentialOf({ passkeys: 2 })), forgetsPasskeys: true };
  expect(patchOf(draft).passkeys).toBe(0);
  expect(isWhole({ ...draftOf(null), site: 'portal.example' }, credentialOf({ hasPassword: false, passkeys: 1 }))).toBe(true);
});

test('an entry that only says never holds nothing', () => {
  expect(holds(credentialOf({ rule: 'never', username: null, hasPassword: false }))).toBe('nothing is kept for this site');
  expect(holds(credentialOf({ rule: 'never' }))).toBe('password');
});

test('a sign-in that was typed is kept, or changes what is saved', () => {
  const offer = { offerId: 'sio_1', site: 'portal.example', username: 'ada', updates: null, expiresAt: AT };
  expect(keepWords(offer)).toMatchObject({ title: 'Keep this sign-in for portal.example?', yes: 'Keep' });
  expect(keepWords({ ...offer, updates: 'cred_1' })).toMatchObject({ title: 'Change the saved password for portal.example?', yes: 'Change it' });
});

test('an import says what was not saved', () => {
  const skipped = [3, 4, 5, 6].map((line) => ({ line, why: 'it has no address' }));
  expect(importWords({ imported: 2, nSkipped: 0, skipped: [] })).toBe('2 saved.');
  expect(importWords({ imported: 2, nSkipped: 9, skipped })).toBe('2 saved. Line 3: it has no address. Line 4: it has no address. Line 5: it has no address. 6 more were not saved.');
});

test('entries stand by their sites', () => {
  const sites = ['shop.com', '*.bank.com', 'http://a.test'].map((site) => credentialOf({ site }));
  expect(logins([...sites, credentialOf({ kind: 'secret', site: null })]).map((entry) => entry.site)).toEqual(['http://a.test', '*.bank.com', 'shop.com']);
});
