import { expect, test } from 'vitest';
import { withViewport } from './fit';

const viewport = { width: 900, height: 600 };

test('a new sandbox gets the page size beside what else was asked of its browser', () => {
  expect(withViewport({ name: 'a' }, viewport)).toEqual({ name: 'a', capabilities: { browser: { viewport } } });
  expect(withViewport({ capabilities: { browser: { profile: 'work' } } }, viewport)).toEqual({ capabilities: { browser: { profile: 'work', viewport } } });
  expect(withViewport({ capabilities: { browser: true, agent: { enabled: true } } }, viewport)).toEqual({ capabilities: { agent: { enabled: true }, browser: { viewport } } });
});

test('one without a browser has no page', () => {
  expect(withViewport({ capabilities: { browser: false } }, viewport)).toEqual({ capabilities: { browser: false } });
  expect(withViewport({ name: 'a' }, null)).toEqual({ name: 'a' });
});
