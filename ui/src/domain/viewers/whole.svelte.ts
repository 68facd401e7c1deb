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

/** Reads a picture, and makes an address of it for as long as it is shown; called while a component is made. */
export function pictureUrl(wanted: () => (() => Promise<Blob>) | null): { readonly now: string | null; readonly failed: boolean } {
  let now = $state<string | null>(null);
  let failed = $state(false);
  $effect(() => {
    const read = wanted();
    if (read === null) return;
    let made: string | null = null;
    let over = false;
    read().then(
      (picture) => {
        if (!over) now = made = URL.createObjectURL(picture);
      },
      () => {
        if (!over) failed = true;
      },
    );
    return () => {
      over = true;
      failed = false;
      now = null;
      if (made !== null) URL.revokeObjectURL(made);
    };
  });
  return {
    get now() {
      return now;
    },
    get failed() {
      return failed;
    },
  };
}
