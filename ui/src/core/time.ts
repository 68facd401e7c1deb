/** Times and durations as a person reads them. The clock and the time zone come in as arguments. */

export interface Clock {
  /** Milliseconds since the epoch. */
  now: number;
  /** Minutes to add to UTC for the wall clock, as `-Date.getTimezoneOffset()`. */
  offsetMinutes: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Returns a running time: `0:42`, `12:04`, `1:02:09`. */
export function stopwatch(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / SECOND));
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60];
  if (seconds < 3600) return `${parts[0]}:${pad(parts[1]!)}`;
  return `${Math.floor(seconds / 3600)}:${pad(parts[0]!)}:${pad(parts[1]!)}`;
}

/** Returns how long something waits: exact below two minutes, then rounded: `0:42`, `3 min`, `2 h`, `4 d`. */
export function waited(ms: number): string {
  if (ms < 2 * MINUTE) return stopwatch(ms);
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h`;
  return `${Math.floor(ms / DAY)} d`;
}

/** Returns a duration in words: `0.4 s`, `42 s`, `9 min`, `1 h 20 min`. */
export function duration(ms: number): string {
  if (ms < 10 * SECOND) return `${(Math.max(0, ms) / SECOND).toFixed(1)} s`;
  if (ms < MINUTE) return `${Math.round(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.round(ms / MINUTE)} min`;
  const minutes = Math.round(ms / MINUTE);
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Returns the wall clock: `09:05`. */
export function clockTime(at: number, offsetMinutes: number): string {
  const date = new Date(at + offsetMinutes * MINUTE);
  return `${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}`;
}

/** Returns the time of today, or the day of another: `09:05`, `20 Nov`, `20 Nov 2025`. */
export function when(at: number, clock: Clock): string {
  if (sameDay(at, clock)) return clockTime(at, clock.offsetMinutes);
  const date = new Date(at + clock.offsetMinutes * MINUTE);
  const now = new Date(clock.now + clock.offsetMinutes * MINUTE);
  const day = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
  return date.getUTCFullYear() === now.getUTCFullYear() ? day : `${day} ${date.getUTCFullYear()}`;
}

export function sameDay(at: number, clock: Clock): boolean {
  const day = (ms: number) => Math.floor((ms + clock.offsetMinutes * MINUTE) / DAY);
  return day(at) === day(clock.now);
}

/** Returns a size: `812 B`, `4.1 kB`, `23 MB`. */
export function fileSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return unit === 0 || value >= 10 ? `${Math.round(value)} ${units[unit]}` : `${value.toFixed(1)} ${units[unit]}`;
}

/** Returns `1 file`, `2 files`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

function pad(n: number): string {
  return String(n).padStart(2, '0');
}
