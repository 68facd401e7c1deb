import { expect, test } from 'vitest';
import type { ModelInfo } from '../types';
import { draftFor, draftOf, missingOf, PROVIDERS, settingsOf, storageWords, testWords } from './models';

const provider = (name: string) => PROVIDERS.find((each) => each.name === name)!;
const ollama: ModelInfo = {
  name: 'desk', kind: 'openai', baseUrl: 'http://localhost:11434/v1', model: 'qwen3', contextWindow: 40_000, hasKey: false, default: true, source: 'settings',
};

test('a form says no more than was filled in', () => {
  const draft = { ...draftFor(provider('anthropic')), model: ' claude-sonnet-4-5 ', key: 'sk-1 ' };
  expect(settingsOf(draft, null)).toEqual({ kind: 'anthropic', model: 'claude-sonnet-4-5', apiKey: 'sk-1', default: false });
});

test('a model that is changed keeps what the form does not show, and sends no key', () => {
  const draft = draftOf(ollama);
  expect(draft.provider).toBe('ollama');
  expect(settingsOf({ ...draft, model: 'qwen4' }, ollama)).toEqual({
    kind: 'openai', baseUrl: 'http://localhost:11434/v1', model: 'qwen4', contextWindow: 40_000, default: true,
  });
  const proxied: ModelInfo = { ...ollama, kind: 'anthropic', baseUrl: 'https://proxy.example' };
  expect(settingsOf(draftOf(proxied), proxied).kind).toBe('anthropic');
});

test('what is missing is said before anything is sent', () => {
  const draft = draftFor(provider('other'));
  expect(missingOf({ ...draft, name: 'a b' })).toContain('name');
  expect(missingOf(draft)).toContain('model');
  expect(missingOf({ ...draft, model: 'm' })).toContain('address');
  expect(missingOf({ ...draft, model: 'm', baseUrl: 'http://a.example' })).toBeNull();
});

test('a test says how long it took, or the provider’s own words', () => {
  expect(testWords({ ok: true, latencyMs: 840 })).toBe('Answered in 0.8 s');
  expect(testWords({ ok: false, latencyMs: 3, error: 'Incorrect API key provided' })).toBe('Incorrect API key provided');
  expect(storageWords({ store: 'file', state: 'new' })).toContain('Choose a passphrase');
});
