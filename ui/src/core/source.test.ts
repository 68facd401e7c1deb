import { expect, test } from 'vitest';
import { besidePath } from './source';

test.each([
  ['docs/report.md', 'plot.png', 'docs/plot.png'],
  ['docs/report.md', '../img/a%20b.png', 'img/a b.png'],
  ['report.md', '/workspace/out/x.png', 'out/x.png'],
  ['report.md', './x.png?raw=1#top', 'x.png'],
  ['report.md', '../x.png', null],
  ['report.md', 'https://evil.example/x.png', null],
  ['report.md', '//evil.example/x.png', null],
  ['report.md', 'data:image/png;base64,AA', null],
  ['report.md', 'javascript:alert(1)', null],
  ['report.md', '%', null],
  ['report.md', '', null],
])('%s names %s: %j', (path, reference, expected) => expect(besidePath(path, reference)).toBe(expected));
