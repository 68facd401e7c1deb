import { expect, test } from 'vitest';
import { askSentence, askSub, grantState, isOpen, money } from './approval';
import { phaseOf } from './phase';
import { approvalOf, grantOf, sandboxOf, taskOf } from './testing';

test('a question says what would be done, how much, and where', () => {
  expect(askSentence(approvalOf())).toBe('Pay € 40.00 at shop.example?');
  expect(askSentence(approvalOf({ kind: 'delete', amount: null, destination: 'http://127.0.0.1:8080/x' }))).toBe('Delete this at 127.0.0.1:8080?');
  expect(askSentence(approvalOf({ kind: 'newDestination' }))).toBe('Go to shop.example? The task does not name it.');
  const place = approvalOf({ kind: 'newDestination', method: null, destination: 'https://cdn.shop.example' });
  const held = { ...place, held: true, proposal: { ...place.proposal, summary: 'reach shop.example and every host beneath it' } };
  expect(askSentence(held)).toBe('Let this job reach shop.example and every host beneath it?');
  expect(askSub(held, 0)).toContain('It wants cdn.shop.example now.');
});

test('a held request says that a no means it never leaves', () => {
  expect(askSub({ ...approvalOf(), held: true }, 2)).toBe('The request is held: if you deny it, it never leaves. Nothing expires. 2 more after this.');
  expect(askSub(approvalOf(), 0)).toContain('does nothing until you answer');
});

test('an open question needs you, unless you are driving', () => {
  const sandbox = sandboxOf({ approvals: [approvalOf()] });
  expect(phaseOf(sandbox, taskOf({ status: 'waiting' }), null, [])).toMatchObject({ kind: 'asked', more: 0 });
  const driven = { ...sandbox, preview: { ...sandbox.preview, controlMode: 'human' as const } };
  expect(phaseOf(driven, taskOf(), null, []).kind).toBe('other');
});

test('a permission says how much of it is used and when it is over', () => {
  expect(grantState(grantOf({ uses: 2, maxAmount: { hundredths: 10_000, currency: 'EUR' }, spent: 8_000 }), 0)).toBe('used 2 times, € 80.00 of € 100.00');
  expect(isOpen(grantOf({ maxUses: 1, uses: 1 }), 0)).toBe(false);
  expect(isOpen(grantOf({ expiresAt: 5 }), 5)).toBe(false);
  expect(isOpen(grantOf({ revokedAt: 1 }), 0)).toBe(false);
  expect(isOpen(grantOf(), 0)).toBe(true);
  expect(money({ hundredths: 5, currency: '' })).toBe('0.05');
});
