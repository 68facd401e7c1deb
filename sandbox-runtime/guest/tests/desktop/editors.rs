//! The editors that pages are made with, unmodified, from the npm packages of `tests/foreign`.

use std::fmt::Write as _;
use std::path::PathBuf;

/// CommonJS modules by the name that they are asked for under; each after those that it asks for.
const MODULES: [(&str, &str); 12] = [
    ("@marijn/find-cluster-break", "@marijn/find-cluster-break/dist/index.cjs"),
    ("crelt", "crelt/dist/index.cjs"),
    ("style-mod", "style-mod/dist/style-mod.cjs"),
    ("w3c-keyname", "w3c-keyname/index.cjs"),
    ("@codemirror/state", "@codemirror/state/dist/index.cjs"),
    ("@codemirror/view", "@codemirror/view/dist/index.cjs"),
    ("orderedmap", "orderedmap/dist/index.cjs"),
    ("prosemirror-model", "prosemirror-model/dist/index.cjs"),
    ("prosemirror-transform", "prosemirror-transform/dist/index.cjs"),
    ("prosemirror-state", "prosemirror-state/dist/index.cjs"),
    ("prosemirror-view", "prosemirror-view/dist/index.cjs"),
    ("prosemirror-schema-basic", "prosemirror-schema-basic/dist/index.cjs"),
];

const PAGE: &str = "
  <div id=codemirror></div> <div id=prosemirror></div> <div id=quill></div> <div id=plain contenteditable></div>
  <script>
    const { EditorView } = require('@codemirror/view');
    const codemirror = new EditorView({ parent: document.querySelector('#codemirror') });
    const { schema } = require('prosemirror-schema-basic');
    const { EditorState } = require('prosemirror-state');
    const prosemirror = new (require('prosemirror-view').EditorView)(
      document.querySelector('#prosemirror'), { state: EditorState.create({ schema }) });
    const quill = new Quill('#quill');
    var texts = {
      codemirror: () => codemirror.state.doc.toString(),
      prosemirror: () => prosemirror.state.doc.textContent,
      quill: () => quill.getText().trimEnd(),
      plain: () => document.querySelector('#plain').textContent,
    };
  </script>";

/// Returns a page with four editors; `texts.NAME()` is what each holds, `#NAME [contenteditable]` where it is typed into.
pub fn page() -> String {
    let packages = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/foreign/node_modules");
    let read = |path: &str| {
        let file = packages.join(path);
        // An ending tag in a string of the source would end the script.
        std::fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()))
            .replace("</", "<\\/")
    };
    let mut page = "<meta charset=utf-8><style>div { min-height: 40px; white-space: pre-wrap }</style><script>
      const modules = {};
      const require = name => modules[name];
      const define = (name, make) => { const module = { exports: {} }; make(module, module.exports); modules[name] = module.exports; };
      </script>"
        .to_owned();
    for (name, path) in MODULES {
        let source = read(path);
        write!(page, "<script>define('{name}', (module, exports) => {{ {source}\n }});</script>").unwrap();
    }
    write!(page, "<script>{}</script>{PAGE}", read("quill/dist/quill.js")).unwrap();
    page
}
