import { describe, expect, it } from 'vitest';
import { COMMANDS } from './commands';
import { around, marked, ranked, score, wordsOf } from './palette';

const hits = (text: string, query: string) => marked(text, wordsOf(query)).filter((piece) => piece.hit).map((piece) => piece.text);

describe('finding', () => {
  it('wants every word, in any order, whatever the case and the accents', () => {
    expect(score(wordsOf('invoices october'), 'October invoices')).not.toBeNull();
    expect(score(wordsOf('zurich'), 'Flights to Zürich')).not.toBeNull();
    expect(score(wordsOf('invoices november'), 'October invoices')).toBeNull();
  });
  it('puts what begins with it first, then beginnings of words, then the rest', () => {
    const found = ranked(['Weekend', 'The end', 'End the sandbox'], wordsOf('end'), (text) => ({ text }));
    expect(found).toEqual(['End the sandbox', 'The end', 'Weekend']);
  });
  it('finds a command by another word for it, after those that have it in their name', () => {
    const found = ranked(COMMANDS, wordsOf('stop'), (each) => ({ text: each.label, also: each.words })).map((each) => each.id);
    expect(found).toContain('end');
    expect(ranked(COMMANDS, wordsOf('theme'), (each) => ({ text: each.label, also: each.words }))[0]!.id).toBe('asSystem');
  });
  it('keeps everything in its order without a query', () => {
    expect(ranked(['b', 'a'], [], (text) => ({ text }))).toEqual(['b', 'a']);
  });
});

describe('marking', () => {
  it('marks every place, and only those', () => {
    expect(hits('Sign in to sign out', 'sign')).toEqual(['Sign', 'sign']);
    expect(hits('Flights to Zürich', 'zurich')).toEqual(['Zürich']);
    expect(marked('nothing', ['x'])).toEqual([{ text: 'nothing', hit: false }]);
  });
  it('gives the text back whole', () => {
    const text = 'İstanbul — “ﬁnd” 👍 me';
    expect(marked(text, wordsOf('find me')).map((piece) => piece.text).join('')).toBe(text);
  });
  it('shows a long text around what was found', () => {
    const long = `${'a '.repeat(200)}needle ${'b '.repeat(200)}`;
    const shown = around(long, ['needle']);
    expect(shown).toContain('needle');
    expect(shown.length).toBeLessThanOrEqual(122);
  });
});

describe('the table of commands', () => {
  it('gives each shortcut one meaning, and each command one row', () => {
    const keys = COMMANDS.map((each) => each.keys).filter((each) => each !== '');
    expect(new Set(keys).size).toBe(keys.length);
    expect(new Set(COMMANDS.map((each) => each.id)).size).toBe(COMMANDS.length);
  });
});
