import { expect, test } from 'vitest';
import { targetsOf, targetWords } from './convert';

test.each([
  ['report.md', ['pdf', 'docx', 'html']],
  ['a/b.DOCX', ['pdf', 'md', 'html']],
  ['slides.pptx', ['pdf']],
  ['report.pdf', ['png', 'txt']],
  ['picture.webp', ['pdf']],
  ['things.zip', []],
  ['Makefile', []],
])('%s becomes %j', (path, expected) => expect(targetsOf(path)).toEqual(expected));

test('what is made is said in words', () => {
  expect(targetWords('png')).toBe('Make pictures of its pages');
});
