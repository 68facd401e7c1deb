/** What a machine can do, in sentences: the checks of `baton doctor` as a person reads them. */
import type { Check } from '../types';

/** A sentence for each outcome. */
const SAYINGS: Record<string, { works: string; fails: string }> = {
  bubblewrap: { works: 'Tasks can be sealed off from this computer', fails: 'Tasks cannot be sealed off from this computer' },
  userNamespaces: { works: 'The system lets programs be sealed off', fails: 'The system does not let programs be sealed off' },
  appArmor: { works: 'The system lets Baton seal programs off', fails: 'The system does not let Baton seal programs off' },
  seccomp: { works: 'Tasks can be kept from dangerous system calls', fails: 'Tasks cannot be kept from dangerous system calls' },
  landlock: { works: 'Files are fenced off a second time', fails: 'Files cannot be fenced off a second time' },
  limits: { works: 'The kernel holds tasks to their limits', fails: 'The kernel cannot hold tasks to all of their limits' },
  room: { works: 'A trial sandbox started and ran a command', fails: 'A trial sandbox did not start' },
  docker: { works: 'Tasks can also run in containers', fails: 'Tasks cannot run in containers' },
  xvfb: { works: 'The browser has a screen to draw on', fails: 'The browser has no screen to draw on' },
  chromium: { works: 'The browser is installed', fails: 'The browser is missing' },
  python3: { works: 'Tasks can run Python', fails: 'Tasks cannot run Python' },
  node: { works: 'Tasks can run JavaScript and TypeScript', fails: 'Tasks cannot run JavaScript and TypeScript' },
  fontsLatin: { works: 'Latin text can be read', fails: 'Latin text cannot be read' },
  fontsCjk: { works: 'Chinese, Japanese and Korean text can be read', fails: 'Chinese, Japanese and Korean text shows as boxes' },
  fontsEmoji: { works: 'Emoji can be seen', fails: 'Emoji show as boxes' },
};

/** Returns a sentence, and the detail under it; empty where the sentence says all. */
export function checkWords(check: Check): { say: string; detail: string } {
  const saying = SAYINGS[check.name];
  const found = sentence(check.found);
  if (saying === undefined) return { say: found, detail: '' };
  const detail = check.ok ? (check.name === 'room' ? '' : nameOf(check)) : found;
  return { say: `${check.ok ? saying.works : saying.fails}.`, detail: check.ok || check.required ? detail : `${detail} Everything else works.` };
}

/** Returns what was found of something that works, without the words that the sentence has already. */
function nameOf(check: Check): string {
  if (check.name.startsWith('fonts')) return sentence(check.found.slice(check.found.indexOf(':') + 1));
  if (check.name === 'docker') return sentence(check.found.split(':', 1)[0] ?? check.found);
  return sentence(check.name === 'node' ? `Node.js ${check.found.replace(/^v/, '')}` : check.found);
}

function sentence(found: string): string {
  const whole = found.trim();
  return `${whole.charAt(0).toUpperCase()}${whole.slice(1)}${/[.!?]$/.test(whole) ? '' : '.'}`;
}
