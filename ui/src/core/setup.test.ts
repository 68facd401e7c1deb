import { expect, test } from 'vitest';
import { mistakes } from './playbook-text';
import { latestCheck, reportText, rowsOf, SETUP_PLAYBOOK } from './setup';
import { AT, taskOf } from './testing';

test('the check is steps that can run', () => expect(mistakes(SETUP_PLAYBOOK)).toEqual([]));

test('the report is read, however a table was written down', () => {
  const rows = [{ what: 'Paste', result: 'works' }, { what: 'Lists', result: 'skipped' }];
  expect(rowsOf([[{ What: 'Paste', Result: 'works' }, { What: 'Lists', Result: 'skipped' }]])).toEqual(rows);
  expect(rowsOf({ rows: [['Paste', 'works'], ['Lists', 'skipped']] })).toEqual(rows);
  expect(rowsOf('nothing')).toEqual([]);
  expect(rowsOf(null)).toEqual([]);
});

test('the report says what worked, where, and the delay', () => {
  const text = reportText([{ what: 'Paste', result: 'works' }], { version: '0.1.0', shownIn: 'a browser', delayMs: 17.4, picture: 'exact' });
  expect(text).toBe('Baton 0.1.0, setup check\nShown in: a browser\nPaste: works\nDelay of the picture: 17 ms, exact\n');
  expect(reportText([], { version: '1', shownIn: 'x', delayMs: null, picture: '' })).toContain('not measured');
});

test('the newest check that came to its end is reported', () => {
  const check = (id: string, createdAt: number, status: 'completed' | 'failed') => taskOf({ id, playbook: SETUP_PLAYBOOK, createdAt, status });
  expect(latestCheck([check('a', AT, 'completed'), check('b', AT + 1, 'completed'), check('c', AT + 2, 'failed'), taskOf({ id: 'd', createdAt: AT + 3, status: 'completed' })])?.id).toBe('b');
});
