/** CodeMirror as steps are written in it: what can stand at a place, what a step does, and what is wrong, in place. Loaded when it is first shown. */
import { autocompletion, completionKeymap, snippet, type Completion, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { indentOnInput } from '@codemirror/language';
import { forceLinting, linter, lintGutter, lintKeymap, type Diagnostic } from '@codemirror/lint';
import { searchKeymap } from '@codemirror/search';
import { EditorSelection, EditorState } from '@codemirror/state';
import { EditorView, highlightActiveLine, hoverTooltip, keymap, lineNumbers } from '@codemirror/view';
import { mistakes, placeAt, stepsOf } from '../core/playbook-text';
import { sentenceInPlace, type Problem } from '../core/problem';
import { shapeOf, STEPS } from '../core/steps';
import { READS } from './viewers/editor';

const LOOK = EditorView.theme({
  '&': { height: 'auto', backgroundColor: 'var(--bg)' },
  '.cm-scroller': { minHeight: '240px', maxHeight: 'min(420px, 46vh)', overflow: 'auto' },
  '.cm-gutters': { backgroundColor: 'var(--panel)', borderRight: '1px solid var(--line)' },
  '.cm-tooltip': { backgroundColor: 'var(--card)', color: 'var(--ink)', border: '1px solid var(--line-2)', borderRadius: 'var(--r-s)', boxShadow: 'var(--shadow-2)', overflow: 'hidden', fontFamily: 'inherit' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', fontSize: '12px', maxHeight: '220px' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '4px 10px', display: 'flex', gap: '14px' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--hover)', color: 'var(--ink)' },
  '.cm-completionDetail': { marginLeft: 'auto', fontStyle: 'normal', fontFamily: 'system-ui', color: 'var(--ink-2)' },
  '.cm-completionMatchedText': { textDecoration: 'none', fontWeight: '600' },
  '.cm-tooltip-hover, .cm-tooltip-lint': { padding: '6px 10px', fontSize: '12px' },
  '.cm-diagnostic': { padding: '2px 8px', borderLeft: '3px solid var(--bad)' },
  '.cm-diagnosticAction': { backgroundColor: 'var(--panel)', color: 'var(--ink)', border: '1px solid var(--line-2)', borderRadius: '4px', padding: '1px 8px' },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--bad)', textUnderlineOffset: '3px' },
  '.cm-lint-marker-error': { content: 'none', width: '8px', height: '8px', margin: '5px 2px', borderRadius: '50%', backgroundColor: 'var(--bad)' },
  '.cm-panel.cm-panel-lint ul': { fontSize: '12px' },
});

export interface StepsEditor {
  /** Puts another text in place of this one. */
  replace: (text: string) => void;
  /** Shows what the runtime said of the text as it stands; `null` takes it away. */
  told: (problem: Problem | null) => void;
  /** Puts the cursor there. */
  goTo: (from: number) => void;
  dispose: () => void;
}

export interface On {
  changed: (text: string) => void;
  /** Where the cursor is. */
  moved: (at: number) => void;
}

/** Opens an editor for steps. */
export function openSteps(parent: HTMLElement, text: string, on: On): StepsEditor {
  let problem: Problem | null = null;
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        READS,
        LOOK,
        yaml(),
        lineNumbers(),
        lintGutter(),
        highlightActiveLine(),
        history(),
        indentOnInput(),
        autocompletion({ override: [complete], icons: false }),
        linter((view) => diagnose(view.state, problem), { delay: 200, autoPanel: false }),
        hoverTooltip(explain),
        EditorView.contentAttributes.of({ 'aria-label': 'Steps', 'aria-multiline': 'true' }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) {
            problem = null;
            on.changed(update.state.doc.toString());
          }
          if (update.docChanged || update.selectionSet) on.moved(update.state.selection.main.head);
        }),
        keymap.of([...completionKeymap, ...lintKeymap, ...defaultKeymap, ...historyKeymap, ...searchKeymap]),
      ],
    }),
  });
  return {
    replace(next) {
      if (next !== view.state.doc.toString()) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } });
    },
    told(next) {
      problem = next;
      forceLinting(view);
      if (next?.line != null && next.line <= view.state.doc.lines) goTo(view, placeOf(view.state, next).from);
    },
    goTo: (from) => goTo(view, from),
    dispose: () => view.destroy(),
  };
}

