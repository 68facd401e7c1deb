/** What a sandbox may use, in words: the limits in force, and those that a person types. */
import type { EnforcedBy, Limits, SandboxLimits } from '../types';

export interface LimitLine {
  name: string;
  value: string;
  by: string;
}

const HOLDERS: Record<EnforcedBy, string> = {
  cgroup2: 'The kernel (control group)',
  cgroup1: 'The kernel (control group, version 1)',
  rlimit: 'The kernel (limit of the user)',
  watchdog: 'Baton (watchdog)',
  quota: 'The file system (quota)',
  engine: 'The container engine',
};

/** Returns a line for each limit in force. */
export function limitLines({ inForce }: SandboxLimits): LimitLine[] {
  const { memoryMb, pids, cpus, diskMb, idleMs } = inForce;
  const line = (name: string, limit: { value: number; by: EnforcedBy } | null | undefined, words: (value: number) => string): LimitLine[] =>
    limit == null ? [] : [{ name, value: words(limit.value), by: HOLDERS[limit.by] }];
  return [
    ...line('Memory', memoryMb, megabytes),
    ...line('Workspace', diskMb, megabytes),
    ...line('Processors', cpus, (value) => String(value)),
    ...line('Processes', pids, (value) => String(value)),
    ...line('Ends when unused for', idleMs, duration),
  ];
}

function megabytes(value: number): string {
  return value < 1024 ? `${value} MB` : `${Number((value / 1024).toFixed(1))} GB`;
}

function duration(ms: number): string {
  if (ms % 3_600_000 === 0) return ms === 3_600_000 ? '1 hour' : `${ms / 3_600_000} hours`;
  if (ms % 60_000 === 0) return ms === 60_000 ? '1 minute' : `${ms / 60_000} minutes`;
  return `${Math.round(ms / 1000)} seconds`;
}

/** Limits as a person types them; empty for the runtime's own choice. */
export interface TypedLimits {
  memory: string;
  disk: string;
  cpus: string;
  pids: string;
}

/** Returns the limits to send, of those that were typed; memory and disk in GB. */
export function limitsBody(typed: TypedLimits): Limits {
  const sent = (name: string, text: string, factor: number): Record<string, number> => {
    const value = Number(text.trim().replace(',', '.')) * factor;
    return text.trim() === '' ? {} : { [name]: factor === 1 ? value : Math.round(value) };
  };
  return { ...sent('memoryMb', typed.memory, 1024), ...sent('diskMb', typed.disk, 1024), ...sent('cpus', typed.cpus, 1), ...sent('pids', typed.pids, 1) };
}

/** Returns what was asked for, to be asked for again: what is in force is the runtime's to say. */
export function askedLimits({ memoryMb, pids, cpus, diskMb, idleMs }: SandboxLimits): Limits {
  return { memoryMb, pids, cpus, diskMb, idleMs };
}

/** Says which typed limit is no number; `null` when all are. */
export function badLimit(typed: TypedLimits): string | null {
  const names: [keyof TypedLimits, string][] = [
    ['memory', 'Memory'],
    ['disk', 'Workspace'],
    ['cpus', 'Processors'],
    ['pids', 'Processes'],
  ];
  const bad = names.find(([key]) => typed[key].trim() !== '' && !(Number(typed[key].trim().replace(',', '.')) > 0));
  return bad === undefined ? null : `${bad[1]} must be a number above 0, or empty.`;
}
