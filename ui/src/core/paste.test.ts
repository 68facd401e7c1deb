import { expect, test } from 'vitest';
import { pasteQuestion, pasteText, pasteWords } from './paste';

test('one plain line is pasted without a question', () => {
  expect(pasteQuestion('ls -l "a b"\tx')).toBeNull();
});

test('a line break asks, also one at the end', () => {
  expect(pasteQuestion('ls\r\n')).toEqual({ lines: 1, hidden: false, text: 'ls\n' });
  expect(pasteQuestion('a\nb\rc')).toEqual({ lines: 3, hidden: false, text: 'a\nb\nc' });
});

test('what nobody sees is taken out, and said', () => {
  const question = pasteQuestion('echo \u001b[201~rm\u200b -rf\u202e x');
  expect(question).toEqual({ lines: 1, hidden: true, text: 'echo [201~rm -rf x' });
  expect(pasteWords(question!)).toBe('One line. It may run at once. Hidden characters were taken out.');
});

test('a text is typed without control characters', () => {
  expect(pasteText('a\u0003b\u009bc\u007fd\te')).toBe('abcd\te');
});
