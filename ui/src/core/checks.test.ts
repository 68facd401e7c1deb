import { expect, test } from 'vitest';
import { checkWords } from './checks';

const check = (name: string, ok: boolean, found: string, required = true) => ({ name, ok, required, found, fix: null });

test.each([
  [check('bubblewrap', true, 'bubblewrap 0.8.0'), 'Tasks can be sealed off from this computer.', 'Bubblewrap 0.8.0.'],
  [check('bubblewrap', false, 'bwrap is not installed'), 'Tasks cannot be sealed off from this computer.', 'Bwrap is not installed.'],
  [check('room', true, 'a room was started and ran a command'), 'A trial sandbox started and ran a command.', ''],
  [check('landlock', false, 'Landlock level 1; 2 is the least that holds'), 'Files cannot be fenced off a second time.', 'Landlock level 1; 2 is the least that holds.'],
  [check('fontsEmoji', false, 'no font for emoji', false), 'Emoji show as boxes.', 'No font for emoji. Everything else works.'],
  [check('fontsLatin', true, 'Latin text: Liberation Sans'), 'Latin text can be read.', 'Liberation Sans.'],
  [check('node', true, 'v20.20.2', false), 'Tasks can run JavaScript and TypeScript.', 'Node.js 20.20.2.'],
  [check('docker', true, 'Docker 28.2.2: sandboxes can also run in containers', false), 'Tasks can also run in containers.', 'Docker 28.2.2.'],
  [check('docker', false, 'no engine listens at /var/run/docker.sock', false), 'Tasks cannot run in containers.', 'No engine listens at /var/run/docker.sock. Everything else works.'],
  [check('somethingNew', true, 'the kernel is new enough'), 'The kernel is new enough.', ''],
])('%o reads as a sentence', (given, say, detail) => expect(checkWords(given)).toEqual({ say, detail }));
