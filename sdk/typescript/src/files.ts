import type { FileEntry } from './generated.js';
import type { Transport } from './transport.js';

/** The workspace of a sandbox. Paths are relative to `/workspace`, or begin with it. */
export class Files {
  readonly #transport: Transport;
  readonly #id: string;

  constructor(transport: Transport, sandboxId: string) {
    this.#transport = transport;
    this.#id = sandboxId;
  }

  async read(path: string): Promise<Uint8Array> {
    const response = await this.#transport.open('GET /sandboxes/{id}/fs/read', { path: { id: this.#id }, query: { path } });
    return new Uint8Array(await response.arrayBuffer());
  }

  async readText(path: string): Promise<string> {
    return new TextDecoder().decode(await this.read(path));
  }

  /** Makes parent folders; readers see the old file or the new one. */
  write(path: string, content: string | Uint8Array<ArrayBuffer> | Blob): Promise<{ path: string; size: number }> {
    return this.#transport.call('PUT /sandboxes/{id}/fs/write', { path: { id: this.#id }, query: { path }, bytes: content });
  }

  async list(path = '', { recursive = false }: { recursive?: boolean } = {}): Promise<FileEntry[]> {
    const query = { path, recursive };
    return (await this.#transport.call('GET /sandboxes/{id}/fs/list', { path: { id: this.#id }, query })).data;
  }

  stat(path: string): Promise<FileEntry> {
    return this.#transport.call('GET /sandboxes/{id}/fs/stat', { path: { id: this.#id }, query: { path } });
  }

  mkdir(path: string): Promise<FileEntry> {
    return this.#transport.call('POST /sandboxes/{id}/fs/mkdir', { path: { id: this.#id }, json: { path } });
  }

  move(from: string, to: string): Promise<FileEntry> {
    return this.#transport.call('POST /sandboxes/{id}/fs/move', { path: { id: this.#id }, json: { from, to } });
  }

  /** Answers what was there. */
  remove(path: string, { recursive = false }: { recursive?: boolean } = {}): Promise<FileEntry> {
    return this.#transport.call('DELETE /sandboxes/{id}/fs', { path: { id: this.#id }, query: { path, recursive } });
  }
}
