import { describe, expect, test } from 'vitest';
import { findIn, findingWords, finderOf, firstFrom, FOUND_MAX, PART, type Found } from './log-find';
import type { Encoding } from './viewer';

async function all(bytes: Uint8Array<ArrayBuffer>, words: string, encoding: Encoding = 'utf-8', from = 0): Promise<Found[]> {
  const found: Found[] = [];
  const read = async (from: number, to: number) => bytes.slice(from, to);
  for await (const part of findIn(read, { from, to: bytes.length }, words, encoding)) found.push(...part.found);
  return found;
}
const utf8 = (text: string) => new TextEncoder().encode(text);
const utf16 = (text: string) => Uint8Array.from([...text].flatMap((letter) => [letter.charCodeAt(0) & 255, letter.charCodeAt(0) >> 8]));

describe('a match is a place in bytes', () => {
  test('after letters of several bytes', async () => expect(await all(utf8('März: ERROR\näerror'), 'error')).toEqual([{ at: 7, length: 5 }, { at: 15, length: 5 }]));
  test('after bytes that are no letters', async () => expect(await all(Uint8Array.from([0xff, 0xc3, 0x28, ...utf8('error')]), 'error')).toEqual([{ at: 3, length: 5 }]));
  test('in upper and lower case, beyond ASCII too', async () => expect(await all(utf8('ÄRGER ärger'), 'Ärger')).toEqual([{ at: 0, length: 6 }, { at: 7, length: 6 }]));
  test('with signs that patterns use', async () => expect(await all(utf8('a.b a+b [x]'), '[x]')).toEqual([{ at: 8, length: 3 }]));
  test('in UTF-16, and never across two letters', async () => {
    expect(await all(utf16('no Error'), 'error', 'utf-16le')).toEqual([{ at: 6, length: 10 }]);
    expect(await all(Uint8Array.from([0x41, 0x61, 0x00, 0x62, 0x41, 0x00]), 'a', 'utf-16le')).toEqual([{ at: 4, length: 2 }]);
  });
  test('in western letters of one byte', async () => expect(await all(Uint8Array.from([0x4d, 0xfc, 0x6e]), 'ü', 'windows-1252')).toEqual([{ at: 1, length: 1 }]));
});

test('a match that a reading cuts is found once', async () => {
  const bytes = new Uint8Array(PART * 2 + 10).fill(0x2e);
  bytes.set(utf8('needle'), PART - 3);
  bytes.set(utf8('needle'), PART * 2 - 6);
  expect((await all(bytes, 'needle')).map(({ at }) => at)).toEqual([PART - 3, PART * 2 - 6]);
});

test('it is looked for from a place on', async () => expect(await all(utf8('x x x'), 'x', 'utf-8', 2)).toEqual([{ at: 2, length: 1 }, { at: 4, length: 1 }]));

test('a letter that the encoding lacks is nowhere', () => expect(finderOf('日', 'windows-1252')).toBeNull());

test.each([
  [0, 0],
  [5, 1],
  [11, 0],
])('from %d on, match %d is the first', (place, first) => expect(firstFrom([{ at: 3, length: 1 }, { at: 10, length: 1 }], place)).toBe(first));

test.each([
  [{ nFound: 0, current: null, read: 34, size: 100, running: true }, 'Looking… 34 %'],
  [{ nFound: 12, current: 2, read: 50, size: 100, running: true }, '12 found, 50 %'],
  [{ nFound: 120, current: 2, read: 100, size: 100, running: false }, 'Match 3 of 120'],
  [{ nFound: FOUND_MAX, current: 0, read: 60, size: 100, running: false }, 'Match 1 of the first 10,000'],
  [{ nFound: 0, current: null, read: 100, size: 100, running: false }, 'Nothing found'],
])('%j is said as %j', (finding, words) => expect(findingWords(finding)).toBe(words));
