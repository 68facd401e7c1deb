import { expect, test } from 'vitest';
import { quitWords } from './quit';

test.each([
  [{ tasks: 1, waiting: 0, sandboxes: 0 }, ['1 task is running and will be stopped.']],
  [{ tasks: 2, waiting: 1, sandboxes: 0 }, ['2 tasks are running and will be stopped.', '1 task waits for you and will go on when you start Baton again.']],
  [{ tasks: 0, waiting: 0, sandboxes: 3 }, ['3 open sandboxes will end.']],
])('quitting says what %o means', (underWay, words) => {
  expect(quitWords(underWay)).toEqual(words);
});
