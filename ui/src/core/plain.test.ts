import { describe, expect, test } from 'vitest';
import { fileName, visibleName } from './plain';
import { amounts, parseTable, separatorOf } from './csv';
import { nameBeside, rows, taken, tree } from './files';
import { viewerOfName } from './viewer';
import { pageFitting } from './fit';
import { draftOf, EMPTY_DRAFT, isUntouched, missing, playbookName, sandboxBody } from './playbook';
import { problemOf, problemSentence, sentenceInPlace } from './problem';
import { AT, sandboxOf } from './testing';
import { clockTime, duration, fileSize, stopwatch, waited, when } from './time';

describe('times', () => {
  test.each([
    [0, '0:00'],
    [42_900, '0:42'],
    [724_000, '12:04'],
    [3_729_000, '1:02:09'],
    [-5, '0:00'],
  ])('a stopwatch shows %i ms as %s', (ms, shown) => expect(stopwatch(ms)).toBe(shown));
  test.each([
    [119_000, '1:59'],
    [180_000, '3 min'],
    [7_300_000, '2 h'],
    [200_000_000, '2 d'],
  ])('a wait of %i ms is %s', (ms, shown) => expect(waited(ms)).toBe(shown));
  test.each([
    [400, '0.4 s'],
    [42_000, '42 s'],
    [540_000, '9 min'],
    [3_600_000, '1 h'],
    [4_800_000, '1 h 20 min'],
  ])('%i ms took %s', (ms, shown) => expect(duration(ms)).toBe(shown));
  test('today is told by the clock, another day by its date', () => {
    const clock = { now: AT, offsetMinutes: 120 };
    expect(clockTime(AT, 120)).toBe('10:00');
    expect(when(AT - 3_600_000, clock)).toBe('09:00');
    expect(when(AT - 86_400_000, clock)).toBe('19 Oct');
    expect(when(AT - 400 * 86_400_000, clock)).toBe('15 Sep 2025');
  });
  test.each([
    [812, '812 B'],
    [4_100, '4.1 kB'],
    [999_600, '1.0 MB'],
    [23_000_000, '23 MB'],
  ])('%i bytes are %s', (bytes, shown) => expect(fileSize(bytes)).toBe(shown));
});

describe('the workspace', () => {
  const entry = (path: string, modifiedAt = AT, kind: 'file' | 'directory' | 'symlink' = 'file') => ({ path, kind, size: 1, modifiedAt });

  test('is a tree: folders first, also those that only their files name', () => {
    const nodes = tree([entry('b.txt'), entry('sub/deep/a.csv'), entry('empty', AT, 'directory')], new Map());
    expect(rows(nodes, new Set(['sub', 'sub/deep'])).map(({ node, depth }) => `${depth} ${node.path}`)).toEqual([
      '0 empty',
      '0 sub',
      '1 sub/deep',
      '2 sub/deep/a.csv',
      '0 b.txt',
    ]);
  });
  test('files to import are known by their names in the workspace, and may go next to those that are there', () => {
    const there = [entry('/workspace/report.md'), entry('report (1).md'), entry('data', AT, 'directory'), entry('sub/other.md')];
    expect(taken(['report.md', 'new.md', 'data', 'other.md'], there)).toEqual(['report.md', 'data']);
    expect(['report.md', 'new.md', 'data', '.env'].map((name) => nameBeside(name, there))).toEqual(['report (2).md', 'new.md', 'data (1)', '.env']);
  });
  test('paths may begin with the workspace', () => {
    expect(tree([entry('/workspace/a.txt')], new Map())[0]?.path).toBe('a.txt');
  });
  test('marks what changed since the last look, and the folders above it', () => {
    const [sub, seen] = tree([entry('sub/a', AT + 1), entry('z', AT)], new Map([['sub/a', AT], ['z', AT]]));
    expect([sub?.fresh, seen?.fresh]).toEqual([true, false]);
  });
  test('a link is listed, not opened', () => {
    expect(tree([entry('link', AT, 'symlink')], new Map())[0]).toMatchObject({ opaque: true });
  });
  test.each([
    ['a.md', 'markdown'],
    ['a.CSV', 'table'],
    ['a.png', 'image'],
    ['a.svg', 'image'],
    ['a.pdf', 'pdf'],
    ['Makefile', 'text'],
  ])('%s is listed as %s', (path, as) => expect(viewerOfName(path)).toBe(as));
});

