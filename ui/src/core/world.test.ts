import { expect, test } from 'vitest';
import { eventsOf, sandboxOf, taskOf, AT } from './testing';
import { EMPTY, latestTask, missingAfter, reduce, staleAfter } from './world';

test('events that come twice or late are kept once, in their order', () => {
  const [a, b, c] = eventsOf(['sandbox.created'], ['sandbox.assigned'], ['sandbox.ready']);
  let world = reduce(EMPTY, { kind: 'events', events: [c!] });
  expect(missingAfter(world.events.get('sbx_1')!)).toBe(0);
  world = reduce(world, { kind: 'events', events: [b!, a!, c!] });
  expect(world.events.get('sbx_1')).toEqual([a, b, c]);
  expect(missingAfter(world.events.get('sbx_1')!)).toBeNull();
});

test('a gap in the middle is found by its number', () => {
  const [a, , c] = eventsOf(['sandbox.created'], ['sandbox.assigned'], ['sandbox.ready']);
  expect(missingAfter([a!, c!])).toBe(1);
});

test('an older answer never replaces a newer one', () => {
  let world = reduce(EMPTY, { kind: 'sandboxes', sandboxes: [sandboxOf({ status: 'ended', updatedAt: AT + 2 })] });
  world = reduce(world, { kind: 'sandboxes', sandboxes: [sandboxOf({ status: 'active', updatedAt: AT + 1 })] });
  expect(world.sandboxes.get('sbx_1')?.status).toBe('ended');
  world = reduce(world, { kind: 'tasks', tasks: [taskOf({ status: 'completed', endedAt: AT })] });
  world = reduce(world, { kind: 'tasks', tasks: [taskOf()] });
  expect(world.tasks.get('task_1')?.status).toBe('completed');
});

test('the latest task is the one made last', () => {
  const world = reduce(EMPTY, { kind: 'tasks', tasks: [taskOf({ id: 'b', createdAt: AT + 1 }), taskOf({ id: 'a' })] });
  expect(latestTask(world, 'sbx_1')?.id).toBe('b');
  expect(latestTask(world, 'sbx_2')).toBeNull();
});

test('a step makes the files stale and asks for nothing else', () => {
  const [step, asked] = eventsOf(['sandbox.agent.action'], ['sandbox.handoff.requested']);
  expect(staleAfter(step!)).toEqual({ sandbox: false, task: null, artifacts: false, files: true });
  expect(staleAfter(asked!)).toEqual({ sandbox: true, task: 'task_1', artifacts: false, files: false });
});

test('a sandbox that was deleted leaves nothing behind', () => {
  let world = reduce(EMPTY, { kind: 'sandboxes', sandboxes: [sandboxOf(), sandboxOf({ id: 'sbx_2' })] });
  world = reduce(world, { kind: 'tasks', tasks: [taskOf(), taskOf({ id: 'task_2', sandboxId: 'sbx_2' })] });
  world = reduce(world, { kind: 'events', events: eventsOf(['sandbox.created']) });
  const after = reduce(world, { kind: 'forgotten', sandboxId: 'sbx_1' });
  expect([[...after.sandboxes.keys()], [...after.tasks.keys()], after.events.size]).toEqual([['sbx_2'], ['task_2'], 0]);
});
