//! What a source names: every path in its code, imports opened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;

use crate::sources;

/// A path as written, one word for each part; `*` for a glob. A call of a macro is its name and `!`.
pub type Named = Vec<String>;

/// What each Rust source of the product names, by its path in the workspace.
pub static OF_THE_TREE: LazyLock<BTreeMap<String, BTreeSet<Named>>> =
    LazyLock::new(|| sources::rust().into_iter().map(|source| (source.path, paths(&source.text))).collect());

/// Returns every path that the code names: those of `use`, each brace opened, and those written in place, in macros too.
///
/// Tests inside the file (`#[cfg(test)]`) count, doc comments do not. A path that begins with an imported name is also
/// returned with its import in front: `use a::b; b::C` names `a::b` and `a::b::C`.
pub fn paths(source: &str) -> BTreeSet<Named> {
    let file = syn::parse_file(source).expect("the source compiles, so it parses");
    let mut names = Names::default();
    names.visit_file(&file);
    names.closed()
}

#[derive(Default)]
struct Names {
    found: BTreeSet<Named>,
    /// By the name that the file gives it.
    imported: BTreeMap<String, Named>,
}

impl Names {
    fn closed(self) -> BTreeSet<Named> {
        let mut closed = self.found.clone();
        for path in &self.found {
            if let Some(import) = self.imported.get(&path[0]) {
                closed.insert(import.iter().chain(&path[1..]).cloned().collect());
            }
        }
        closed
    }

    fn open(&mut self, tree: &syn::UseTree, before: &[String]) {
        let with = |word: String| -> Named { before.iter().cloned().chain([word]).collect() };
        match tree {
            syn::UseTree::Path(path) => self.open(&path.tree, &with(path.ident.to_string())),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.open(item, before)),
            syn::UseTree::Glob(_) => drop(self.found.insert(with("*".to_owned()))),
            syn::UseTree::Name(name) => self.import(name.ident.to_string(), name.ident.to_string(), before),
            syn::UseTree::Rename(name) => self.import(name.ident.to_string(), name.rename.to_string(), before),
        }
    }

    fn import(&mut self, word: String, known_as: String, before: &[String]) {
        let is_self = word == "self";
        let path: Named = before.iter().cloned().chain((!is_self).then_some(word)).collect();
        let known_as = if known_as == "self" { path.last().cloned().unwrap_or_default() } else { known_as };
        self.imported.insert(known_as, path.clone());
        self.found.insert(path);
    }

    /// Paths in the arguments of a macro, which are tokens and nothing more.
    fn read_tokens(&mut self, tokens: TokenStream) {
        let mut path = Named::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(word) => {
                    if colons < 2 {
                        self.keep(std::mem::take(&mut path));
                    }
                    path.push(word.to_string());
                    colons = 0;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.keep(std::mem::take(&mut path));
                    self.read_tokens(group.stream());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => self.keep(std::mem::take(&mut path)),
            }
        }
        self.keep(path);
    }

    fn keep(&mut self, path: Named) {
        if path.len() > 1 {
            self.found.insert(path);
        }
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.open(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.keep(path.segments.iter().map(|part| part.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if let Some(name) = call.path.segments.last() {
            self.found.insert(vec![name.ident.to_string(), "!".to_owned()]);
        }
        self.read_tokens(call.tokens.clone());
        syn::visit::visit_macro(self, call);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if !attribute.path().is_ident("doc") {
            syn::visit::visit_attribute(self, attribute);
        }
    }
}
