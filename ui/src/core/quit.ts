/** What quitting would stop, in words. */
import { count } from './time';

/** Returns the sentences of the question, the gravest first. */
export function quitWords(underWay: { tasks: number; waiting: number; sandboxes: number }): string[] {
  const { tasks, waiting, sandboxes } = underWay;
  const words: string[] = [];
  if (tasks > 0) words.push(`${count(tasks, 'task')} ${tasks === 1 ? 'is' : 'are'} running and will be stopped.`);
  if (waiting > 0) words.push(`${count(waiting, 'task')} ${waiting === 1 ? 'waits' : 'wait'} for you and will go on when you start Baton again.`);
  if (sandboxes > 0) words.push(`${count(sandboxes, 'open sandbox', 'open sandboxes')} will end.`);
  return words;
}
