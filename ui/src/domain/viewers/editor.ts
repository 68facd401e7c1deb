/** CodeMirror as the viewers use it: to read, to find, to fold; and to write code that is run. Loaded when a text is first shown. */
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { json } from '@codemirror/lang-json';
import { bracketMatching, codeFolding, ensureSyntaxTree, foldEffect, foldGutter, foldKeymap, HighlightStyle, indentOnInput, LanguageDescription, syntaxHighlighting } from '@codemirror/language';
import { languages } from '@codemirror/language-data';
import { highlightSelectionMatches, openSearchPanel, search, searchKeymap } from '@codemirror/search';
import { Compartment, EditorState, type Extension } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, highlightSpecialChars, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';

const COLOURS = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.controlKeyword, tags.operatorKeyword], color: 'var(--code-keyword)' },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: 'var(--code-string)' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom, tags.literal], color: 'var(--code-number)' },
  { tag: [tags.comment, tags.meta], color: 'var(--ink-3)', fontStyle: 'italic' },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName), tags.macroName], color: 'var(--code-function)' },
  { tag: [tags.typeName, tags.className, tags.namespace, tags.tagName], color: 'var(--code-type)' },
  { tag: [tags.propertyName, tags.attributeName, tags.definition(tags.variableName)], color: 'var(--code-name)' },
  { tag: tags.heading, fontWeight: '600' },
  { tag: tags.strong, fontWeight: '600' },
  { tag: tags.emphasis, fontStyle: 'italic' },
  { tag: tags.inserted, color: 'var(--you-ink)' },
  { tag: [tags.deleted, tags.invalid], color: 'var(--bad-ink)' },
]);

const LOOK = EditorView.theme({
  '&': { height: '100%', fontSize: '12px', backgroundColor: 'var(--card)', color: 'var(--ink)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55' },
  '.cm-content': { padding: '8px 0', caretColor: 'var(--ink)' },
  '.cm-gutters': { backgroundColor: 'var(--card)', color: 'var(--ink-3)', border: '0', paddingLeft: '6px' },
  '.cm-activeLine': { backgroundColor: 'color-mix(in oklab, var(--ink) 4%, transparent)' },
  '.cm-activeLineGutter': { backgroundColor: 'transparent', color: 'var(--ink)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--selection)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-specialChar': { color: 'var(--bad-ink)', backgroundColor: 'var(--bad-bg)', borderRadius: '3px' },
  '.cm-searchMatch': { backgroundColor: 'var(--found)', outline: '1px solid var(--needs)' },
  '.cm-searchMatch-selected': { backgroundColor: 'var(--found-now)' },
  '.cm-selectionMatch': { backgroundColor: 'var(--agent-bg)' },
  '.cm-foldPlaceholder': { backgroundColor: 'var(--panel)', border: '1px solid var(--line-2)', color: 'var(--ink-2)', padding: '0 6px', margin: '0 2px' },
  '.cm-foldGutter .cm-gutterElement': { color: 'var(--ink-3)', cursor: 'pointer' },
  '.cm-panels': { backgroundColor: 'var(--panel)', color: 'var(--ink)', borderColor: 'var(--line)', fontFamily: 'inherit' },
  '.cm-panels.cm-panels-top': { borderBottom: '1px solid var(--line)' },
  '.cm-panel.cm-search': { padding: '8px 28px 8px 10px', display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: '6px' },
  '.cm-panel.cm-search br': { display: 'none' },
  '.cm-panel.cm-search label': { fontSize: '12px', display: 'inline-flex', alignItems: 'center', gap: '4px', margin: '0' },
  '.cm-panel.cm-search input[type=checkbox]': { margin: '0' },
  '.cm-textfield': { backgroundColor: 'var(--card)', border: '1px solid var(--edge)', borderRadius: 'var(--r-s)', color: 'var(--ink)', font: 'inherit', fontSize: '12px', padding: '3px 8px', margin: '0' },
  '.cm-button': { backgroundImage: 'none', backgroundColor: 'var(--card)', border: '1px solid var(--line-2)', borderRadius: 'var(--r-s)', color: 'var(--ink)', font: 'inherit', fontSize: '12px', padding: '3px 10px', margin: '0' },
  '.cm-panel.cm-search [name=close]': { color: 'var(--ink-2)', fontSize: '18px', right: '8px', top: '6px' },
});

/** Signs that turn the letters after them around, or are not seen, beside those that CodeMirror shows itself. */
const HIDDEN = /[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e0fff}]/gu;

export const READS: Extension = [
  highlightSpecialChars({ addSpecialChars: HIDDEN }),
  drawSelection(),
  search({ top: true }),
  highlightSelectionMatches(),
  bracketMatching(),
  syntaxHighlighting(COLOURS),
  LOOK,
];

export interface Reader {
  view: EditorView;
  /** Puts another text in place of this one. */
  replace: (text: string) => void;
  /** Adds to one end and takes as many letters off the other; what is in sight stays where it is. */
  move: (added: string, at: 'start' | 'end', dropped: number) => void;
  /** Marks so many letters from a place on, and brings them into sight. */
  mark: (from: number, letters: number) => void;
  find: () => void;
  /** Whether the last line is in sight. */
  atEnd: () => boolean;
  toEnd: () => void;
  dispose: () => void;
}

