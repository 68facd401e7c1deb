/** A file that is read whole before it is shown. */
import type { Source } from '../../core/source';

export type Whole = { kind: 'loading' } | { kind: 'read'; bytes: Uint8Array<ArrayBuffer> } | { kind: 'failed' };

/** Reads the file whenever it changes; called while a component is made. */
export function readWhole(source: () => Source): { readonly now: Whole } {
  let now = $state.raw<Whole>({ kind: 'loading' });
  $effect(() => {
    const { read, size, modifiedAt } = source();
    void modifiedAt;
    let gone = false;
    read(0, Math.max(1, size)).then(
      (bytes) => {
        if (!gone) now = { kind: 'read', bytes };
      },
      () => {
        if (!gone) now = { kind: 'failed' };
      },
    );
    return () => (gone = true);
  });
  return {
    get now() {
      return now;
    },
  };
}

/** Makes an address of bytes for as long as they are shown; called while a component is made. */
export function objectUrl(bytes: () => { bytes: Uint8Array<ArrayBuffer>; type: string } | null): { readonly now: string | null } {
  let now = $state<string | null>(null);
  $effect(() => {
    const wanted = bytes();
    if (wanted === null) return;
    const url = URL.createObjectURL(new Blob([wanted.bytes], { type: wanted.type }));
    now = url;
    return () => {
      URL.revokeObjectURL(url);
      now = null;
    };
  });
  return {
    get now() {
      return now;
    },
  };
}