describe('tables', () => {
  test('quotes, separators and line ends are read', () => {
    const table = parseTable('a,b\r\n"x, y","he said ""hi"""\n1,\n', ',', 10);
    expect(table).toEqual({ head: ['a', 'b'], rows: [['x, y', 'he said "hi"'], ['1', '']], more: 0 });
  });
  test('what is too long is counted', () => {
    expect(parseTable('h\n1\n2\n3', ',', 2)).toEqual({ head: ['h'], rows: [['1'], ['2']], more: 1 });
  });
  test('the separator is the one used most', () => {
    expect([separatorOf('a;b;c,d'), separatorOf('a\tb'), separatorOf('a')]).toEqual([';', '\t', ',']);
  });
  test('only columns of amounts are set to the right', () => {
    const table = [
      ['2026-1044', '1,210.50', '€ 5', 'x'],
      ['2026-1045', '120', '', 'y'],
    ];
    expect([...amounts(table)]).toEqual([1, 2]);
  });
});

describe('a new task', () => {
  test('says only what differs from the defaults', () => {
    expect(sandboxBody({ ...EMPTY_DRAFT, playbook: 'name: "Monthly invoice"\nsteps: []' }, 'playbook')).toEqual({ name: 'Monthly invoice', capabilities: { browser: { recording: true } }, limits: { idleMs: 3_600_000 } });
    expect(sandboxBody({ ...EMPTY_DRAFT, name: 'A', network: 'allowlist', allow: 'a.example, *.b.example\n', profile: 'work' }, 'playbook')).toEqual({
      name: 'A',
      capabilities: { browser: { profile: 'work', recording: true } },
      limits: { idleMs: 3_600_000 },
      network: { mode: 'allowlist', allow: ['a.example', '*.b.example'] },
    });
    expect(sandboxBody({ ...EMPTY_DRAFT, name: 'A', network: 'none', allow: 'a.example', idleMinutes: 0, record: false }, 'playbook')).toEqual({ name: 'A', network: { mode: 'none' } });
    expect(sandboxBody({ ...EMPTY_DRAFT, name: 'A', backend: 'docker', idleMinutes: 0, record: false }, 'playbook')).toEqual({ name: 'A', backend: 'docker' });
    expect(sandboxBody({ ...EMPTY_DRAFT, name: 'A', idleMinutes: 0, memory: '2', cpus: '1' }, 'playbook')).toEqual({ name: 'A', capabilities: { browser: { recording: true } }, limits: { memoryMb: 2048, cpus: 1 } });
    expect(sandboxBody({ ...EMPTY_DRAFT, name: 'A', idleMinutes: 0, browserMinutes: 0, record: false }, 'playbook')).toEqual({ name: 'A', capabilities: { browser: { idleMs: 0 } } });
    expect(sandboxBody({ ...EMPTY_DRAFT, prompt: 'Count the invoices', idleMinutes: 15 }, 'prompt')).toEqual({ name: 'Count the invoices', capabilities: { browser: { recording: true } }, limits: { idleMs: 900_000 } });
  });
  test('says what is missing before it is sent', () => {
    expect(missing(EMPTY_DRAFT, 'playbook')).toBeNull();
    expect(missing({ ...EMPTY_DRAFT, network: 'allowlist', allow: ' , ,' }, 'playbook')).toMatch(/site/);
    expect(isUntouched({ ...EMPTY_DRAFT, by: 'prompt' })).toBe(true);
    expect(isUntouched({ ...EMPTY_DRAFT, prompt: 'x' })).toBe(false);
    expect(missing({ ...EMPTY_DRAFT, playbook: ' ' }, 'playbook')).toMatch(/steps/);
    expect(missing(EMPTY_DRAFT, 'prompt')).toMatch(/sentence/);
    expect(missing({ ...EMPTY_DRAFT, network: 'allowlist' }, 'playbook')).toMatch(/site/);
    expect(missing({ ...EMPTY_DRAFT, profile: '../x y' }, 'playbook')).toMatch(/profile/);
  });
  test('a playbook’s own name is read where it is plain', () => {
    expect([playbookName('name: A b\nsteps:'), playbookName("name: 'A'"), playbookName('steps:\n  - name: x')]).toEqual(['A b', 'A', null]);
  });
});

