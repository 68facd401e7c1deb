import { describe, expect, test } from 'vitest';
import type { Group, Item } from './groups';
import { ALL, chosenAfter, doableWith, shown, sitesOf, type Kept, type Wanted } from './worklist';

const item = (id: string, over: Partial<Item> = {}): Item => ({ id, title: id, sub: '', time: '', tone: 'idle', state: '', at: 0, open: false, outcome: 'completed', site: null, ...over });
const GROUPS: Group[] = [
  { name: 'Needs you', items: [item('asks', { open: true, outcome: null, site: 'bank.example' })] },
  { name: 'Running', items: [item('runs', { open: true, outcome: null })] },
  { name: 'Done today', items: [item('b10', { site: 'portal.example' }), item('b9', { outcome: 'failed', site: 'bank.example' }), item('stays', { open: true })] },
];
const NOTHING: Kept = { mine: new Set(), archived: new Set(), leaving: new Set() };
const ids = (wanted: Partial<Wanted>, kept: Partial<Kept> = {}) => shown(GROUPS, { ...ALL, ...wanted }, { ...NOTHING, ...kept }).flatMap((group) => group.items.map((each) => each.id));

describe('the list is narrowed', () => {
  const cases: [Partial<Wanted>, string[]][] = [
    [{}, ['asks', 'runs', 'b10', 'b9', 'stays']],
    [{ narrow: 'waiting' }, ['asks']],
    [{ narrow: 'running' }, ['runs']],
    [{ narrow: 'failed' }, ['b9']],
    [{ narrow: 'open' }, ['asks', 'runs', 'stays']],
    [{ narrow: 'archived' }, []],
    [{ site: 'bank.example' }, ['asks', 'b9']],
    [{ site: 'bank.example', narrow: 'failed' }, ['b9']],
  ];
  test.each(cases)('%j', (wanted, expected) => expect(ids(wanted)).toEqual(expected));

  test('to what was begun here', () => expect(ids({ narrow: 'mine' }, { mine: new Set(['b10']) })).toEqual(['b10']));

  test('but what runs, waits or holds memory is never put away', () => {
    const archived = new Set(['asks', 'runs', 'b10', 'stays']);
    expect(ids({}, { archived })).toEqual(['asks', 'runs', 'b9', 'stays']);
    expect(ids({ narrow: 'archived' }, { archived })).toEqual(['b10']);
  });
  test('and what is being deleted is out of sight', () => expect(ids({}, { leaving: new Set(['b9']) })).not.toContain('b9'));
});

test('names are sorted as people count', () => {
  expect(ids({ sort: 'name' }).slice(2)).toEqual(['b9', 'b10', 'stays']);
  expect(ids({ sort: 'oldest' }).slice(2)).toEqual(['stays', 'b9', 'b10']);
});

test('sites are named once', () => expect(sitesOf(GROUPS)).toEqual(['bank.example', 'portal.example']));

describe('several jobs are chosen', () => {
  const order = ['a', 'b', 'c', 'd'];
  test('one by one', () => {
    expect([...chosenAfter(new Set(['a']), order, 'a', 'c', 'toggle')]).toEqual(['a', 'c']);
    expect([...chosenAfter(new Set(['a', 'c']), order, 'a', 'c', 'toggle')]).toEqual(['a']);
  });
  test('as a range, either way', () => {
    expect([...chosenAfter(new Set(), order, 'c', 'a', 'range')]).toEqual(['a', 'b', 'c']);
    expect([...chosenAfter(new Set(), order, null, 'b', 'range')]).toEqual(['b']);
  });
  test('and only what can be done with every one of them is offered', () => {
    const [asks, done, stays] = [GROUPS[0]!.items[0]!, GROUPS[2]!.items[0]!, GROUPS[2]!.items[2]!];
    expect(doableWith([asks, stays])).toEqual({ end: true, archive: false, remove: false });
    expect(doableWith([done])).toEqual({ end: false, archive: true, remove: true });
    expect(doableWith([])).toEqual({ end: false, archive: false, remove: false });
  });
});
