import { expect, test } from 'vitest';
import { groups, needsCount, takeoversOf } from './groups';
import { AT, eventsOf, handoffOf, receiptWith, sandboxOf, taskOf, type InShort } from './testing';
import type { Clock } from './time';
import { EMPTY, reduce, type World } from './world';
import type { Sandbox, Task } from '../types';

const CLOCK: Clock = { now: AT + 3_600_000, offsetMinutes: 0 };
const NOBODY = { quiet: new Set<string>(), driven: null };

function worldOf(...jobs: [id: string, sandbox: Partial<Sandbox>, task: Partial<Task> | null][]): World {
  let world = EMPTY;
  for (const [id, sandbox, task] of jobs) {
    world = reduce(world, { kind: 'sandboxes', sandboxes: [sandboxOf({ id, name: id, ...sandbox })] });
    if (task !== null) world = reduce(world, { kind: 'tasks', tasks: [taskOf({ id: `task_${id}`, sandboxId: id, title: id, ...task })] });
  }
  return world;
}

const shape = (world: World, mine = NOBODY) => groups(world, CLOCK, mine).map((group) => [group.name, group.items.map((item) => item.id)]);
const waiting = (requestedAt: number): Partial<Sandbox> => ({
  handoff: handoffOf({ requestedAt }),
  preview: { ...sandboxOf().preview, controlMode: 'waiting' },
});
const over = (endedAt: number, status: Task['status'] = 'completed'): [Partial<Sandbox>, Partial<Task>] => [
  { status: 'ended', endedAt },
  { status, endedAt },
];

test('needs you first, then what runs, what was done today, and earlier', () => {
  const world = worldOf(
    ['old', ...over(AT - 90_000_000)],
    ['today', ...over(AT)],
    ['runs', {}, {}],
    ['asks', waiting(AT), { status: 'waiting' }],
    ['starts', { status: 'assigning' }, null],
  );
  expect(shape(world)).toEqual([
    ['Needs you', ['asks']],
    ['Running', ['runs', 'starts']],
    ['Done today', ['today']],
    ['Earlier', ['old']],
  ]);
});

test('who waits longest comes first, and what was put off last', () => {
  const world = worldOf(['a', waiting(AT + 10), {}], ['b', waiting(AT + 5), {}], ['c', waiting(AT), {}]);
  expect(shape(world)).toEqual([['Needs you', ['c', 'b', 'a']]]);
  expect(shape(world, { quiet: new Set(['c']), driven: null })).toEqual([['Needs you', ['b', 'a', 'c']]]);
  expect(needsCount(groups(world, CLOCK, NOBODY))).toBe(3);
});

test('an item says what, since when and how it stands', () => {
  const world = worldOf(['asks', waiting(CLOCK.now - 42_000), {}], ['fails', ...over(AT, 'failed')]);
  const [asks, fails] = groups(world, CLOCK, NOBODY).map((group) => group.items[0]);
  expect(asks).toMatchObject({ title: 'asks', sub: 'Sign in to portal.example', time: '0:42', tone: 'needs', state: 'needs you' });
  expect(fails).toMatchObject({ tone: 'bad', time: '08:00', state: 'failed' });
  expect(fails?.sub).toMatch(/^Failed: /);
});

test('the one that is driven from here is yours, another’s is theirs', () => {
  const preview = { ...sandboxOf().preview, controlMode: 'human' as const, controller: 'Ada' };
  const world = worldOf(['a', { preview }, {}]);
  const sub = (driven: string | null) => groups(world, CLOCK, { quiet: new Set(), driven })[0]?.items[0]?.sub;
  expect(sub('a')).toBe('You are driving');
  expect(sub(null)).toBe('Ada is driving');
});

test('a live sandbox whose task is over is done', () => {
  expect(shape(worldOf(['a', {}, { status: 'completed', endedAt: AT, result: '12 invoices. More.' }]))).toEqual([['Done today', ['a']]]);
});

test('takeovers are counted as they were: a request that nobody took over for is none', () => {
  const taken: InShort = ['sandbox.handoff.accepted', {}, 'person'];
  const back: InShort = ['sandbox.handoff.completed', { receipt: receiptWith() }, 'person'];
  const untaken: InShort = ['sandbox.handoff.completed', { receipt: receiptWith({ heldMs: 9_000 }) }, 'api'];
  const lapsed: InShort = ['sandbox.handoff.requested', { again: true }, 'system'];
  const count = (...told: InShort[]) => takeoversOf(reduce(EMPTY, { kind: 'events', events: eventsOf(...told) }), 'sbx_1');
  expect(count(taken, back)).toEqual({ times: 1, heldMs: 42_000 });
  expect(count(untaken)).toEqual({ times: 0, heldMs: 0 });
  // It lapsed after a second, and was done without anyone then.
  expect(count(taken, lapsed, untaken)).toEqual({ times: 1, heldMs: 1_000 });
});