describe('a problem', () => {
  test('has a code, a sentence, and a place where there is one', () => {
    const json = { error: { code: 'invalid', message: 'unknown step', hint: 'Did you mean click?', details: { line: 4, column: 5 } } };
    const problem = problemOf(400, json);
    expect(problem).toEqual({ code: 'invalid', message: 'Unknown step', hint: 'Did you mean click?', line: 4, column: 5 });
    expect(problemSentence(problem)).toBe('Unknown step. Did you mean click?');
  });
  test('the place may be told in the sentence', () => {
    expect(problemOf(400, { error: { code: 'invalid', message: 'bad indent at line 7, column 3' } })).toMatchObject({ line: 7, column: 3 });
  });
  test('its place is said once', () => {
    const problem = problemOf(422, { error: { code: 'invalid', message: 'playbook: line 4, column 5: there is no step `clik`' } });
    expect(problem).toMatchObject({ line: 4, column: 5 });
    expect(sentenceInPlace(problem)).toBe('There is no step `clik`.');
  });
  test('an answer without a body is told by its status', () => {
    expect(problemOf(502, null)).toMatchObject({ code: 'internal', message: 'The runtime answered 502', line: null });
  });
});

test('a page that fills the stage has its size where sites are made for that, else its shape', () => {
  expect(pageFitting(796, 756, 88)).toEqual({ width: 796, height: 668 });
  expect(pageFitting(1276, 936, 88)).toEqual({ width: 1276, height: 848 });
  expect(pageFitting(600, 500, 88)).toEqual({ width: 768, height: 552 });
  expect(pageFitting(10, 900, 88)).toEqual({ width: 768, height: 2048 });
});

test('the steps of a task come back to be edited, with where it might go', () => {
  const sandbox = sandboxOf({ name: 'Invoices', backend: 'docker', network: { mode: 'allowlist', allow: ['a.example', '*.b.example'], deny: [], allowPrivate: [] } });
  const draft = draftOf({ playbook: 'name: X\nsteps: []', prompt: null }, sandbox);
  expect(draft).toMatchObject({ by: 'playbook', name: 'Invoices', playbook: 'name: X\nsteps: []', network: 'allowlist', allow: 'a.example *.b.example', backend: 'docker' });
  expect(sandboxBody(draft, 'playbook')).toMatchObject({ network: { mode: 'allowlist', allow: ['a.example', '*.b.example'] } });
  expect(draftOf({ playbook: null, prompt: 'Find it' }, sandboxOf())).toMatchObject({ by: 'prompt', prompt: 'Find it', network: 'open' });
});

test('what would be hidden in a name is shown as its number', () => {
  expect(visibleName('evil\u202egnp.exe')).toBe('evil‹U+202E›gnp.exe');
  expect(visibleName('a\nb\u0007\u200b.txt')).toBe('a‹U+000A›b‹U+0007›‹U+200B›.txt');
  expect(visibleName('résumé 履歴書 דוח.txt')).toBe('résumé 履歴書 דוח.txt');
  // It is saved under the name that it reads as.
  expect(fileName('evil\u202egnp.exe')).toBe('evilgnp.exe');
});
