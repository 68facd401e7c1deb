/**
 * A sentence of the application's that is shown for a while. While a dialog is open it is the dialog that shows it: a modal dialog
 * covers everything else, and keeps it from the person and their screen reader.
 */
import { getContext, setContext } from 'svelte';

export interface Notice {
  /** `null` while there is nothing to say. */
  readonly words: string | null;
  /** `null` for one that stays until its reason is gone. */
  readonly close: (() => void) | null;
}

const KEY = Symbol('notice');

/** Names the notice for every dialog beneath this component; called while it is made. */
export function noticeAbove(notice: Notice): void {
  setContext(KEY, notice);
}

/** Returns the notice to show; `null` where there is none, as in a page of one part. */
export function noticeHere(): Notice | null {
  return getContext<Notice | undefined>(KEY) ?? null;
}
