import { describe, expect, test } from 'vitest';
import { HANDOFF_TEMPLATE, TEMPLATE } from './playbook';
import { failedStep, fromStep, mistakes, paramsOf, placeAt, stepIndexAt, stepsOf } from './playbook-text';
import { nearest, STEPS } from './steps';

const of = (step: string) => `name: Try\nsteps:\n  - ${step}\n`;
const said = (text: string) => mistakes(text).map((mistake) => mistake.message);

describe('mistakes are named in place', () => {
  const cases: [string, string[]][] = [
    ['clik: { text: Go }', ['unknown step clik: did you mean click?']],
    ['click: { nmae: Go }', ['unknown field of click nmae: did you mean name?']],
    ['teleport: {}', ['unknown step teleport']],
    ['handoff: { reason: mfaa, message: "Sign in" }', ['unknown reason mfaa: did you mean mfa?']],
    ['handoff: { reason: mfa }', ['handoff needs message: what the person is asked to do']],
    ['code: { language: ruby, code: "" }', ['language is one of python, javascript, typescript, bash']],
    ['click: Go', ['click takes fields: click: { role: … }']],
    ['dialog: acept', ['unknown answer acept: did you mean accept?']],
    ['select: { label: Month, value: "{{month}}" }', []],
    ['convert: { path: a.md, to: "{{kind}}" }', []],
    ['press: Enter', []],
    ['back: {}', []],
    ['click: { role: gridcell, name: x }', []],
  ];
  test.each(cases)('%s', (step, messages) => expect(said(of(step))).toEqual(messages));

  test('also where fields stand on lines of their own', () => {
    const text = 'name: A\nsteps:\n  - handoff:\n      reason: mfa\n      mesage: Sign in\n      message: Sign in\n';
    const [mistake] = mistakes(text);
    expect(text.slice(mistake!.from, mistake!.to)).toBe('mesage');
    expect(mistake!.instead).toBe('message');
  });
  test('and the templates, and every step as it is written first, have none', () => {
    expect(said(TEMPLATE)).toEqual([]);
    expect(said(HANDOFF_TEMPLATE)).toEqual([]);
    for (const [name, shape] of Object.entries(STEPS)) expect([name, said(of(shape.write.replace('‸', 'x')))]).toEqual([name, []]);
  });
  test('a text that is no playbook yet is no reason to fail', () => {
    for (const text of ['', ':', '- a', 'steps:', 'steps:\n  - ', 'steps:\n  - click: {', '{', '"']) expect(() => mistakes(text)).not.toThrow();
  });
});

describe('steps', () => {
  test('are known with their places', () => {
    expect(stepsOf(HANDOFF_TEMPLATE).map((step) => step.name)).toEqual(['navigate', 'handoff', 'select', 'click', 'download', 'artifact']);
    expect(stepIndexAt(HANDOFF_TEMPLATE, HANDOFF_TEMPLATE.indexOf('Month'))).toBe(2);
    expect(stepIndexAt(HANDOFF_TEMPLATE, 0)).toBeNull();
  });
  test('before one are left out, and the rest is as it was', () => {
    const rest = fromStep(HANDOFF_TEMPLATE, 3);
    expect(stepsOf(rest).map((step) => step.name)).toEqual(['click', 'download', 'artifact']);
    expect(rest.startsWith('name: Fetch this month\'s invoices\nparams: { month: "2026-10" }\nsteps:\n  - click:')).toBe(true);
    expect(fromStep(HANDOFF_TEMPLATE, 0)).toBe(HANDOFF_TEMPLATE);
    expect(fromStep('', 3)).toBe('');
  });
  test('that failed are named by the failure', () => {
    expect(failedStep('Step 4, click: no link “2026-10” on the page.')).toBe(3);
    expect(failedStep('the sandbox failed')).toBeNull();
    expect(failedStep(null)).toBeNull();
  });
});

test('parameters have their defaults', () => {
  expect(paramsOf('name: A\nparams: { month: "2026-10", who: }\nsteps: []\n')).toEqual([{ name: 'month', value: '2026-10' }, { name: 'who', value: null }]);
  expect(paramsOf('name: A\nparams:\n  month: 10\nsteps: []\n')).toEqual([{ name: 'month', value: '10' }]);
  expect(paramsOf('name: A\n')).toEqual([]);
});

describe('what may stand at a place', () => {
  const at = (text: string) => placeAt(text.replace('|', ''), text.indexOf('|'));
  test('is a step after a dash', () => {
    expect(at(of('cl|')).kind).toBe('step');
    expect(at('name: A|\nsteps: []').kind).toBe('else');
  });
  test('is a field, without those that are there', () => {
    expect(at(of('click: { role: button, |}'))).toEqual({ kind: 'field', step: 'click', taken: ['role'] });
    expect(at('steps:\n  - handoff:\n      reason: mfa\n      me|\n')).toMatchObject({ kind: 'field', step: 'handoff' });
  });
  test('is a value of a field', () => {
    expect(at(of('handoff: { reason: |}'))).toEqual({ kind: 'value', step: 'handoff', field: 'reason' });
    expect(at(of('dialog: |'))).toEqual({ kind: 'value', step: 'dialog', field: 'answer' });
  });
});

test('what was meant is near, or nothing is said', () => {
  expect(nearest('clcik', Object.keys(STEPS))).toBe('click');
  expect(nearest('xyzzy', Object.keys(STEPS))).toBeNull();
});
