/** Two versions of a text beside each other, or one above the other. Loaded when a difference is first shown. */
import { defaultKeymap } from '@codemirror/commands';
import { getChunks, goToNextChunk, goToPreviousChunk, MergeView, unifiedMergeView } from '@codemirror/merge';
import { searchKeymap } from '@codemirror/search';
import { Compartment, EditorState, type Extension } from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import type { Difference } from '../../core/versions';
import { colour, READS } from './editor';

/** Signs beside the colours: what was added and removed is told without them too. */
const signed = (sign: string) => ({ content: `"${sign}"`, display: 'block', textAlign: 'center', fontWeight: '600' });

const LOOK = EditorView.theme({
  '.cm-changeGutter': { width: '16px', paddingLeft: '0' },
  '&.cm-merge-b .cm-changedLineGutter': { background: 'var(--you-bg)', color: 'var(--you-ink)' },
  '&.cm-merge-b .cm-changedLineGutter::after': signed('+'),
  '&.cm-merge-a .cm-changedLineGutter, .cm-deletedLineGutter': { background: 'var(--bad-bg)', color: 'var(--bad-ink)' },
  '&.cm-merge-a .cm-changedLineGutter::after, .cm-deletedLineGutter::after': signed('−'),
  '&.cm-merge-a .cm-changedLine, .cm-deletedChunk': { backgroundColor: 'var(--bad-bg)' },
  '&.cm-merge-b .cm-changedLine': { backgroundColor: 'var(--you-bg)' },
  '&.cm-merge-a .cm-changedText, & .cm-deletedChunk .cm-deletedText, &.cm-merge-b .cm-deletedText': { background: 'var(--removed)' },
  '&.cm-merge-b .cm-changedText': { background: 'var(--added)' },
  // On these the colours of code are too faint to be read.
  '.cm-changedText, .cm-changedText *, .cm-deletedText, .cm-deletedText *': { color: 'var(--ink)' },
  '.cm-collapsedLines': { background: 'var(--panel)', color: 'var(--ink-2)', fontSize: '11px', padding: '4px 10px' },
});

export interface Differing {
  label: string;
  /** Names the language. */
  path: string;
  /** Side by side, or both in one column. */
  beside: boolean;
  /** Shows every line, or folds long stretches that are the same. */
  whole: boolean;
}

export interface Differ {
  difference: Difference;
  /** Brings the next place, or the one before, into sight. */
  go: (to: 'next' | 'previous') => void;
  dispose: () => void;
}

/** Shows how a text differs from what it was. */
export function openDiffer(parent: HTMLElement, was: string, now: string, how: Differing): Differ {
  const [language, languageOfOld] = [new Compartment(), new Compartment()];
  const shared = (label: string, colours: Compartment): Extension => [
    READS,
    LOOK,
    colours.of([]),
    lineNumbers(),
    EditorView.lineWrapping,
    EditorState.readOnly.of(true),
    EditorView.contentAttributes.of({ 'aria-label': label, 'aria-readonly': 'true', tabindex: '0' }),
    keymap.of([...searchKeymap, ...defaultKeymap]),
  ];
  const options = {
    // Two texts that have little in common are compared roughly, and soon.
    diffConfig: { scanLimit: 500, timeout: 1_000 },
    ...(how.whole ? {} : { collapseUnchanged: { margin: 3, minSize: 6 } }),
  };
  const newer = shared(`${how.label}, as it is now`, language);
  let view: EditorView;
  let dispose: () => void;
  if (how.beside) {
    const merge = new MergeView({ parent, ...options, a: { doc: was, extensions: shared(`${how.label}, as it was`, languageOfOld) }, b: { doc: now, extensions: newer } });
    view = merge.b;
    void colour(merge.a, languageOfOld, how.path);
    dispose = () => merge.destroy();
  } else {
    view = new EditorView({ parent, state: EditorState.create({ doc: now, extensions: [newer, unifiedMergeView({ original: was, mergeControls: false, ...options })] }) });
    dispose = () => view.destroy();
  }
  void colour(view, language, how.path);
  return {
    difference: differenceOf(was, view),
    go: (to) => {
      (to === 'next' ? goToNextChunk : goToPreviousChunk)(view);
    },
    dispose,
  };
}

function differenceOf(was: string, view: EditorView): Difference {
  const [old, doc] = [EditorState.create({ doc: was }).doc, view.state.doc];
  const difference: Difference = { places: 0, added: 0, removed: 0 };
  for (const chunk of getChunks(view.state)?.chunks ?? []) {
    difference.places += 1;
    if (chunk.fromA < chunk.toA) difference.removed += old.lineAt(chunk.endA).number - old.lineAt(chunk.fromA).number + 1;
    if (chunk.fromB < chunk.toB) difference.added += doc.lineAt(chunk.endB).number - doc.lineAt(chunk.fromB).number + 1;
  }
  return difference;
}
