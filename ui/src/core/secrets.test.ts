import { describe, expect, test } from 'vitest';
import type { Credential } from '../types';
import { goesTo, isWholeSecret, newSecret, secretDraftOf, secretPatchOf, secrets } from './secrets';

function entry(over: Partial<Credential> = {}): Credential {
  return { id: 'c1', kind: 'secret', name: 'API_TOKEN', rule: 'ask', source: 'local', hasPassword: false, hasTotp: false, passkeys: 0, createdAt: 0, updatedAt: 0, ...over };
}

describe('secrets for commands', () => {
  test('a new one needs a name and a value, one that is there keeps its value', () => {
    const draft = secretDraftOf(null);
    expect(isWholeSecret(draft, null)).toBe(false);
    expect(isWholeSecret({ ...draft, name: 'A' }, null)).toBe(false);
    expect(isWholeSecret({ ...draft, name: 'A', value: 'v' }, null)).toBe(true);
    expect(isWholeSecret(secretDraftOf(entry()), entry())).toBe(true);
    expect(secretDraftOf(entry()).value).toBe('');
  });

  test('hosts are told apart by commas, blanks and lines', () => {
    const draft = { name: ' API_TOKEN ', value: 'v ', hosts: 'api.example,  *.api.example:8443\n10.0.0.1 ', rule: 'fill' as const };
    expect(newSecret(draft)).toEqual({ kind: 'secret', name: 'API_TOKEN', value: 'v ', hosts: ['api.example', '*.api.example:8443', '10.0.0.1'], rule: 'fill' });
  });

  test('a change sends no value that was not typed, and takes hosts away that were', () => {
    expect(secretPatchOf({ ...secretDraftOf(entry({ hosts: ['a.example'] })), hosts: '' })).toEqual({ name: 'API_TOKEN', hosts: [], rule: 'ask' });
  });

  test('it says where it may go, and secrets stand by name without the logins', () => {
    expect(goesTo(entry())).toBe('');
    expect(goesTo(entry({ hosts: ['a.example', 'b.example'] }))).toBe('for a.example, b.example alone');
    const all = [entry({ id: 'c2', name: 'B' }), entry({ id: 'c3', name: 'A' }), entry({ id: 'c4', kind: 'login', name: 'x', site: 'x.example' })];
    expect(secrets(all).map(({ name }) => name)).toEqual(['A', 'B']);
  });
});
