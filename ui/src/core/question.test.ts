import { expect, test } from 'vitest';
import { groups } from './groups';
import { openQuestion, phaseOf } from './phase';
import { AT, approvalOf, handoffOf, sandboxOf, taskOf } from './testing';
import { EMPTY, reduce } from './world';
import type { Preview } from '../types';

const preview = (controlMode: Preview['controlMode']): Preview => ({ ...sandboxOf().preview, controlMode, controller: controlMode === 'human' ? 'Ada' : null });

test.each([
  ['the agent drives', { preview: preview('ai') }],
  ['nobody drives and a program outside waits', { preview: preview('idle') }],
  ['a person is asked for something else', { preview: preview('waiting'), handoff: handoffOf() }],
  ['a person drives', { preview: preview('human'), handoff: handoffOf({ status: 'accepted' }) }],
] as const)('a question is there to be answered while %s', (_, over) => {
  const sandbox = sandboxOf({ ...over, approvals: [{ ...approvalOf(), taskId: null }] });
  expect(openQuestion(sandbox)?.approvalId).toBe('apr_1');
  const world = reduce(reduce(EMPTY, { kind: 'sandboxes', sandboxes: [sandbox] }), { kind: 'tasks', tasks: [taskOf()] });
  const clock = { now: AT, offsetMinutes: 0 };
  expect(groups(world, clock, { quiet: new Set(), driven: null })[0]?.name).toBe('Needs you');
  expect(groups(world, clock, { quiet: new Set(), driven: sandbox.id })[0]?.name).toBe('Needs you');
});

test('a sandbox that is over asks nothing any more', () => {
  const sandbox = sandboxOf({ status: 'ended', approvals: [approvalOf()] });
  expect(openQuestion(sandbox)).toBe(null);
  expect(phaseOf(sandbox, null, null, []).kind).toBe('ended');
});
