/** What a task has cost so far, in a short line. */
import { count } from './time';
import type { Usage } from '../types';

/** Returns for example `12 steps · 34k tokens · $0.12`; without a model only the steps. */
export function usageLine(usage: Usage): string {
  const tokens = usage.inputTokens + usage.outputTokens;
  const parts = [count(usage.steps, 'step')];
  if (tokens > 0) parts.push(`${short(tokens)} tokens`);
  if (usage.costUsd != null) parts.push(usage.costUsd < 0.01 ? 'under $0.01' : `$${usage.costUsd.toFixed(2)}`);
  return parts.join(' · ');
}

function short(n: number): string {
  if (n < 1_000) return String(n);
  if (n < 999_500) return `${Math.round(n / 1_000)}k`;
  return `${(n / 1_000_000).toFixed(1)}M`;
}
