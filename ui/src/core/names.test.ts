import { describe, expect, test } from 'vitest';
import { titleOf } from './groups';
import { fileName, plainDeep, plainName, plainText } from './plain';
import { story } from './story';
import { eventsOf, sandboxOf, taskOf } from './testing';

// The same tables as in the runtime's `core::names`.
test.each([
  ['Rechnung März 🙂.pdf', 'Rechnung März 🙂.pdf'],
  ['חשבונית.pdf', 'חשבונית.pdf'],
  ['evil\u202egnp.exe', 'evilgnp.exe'],
  ['\u2067a\u2069\u200fb\u061cc\u200b\ufeff', 'abc'],
  ['two\r\nlines\u2028and\ttabs ', 'two lines and tabs'],
  ['\u001b[31mred\u0000\u007f', '[31mred'],
  ['\u{e0041}a', 'a'],
  ['../.hidden', '../.hidden'],
  ['invoice.pdf                      .exe', 'invoice.pdf .exe'],
  ['\u202e', ''],
])('the name %j is shown as %j', (name, shown) => expect(plainName(name)).toBe(shown));

test.each([
  ['report.pdf', 'report.pdf'],
  ['evil\u202egnp.exe', 'evilgnp.exe'],
  ['../../etc/passwd', '_.._etc_passwd'],
  ['..\\x', '_x'],
  ['.bashrc', 'bashrc'],
  ['\u200b.bashrc', 'bashrc'],
  [' . .profile. ', 'profile'],
  ['a:b|c?.txt', 'a_b_c_.txt'],
  ['', 'file'],
  ['...', 'file'],
])('the file %j is saved as %j', (name, saved) => expect(fileName(name)).toBe(saved));

test('a long name keeps its ending', () => {
  const saved = fileName(`${'ä'.repeat(200)}.tar.gz`);
  expect(saved.endsWith('ä.gz')).toBe(true);
  expect(new TextEncoder().encode(saved).length).toBeLessThanOrEqual(200);
});

test('a text keeps its lines and tabs', () => {
  expect(plainText('one\r\n\ttwo\u202e\u0007')).toBe('one\n\ttwo');
});

describe('whatever the runtime says', () => {
  const LIE = 'evil\u202egnp.exe';
  test('is plain, wherever it stands', () => {
    const sandbox = sandboxOf({ name: LIE, preview: { ...sandboxOf().preview, title: LIE, tabs: [{ id: '1', url: 'about:blank', title: LIE, active: true }] } });
    expect(JSON.stringify(plainDeep(sandbox))).not.toContain('\u202e');
    expect(plainDeep(sandbox)).toEqual({ ...sandbox, name: 'evilgnp.exe', preview: { ...sandbox.preview, title: 'evilgnp.exe', tabs: [{ id: '1', url: 'about:blank', title: 'evilgnp.exe', active: true }] } });
  });
  test('but what is sent back, which stays as it was written', () => {
    const task = taskOf({ title: LIE, prompt: LIE, playbook: LIE });
    expect(plainDeep(task)).toEqual({ ...task, title: 'evilgnp.exe' });
  });
  test('has its name on one line in the list and in the story', () => {
    expect(titleOf(sandboxOf({ name: 'two\nlines' }), null)).toBe('two lines');
    const [line] = story(eventsOf(['sandbox.artifacts.updated', { name: `a\n${LIE}` }]));
    expect(line?.kind === 'line' && line.words.map((part) => part.text).join('')).toBe('Kept a evilgnp.exe');
  });
});
