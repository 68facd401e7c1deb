import { describe, expect, test } from 'vitest';
import { encodingOf, isText, runsWhenOpened, viewerOf } from './viewer';

const bytes = (text: string) => new TextEncoder().encode(text);
const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0]);
const ZIP = new Uint8Array([0x50, 0x4b, 3, 4, 20, 0, 0]);

describe('a file is shown by what it is', () => {
  test.each([
    ['notes.md', bytes('# A'), 3, 'markdown'],
    ['a.py', bytes('print(1)'), 8, 'text'],
    ['Makefile', bytes('all:'), 4, 'text'],
    ['table.csv', bytes('a,b'), 3, 'table'],
    ['book.xlsx', ZIP, 7, 'sheet'],
    ['letter.docx', ZIP, 7, 'document'],
    ['things.zip', ZIP, 7, 'archive'],
    ['noname', PNG, 9, 'image'],
    ['lies.txt', PNG, 9, 'image'],
    ['lies.png', bytes('just text'), 9, 'text'],
    ['drawing.svg', bytes('<svg/>'), 6, 'image'],
    ['core', new Uint8Array([0, 1, 2, 3]), 4, 'hex'],
    ['empty', new Uint8Array(), 0, 'text'],
    ['page.html', bytes('<p>'), 3, 'html'],
    ['report.pdf', bytes('%PDF-1.7'), 8, 'pdf'],
    ['server.log', bytes('one'), 3, 'log'],
    ['big.txt', bytes('one'), 200_000_000, 'log'],
    ['big.json', bytes('{'), 200_000_000, 'log'],
    ['big.csv', bytes('a,b'), 200_000_000, 'log'],
    ['big.png', PNG, 200_000_000, 'hex'],
    ['big.pdf', bytes('%PDF-1.7'), 200_000_000, 'pdf'],
  ])('%s', (path, head, size, expected) => expect(viewerOf(path, head, size)).toBe(expected));
});

describe('a text says its encoding', () => {
  const utf16 = (text: string) => new Uint8Array([...text].flatMap((c) => [c.charCodeAt(0) & 255, c.charCodeAt(0) >> 8]));
  test.each([
    [bytes('naïve'), 'utf-8'],
    [bytes('naïve').subarray(0, 3), 'utf-8'],
    [new Uint8Array([0x6e, 0x61, 0xef, 0x76, 0x65, 0x20, 0x20, 0x20]), 'windows-1252'],
    [new Uint8Array([0xff, 0xfe, 0x41, 0]), 'utf-16le'],
    [utf16('plain words'), 'utf-16le'],
    [new Uint8Array(), 'utf-8'],
  ])('%j is %s', (head, expected) => expect(encodingOf(head)).toBe(expected));
  test('colours of a terminal are text, and a NUL is not', () => {
    expect(isText(bytes('\u001b[31mred\u001b[0m'))).toBe(true);
    expect(isText(new Uint8Array([65, 0, 66]))).toBe(false);
  });
});

test('what runs when it is opened is known by its ending or its first bytes', () => {
  for (const path of ['a.exe', 'invoice.pdf.SCR', 'x.docm', 'install.sh', 'a.desktop', 'b.AppImage']) expect(runsWhenOpened(path), path).toBe(true);
  for (const path of ['a.pdf', 'a.docx', 'notes.md', 'exe', 'a.html']) expect(runsWhenOpened(path), path).toBe(false);
  expect(runsWhenOpened('tool', new Uint8Array([0x7f, 0x45, 0x4c, 0x46]))).toBe(true);
  expect(runsWhenOpened('tool', bytes('#!/bin/sh'))).toBe(true);
});
