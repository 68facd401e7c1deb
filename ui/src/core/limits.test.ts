import { expect, test } from 'vitest';
import { askedLimits, badLimit, limitLines, limitsBody } from './limits';

const NONE = { memory: '', disk: '', cpus: '', pids: '' };

test('each limit in force is a line that says what holds it', () => {
  const asked = { memoryMb: 2048, pids: 400, cpus: null, diskMb: 500, idleMs: 5_400_000 };
  const lines = limitLines({
    ...asked,
    inForce: {
      memoryMb: { value: 2048, by: 'cgroup2' },
      pids: { value: 400, by: 'rlimit' },
      cpus: null,
      diskMb: { value: 500, by: 'watchdog' },
      idleMs: { value: 5_400_000, by: 'watchdog' },
    },
  });
  expect(lines.map(({ name, value }) => `${name} ${value}`)).toEqual(['Memory 2 GB', 'Workspace 500 MB', 'Processes 400', 'Ends when unused for 90 minutes']);
  expect(lines[0]?.by).toBe('The kernel (control group)');
});

test('what was typed is sent, and nothing else', () => {
  expect(limitsBody(NONE)).toEqual({});
  expect(limitsBody({ memory: '1,5', disk: ' 2 ', cpus: '0.5', pids: '300' })).toEqual({ memoryMb: 1536, diskMb: 2048, cpus: 0.5, pids: 300 });
});

test('what is no number is named', () => {
  expect(badLimit(NONE)).toBeNull();
  expect(badLimit({ ...NONE, memory: 'much' })).toMatch(/^Memory/);
  expect(badLimit({ ...NONE, cpus: '0' })).toMatch(/^Processors/);
});

test('the limits of a job that is run again are those that were asked for, without what is in force', () => {
  const again = askedLimits({ memoryMb: 2048, inForce: { memoryMb: { value: 2048, by: 'cgroup2' } } });
  expect(JSON.parse(JSON.stringify(again))).toEqual({ memoryMb: 2048 });
});
