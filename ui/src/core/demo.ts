/** The guided first task, as the interface knows it again. */
import type { Task } from '../types';

/** Whether a task is the demo, and came to its end. */
export function demoEnded(task: Task | null): boolean {
  return task?.status === 'completed' && task.playbook != null && /^name: October invoices$/m.test(task.playbook) && task.playbook.includes('http://portal.example/');
}

/** What the demo has shown, in the order in which it did. */
export const SEEN: readonly { tone: 'agent' | 'needs' | 'you'; head: string; tail: string }[] = [
  { tone: 'agent', head: 'The agent drove', tail: 'a browser of its own, and told each step.' },
  { tone: 'needs', head: 'It asked', tail: 'when a person was needed, and waited.' },
  { tone: 'you', head: 'You drove', tail: 'and it saw none of it: the story has a blank there.' },
];
