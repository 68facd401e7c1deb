/**
 * What passes between the window and the shell, and nowhere else. `src-tauri/src/bridge.rs` has the same; a test there reads
 * this file.
 */

/** What a route answered, carried out in process. */
export interface Reply {
  status: number;
  body: unknown;
}

/** Where the page opens its WebSockets. */
export interface Endpoint {
  url: string;
  token: string;
}

/** What would stop if the application quit. */
export interface UnderWay {
  /** Tasks that would be stopped. */
  tasks: number;
  /** Tasks that wait for a person, and go on at the next start. */
  waiting: number;
  /** Sandboxes without a task. */
  sandboxes: number;
}
