import { expect, test } from 'vitest';
import { usageLine } from './usage';

test('a task without a model costs its steps', () => {
  expect(usageLine({ steps: 4, inputTokens: 0, outputTokens: 0, costUsd: null })).toBe('4 steps');
});

test('steps, tokens and, where the provider says one, the price', () => {
  expect(usageLine({ steps: 1, inputTokens: 700, outputTokens: 99, costUsd: null })).toBe('1 step · 799 tokens');
  expect(usageLine({ steps: 12, inputTokens: 33_000, outputTokens: 600, costUsd: 0.123 })).toBe('12 steps · 34k tokens · $0.12');
  expect(usageLine({ steps: 90, inputTokens: 1_990_000, outputTokens: 60_000, costUsd: 0.004 })).toBe('90 steps · 2.0M tokens · under $0.01');
  expect(usageLine({ steps: 2, inputTokens: 999_600, outputTokens: 0, costUsd: null })).toBe('2 steps · 1.0M tokens');
});
