import { expect, test } from 'vitest';
import type { Receipt } from '../types';
import { receiptLines, receiptSentence } from './receipt';
import { receiptWith } from './testing';
import { text } from './words';

function check(over: Partial<Receipt>, lines: string[], sentence: string) {
  const receipt = receiptWith(over);
  expect(receiptLines(receipt).map(text)).toEqual(lines);
  expect(receiptSentence(receipt)).toBe(sentence);
}

test('a receipt names what changed, the most telling first', () => {
  check(
    {
      after: { url: 'https://portal.example/invoices', title: 'Invoices' },
      tabsClosed: ['popup'],
      signedInChanged: ['portal.example'],
      fieldsTouched: ['E-mail', 'Password'],
      filesArrived: ['downloads/a.pdf'],
    },
    ['Signed in at portal.example', 'Went to Invoices', 'Closed 1 tab', '2 fields touched, values not kept', 'Brought in a.pdf'],
    'Signed in at portal.example',
  );
});

test('a receipt of a person who only looked says so', () => {
  check({ inputs: 0 }, ['Nothing: you only looked'], 'Only looked');
});

test('a receipt of nothing that matters says that', () => {
  check({ inputs: 9 }, ['Nothing that the agent has to know'], '');
});

test('fields that still hold what was typed are named', () => {
  check(
    { fieldsVeiled: ['Password', 'Code'] },
    ['Still on the page, hidden from the agent and programs: Password, Code'],
    '',
  );
});

test('many files are counted', () => {
  check(
    { filesArrived: ['a', 'b', 'c', 'd', 'e'] },
    ['Brought in a', 'Brought in b', 'Brought in c', 'and 2 more files'],
    'Brought in 5 files',
  );
});

test('tabs that came and went share a line', () => {
  check({ tabsOpened: ['a', 'b'], tabsClosed: ['c'] }, ['Opened 2 tabs, closed 1'], '');
});
