/**
 * Takes the animated picture of a takeover from the running product: the agent asks, a person takes control, signs in, hands
 * back, and the agent goes on to the end. Each frame is a screenshot of what is there; only how long it stands is chosen here.
 *
 * `node tests/animation.mjs [--out FILE.webp] [--theme light]`, after `npm run build` and `cargo build`. Needs ffmpeg. `BATON`
 * names another program.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { liveViewOf, openPage, ROOT, startBaton } from './baton.mjs';

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? fallback : process.argv[at + 1];
};
const OUT = option('out', join(ROOT, 'docs/pictures/takeover.webp'));
const THEME = option('theme', 'light');
const SIZE = { width: 1280, height: 800 };
/** Wide enough for the words of the window to be read in a page of documentation. */
const WIDTH = 1080;
const LARGEST = 2_000_000;

const folder = await mkdtemp(join(tmpdir(), 'baton-animation-'));
const frames = [];
const baton = await startBaton();
const { page, close } = await openPage(SIZE);
const { atRest, changed } = liveViewOf(page);

/** Takes a frame that stands for so long. */
async function frame(seconds) {
  const file = join(folder, `${String(frames.length).padStart(3, '0')}.png`);
  await page.screenshot({ path: file });
  frames.push({ file, seconds });
}
/** Types into the sandbox, with a frame after every few letters. */
async function typed(words, letters) {
  for (let at = 0; at < words.length; at += letters) {
    await changed(() => page.keyboard.type(words.slice(at, at + letters)));
    await frame(0.18);
  }
}
const says = (words) => page.getByText(words).first().waitFor();

try {
  await page.emulateMedia({ colorScheme: THEME, reducedMotion: 'reduce' });
  await page.goto(baton.address);
  await page.getByRole('button', { name: /^Run the demo/ }).click();
  await says('Needs you: sign in to portal.example');
  await atRest();
  await frame(2.4);

  await page.keyboard.press('F9');
  await says('The agent cannot see or touch this.');
  await frame(1.6);
  await typed('ada', 1);
  // As text: the keyboard of the browser that plays the person has no key for it.
  await changed(() => page.keyboard.insertText('@'));
  await typed('portal', 3);
  await page.keyboard.press('Tab');
  await typed('correct-horse', 3);
  await frame(0.5);
  await changed(() => page.keyboard.press('Enter'));
  await frame(0.8);
  await typed('246813', 2);
  await frame(0.5);
  await changed(() => page.keyboard.press('Enter'));
  await frame(1.2);

  await page.keyboard.press('F9');
  await says('Hand back?');
  await frame(0.8);
  for (const words of ['Signed in, ', 'the code went ', 'to my phone']) {
    await page.keyboard.type(words);
    await frame(0.3);
  }
  await frame(1);
  await page.keyboard.press('Enter');
  await says('What changed while you drove');
  await frame(2.6);

  await says('Total of 2026-10');
  await frame(3.2);
} finally {
  await close();
  await baton.stop();
}

// The list of ffmpeg's concat demuxer; the last frame is named twice, as the length of the last one is not read.
const list = join(folder, 'frames.txt');
await writeFile(list, [...frames.map(({ file, seconds }) => `file '${file}'\nduration ${seconds}`), `file '${frames.at(-1).file}'`].join('\n'));
execFileSync('ffmpeg', ['-v', 'error', '-y', '-f', 'concat', '-safe', '0', '-i', list, '-vf', `scale=${WIDTH}:-2:flags=lanczos`, '-fps_mode', 'vfr', '-c:v', 'libwebp_anim', '-quality', '82', '-compression_level', '6', '-loop', '0', OUT], { stdio: 'inherit' });
await rm(folder, { recursive: true });
const { size } = await stat(OUT);
console.log(`ok    ${OUT}: ${frames.length} frames, ${Math.round(size / 1000)} kB`);
if (size > LARGEST) throw new Error(`the animation has more than ${LARGEST} bytes`);