export interface Reading {
  label: string;
  /** Names the language; `null` for none. */
  path: string | null;
  wraps: boolean;
  numbers: boolean;
  /** The line to bring into sight and mark, counted from 1. */
  line?: number | null;
  /** Folds what is nested deeper than this. */
  foldsBelow?: number;
  /** Called when one end comes near while scrolling. */
  onnear?: (end: 'start' | 'end') => void;
  /** Called in place of the editor's own finding, where the text is only a part of what is looked through. */
  onfind?: () => void;
}

/** Shows a text to be read. */
export function openReader(parent: HTMLElement, text: string, how: Reading): Reader {
  const language = new Compartment();
  const isJson = how.path !== null && /\.(json|geojson|webmanifest|ipynb)$/i.test(how.path);
  const { onnear: near, onfind: find } = how;
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        READS,
        language.of(isJson ? json() : []),
        how.numbers ? [lineNumbers(), codeFolding(), foldGutter()] : [],
        how.wraps ? EditorView.lineWrapping : [],
        EditorState.readOnly.of(true),
        // Focusable, so that it is scrolled and searched by keyboard.
        EditorView.contentAttributes.of({ 'aria-label': how.label, 'aria-readonly': 'true', tabindex: '0' }),
        keymap.of([...(find === undefined ? searchKeymap : [{ key: 'Mod-f', run: () => (find(), true) }]), ...foldKeymap, ...defaultKeymap]),
        near === undefined ? [] : EditorView.domEventHandlers({
          scroll: (_, view) => {
            const { scrollTop, scrollHeight, clientHeight } = view.scrollDOM;
            if (scrollTop < clientHeight) near('start');
            if (scrollHeight - scrollTop - clientHeight < clientHeight) near('end');
          },
        }),
      ],
    }),
  });
  if (!isJson && how.path !== null) void colour(view, language, how.path);
  if (how.foldsBelow !== undefined) fold(view, how.foldsBelow);
  if (how.line != null && how.line <= view.state.doc.lines) {
    const line = view.state.doc.line(how.line);
    view.dispatch({ selection: { anchor: line.from, head: line.to }, effects: EditorView.scrollIntoView(line.from, { y: 'center' }) });
  }
  return {
    view,
    replace: (next) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } }),
    move(added, at, dropped) {
      const length = view.state.doc.length;
      const changes = at === 'start'
        ? [{ from: 0, insert: added }, { from: Math.max(0, length - dropped), to: length }]
        : [{ from: 0, to: Math.min(dropped, length) }, { from: length, insert: added }];
      view.dispatch({ changes });
    },
    mark(from, letters) {
      const end = Math.min(view.state.doc.length, from + letters);
      view.dispatch({ selection: { anchor: Math.min(from, end), head: end }, effects: EditorView.scrollIntoView(Math.min(from, end), { y: 'center' }) });
    },
    find: () => {
      openSearchPanel(view);
    },
    atEnd: () => {
      const { scrollTop, scrollHeight, clientHeight } = view.scrollDOM;
      return scrollHeight - scrollTop - clientHeight < 40;
    },
    toEnd: () => view.dispatch({ effects: EditorView.scrollIntoView(view.state.doc.length, { y: 'end' }) }),
    dispose: () => view.destroy(),
  };
}

/** Opens an editor for code; `run` is its key Ctrl Enter. */
export function openEditor(parent: HTMLElement, text: string, path: string, on: { changed: (text: string) => void; run: () => void }): { view: EditorView; dispose: () => void } {
  const language = new Compartment();
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        READS,
        language.of([]),
        lineNumbers(),
        highlightActiveLine(),
        history(),
        indentOnInput(),
        EditorView.contentAttributes.of({ 'aria-label': 'Code' }),
        EditorView.updateListener.of((update) => update.docChanged && on.changed(update.state.doc.toString())),
        keymap.of([{ key: 'Mod-Enter', run: () => (on.run(), true) }, ...defaultKeymap, ...historyKeymap, ...searchKeymap, indentWithTab]),
      ],
    }),
  });
  void colour(view, language, path);
  return { view, dispose: () => view.destroy() };
}

/** Shows code in its colours once its language is loaded. */
export async function colour(view: EditorView, language: Compartment, path: string): Promise<void> {
  const found = LanguageDescription.matchFilename(languages, path.slice(path.lastIndexOf('/') + 1));
  const support = await found?.load().catch(() => null);
  if (support == null || !view.dom.isConnected) return;
  view.dispatch({ effects: language.reconfigure(support) });
}

/** Folds lists and objects that are nested deeper. */
function fold(view: EditorView, depth: number): void {
  const tree = ensureSyntaxTree(view.state, view.state.doc.length, 1_000);
  if (tree === null) return;
  const effects: ReturnType<typeof foldEffect.of>[] = [];
  let level = 0;
  tree.iterate({
    enter: (node) => {
      if (node.name !== 'Object' && node.name !== 'Array') return true;
      level += 1;
      if (level <= depth) return true;
      const lines = view.state.doc.lineAt(node.from).number !== view.state.doc.lineAt(node.to).number;
      if (lines) effects.push(foldEffect.of({ from: node.from + 1, to: node.to - 1 }));
      level -= 1;
      return false;
    },
    leave: (node) => {
      if (node.name === 'Object' || node.name === 'Array') level -= 1;
    },
  });
  if (effects.length > 0) view.dispatch({ effects });
}