function goTo(view: EditorView, from: number): void {
  const at = Math.min(from, view.state.doc.length);
  view.dispatch({ selection: EditorSelection.cursor(at), effects: EditorView.scrollIntoView(at, { y: 'center' }) });
  view.focus();
}

function placeOf(state: EditorState, { line, column }: Problem): { from: number; to: number } {
  const at = state.doc.line(Math.min(line ?? 1, state.doc.lines));
  const from = Math.min(at.from + Math.max(0, (column ?? 1) - 1), at.to);
  const word = state.wordAt(from);
  return word === null ? { from: at.from, to: at.to } : { from: word.from, to: word.to };
}

function diagnose(state: EditorState, problem: Problem | null): Diagnostic[] {
  const found: Diagnostic[] = mistakes(state.doc.toString()).map(({ from, to, message, instead }) => ({
    from,
    to,
    severity: 'error',
    message,
    ...(instead === null ? {} : { actions: [{ name: `Change to ${instead}`, apply: (view: EditorView, from: number, to: number) => view.dispatch({ changes: { from, to, insert: instead } }) }] }),
  }));
  if (problem === null || problem.line === null) return found;
  const place = placeOf(state, problem);
  // What was seen here already is not said twice.
  const line = state.doc.lineAt(place.from).number;
  if (found.some((each) => state.doc.lineAt(each.from).number === line)) return found;
  return [...found, { ...place, severity: 'error', message: sentenceInPlace(problem) }];
}

function complete(context: CompletionContext): CompletionResult | null {
  const place = placeAt(context.state.doc.toString(), context.pos);
  const word = context.matchBefore(/[\w-]*/);
  const from = word?.from ?? context.pos;
  switch (place.kind) {
    case 'step':
      return { from, options: Object.entries(STEPS).map(([name, shape], i) => stepOption(name, shape.says, shape.write, 99 - i)), validFor: /^\w*$/ };
    case 'field': {
      const fields = shapeOf(place.step)?.fields ?? {};
      const options = Object.entries(fields)
        .filter(([name]) => !place.taken.includes(name))
        .map(([name, field]): Completion => ({ label: name, detail: field.says, apply: `${name}: `, boost: field.needed === true ? 50 : 0 }));
      return { from, options, validFor: /^\w*$/ };
    }
    case 'value': {
      const values = shapeOf(place.step)?.fields[place.field]?.values;
      return values === undefined ? null : { from, options: values.map((value) => ({ label: value })), validFor: /^[\w-]*$/ };
    }
    case 'else':
      return null;
  }
}

function stepOption(name: string, says: string, write: string, boost: number): Completion {
  const [before = '', after = ''] = write.split('‸');
  const escaped = (part: string) => part.replace(/[{}\\]/g, '\\$&');
  return { label: name, detail: says, boost, apply: snippet(`${escaped(before)}\${}${escaped(after)}`) };
}

/** What a step does, over its name. */
function explain(view: EditorView, at: number) {
  const word = view.state.wordAt(at);
  if (word === null) return null;
  const name = view.state.sliceDoc(word.from, word.to);
  const shape = shapeOf(name);
  if (shape === null || !stepsOf(view.state.doc.toString()).some((step) => step.name === name && step.from <= word.from && word.from - step.from < 3)) return null;
  return {
    pos: word.from,
    end: word.to,
    create: () => {
      const dom = document.createElement('div');
      dom.textContent = `${shape.says}. Fields: ${Object.keys(shape.fields).join(', ')}.`;
      return { dom };
    },
  };
}
