import { BatonError } from './error.js';
import type { Endpoint } from './transport.js';

/**
 * Finds the runtime of this machine, in Node: `BATON_URL` and `BATON_TOKEN`, or else `runtime.json` in `BATON_HOME`, or else
 * in the platform's data folder.
 */
export async function findRuntime(): Promise<Endpoint> {
  const env = (globalThis as { process?: { env: Record<string, string | undefined> } }).process?.env;
  if (env === undefined) {
    throw new BatonError(0, 'unreachable', 'outside Node a runtime is not found by itself: give `url` and `token`');
  }
  if (env.BATON_URL && env.BATON_TOKEN) return { url: env.BATON_URL, token: env.BATON_TOKEN };
  const [{ readFile }, { homedir, platform }, { join }] = await Promise.all([
    import('node:fs/promises'),
    import('node:os'),
    import('node:path'),
  ]);
  const file = join(env.BATON_HOME || join(dataFolder(platform(), homedir(), env, join), 'baton'), 'runtime.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const hint = 'start Baton, or `baton serve`';
    throw new BatonError(0, 'unreachable', `no runtime runs: there is no ${file}`, { hint, cause });
  }
  const running = JSON.parse(text) as Endpoint;
  return { url: running.url, token: running.token };
}

function dataFolder(platform: string, home: string, env: Record<string, string | undefined>, join: (...parts: string[]) => string): string {
  switch (platform) {
    case 'darwin':
      return join(home, 'Library', 'Application Support');
    case 'win32':
      return env.APPDATA || join(home, 'AppData', 'Roaming');
    default:
      return env.XDG_DATA_HOME || join(home, '.local', 'share');
  }
}
