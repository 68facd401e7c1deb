/** Answers the host that this page runs in. */
import type { Host } from './types';

export async function findHost(): Promise<Host> {
  // Loaded on demand: a browser never loads the desktop API, the desktop never looks for a ticket.
  if ('__TAURI_INTERNALS__' in globalThis) {
    const { desktopHost } = await import('./desktop');
    return desktopHost();
  }
  const { httpHost } = await import('./http');
  return httpHost();
}
