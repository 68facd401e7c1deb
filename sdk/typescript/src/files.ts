import type { FileEntry } from './generated.js';
import type { Transport } from './transport.js';

/** The workspace of a sandbox. Paths are relative to `/workspace`, or begin with it. */
export class Files {
  readonly #transport: Transport;
  readonly #path: string;

  constructor(transport: Transport, sandboxPath: string) {
    this.#transport = transport;
    this.#path = `${sandboxPath}/fs`;
  }

  async read(path: string): Promise<Uint8Array> {
    const response = await this.#transport.ok('GET', `${this.#path}/read`, { query: { path } });
    return new Uint8Array(await response.arrayBuffer());
  }

  async readText(path: string): Promise<string> {
    return new TextDecoder().decode(await this.read(path));
  }

  /** Makes parent folders; readers see the old file or the new one. */
  write(path: string, content: string | Uint8Array<ArrayBuffer> | Blob): Promise<{ path: string; size: number }> {
    return this.#transport.json('PUT', `${this.#path}/write`, { query: { path }, bytes: content });
  }

  async list(path = '', { recursive = false }: { recursive?: boolean } = {}): Promise<FileEntry[]> {
    const query = { path, recursive };
    return (await this.#transport.json<{ data: FileEntry[] }>('GET', `${this.#path}/list`, { query })).data;
  }

  stat(path: string): Promise<FileEntry> {
    return this.#transport.json('GET', `${this.#path}/stat`, { query: { path } });
  }

  mkdir(path: string): Promise<FileEntry> {
    return this.#transport.json('POST', `${this.#path}/mkdir`, { json: { path } });
  }

  move(from: string, to: string): Promise<FileEntry> {
    return this.#transport.json('POST', `${this.#path}/move`, { json: { from, to } });
  }

  /** Answers what was there. */
  remove(path: string, { recursive = false }: { recursive?: boolean } = {}): Promise<FileEntry> {
    return this.#transport.json('DELETE', this.#path, { query: { path, recursive } });
  }
}
