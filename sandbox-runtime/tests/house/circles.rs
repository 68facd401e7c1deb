//! Files that import each other in a loop. A folder's `mod.rs` and the files in it do not count: a face knows its parts.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use crate::names::{self, Named, OF_THE_TREE};

/// Rooms where a circle still stands, with the number of files in its circles. It may shrink, and may not grow.
const STANDING: [(&str, usize); 2] = [("sandbox-runtime/browser", 12), ("sandbox-runtime/driver", 11)];

#[test]
fn no_files_import_each_other_in_a_loop() {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for circle in circles(&OF_THE_TREE) {
        let room = room(&circle[0]);
        found.entry(room).or_default().extend(circle);
    }
    let counted: Vec<(&str, usize)> = found.iter().map(|(room, files)| (room.as_str(), files.len())).collect();
    assert_eq!(counted, STANDING, "{found:#?}");
}

/// Returns the folder beneath the package's `src` that a file lies in.
fn room(path: &str) -> String {
    let (package, file) = path.split_once("/src/").unwrap_or_default();
    let folder = file.split_once('/').map_or("", |(folder, _)| folder);
    format!("{package}/{folder}")
}

/// Returns each set of files that can reach each other, sorted.
fn circles(tree: &BTreeMap<String, BTreeSet<Named>>) -> Vec<Vec<String>> {
    let files: BTreeMap<Named, &str> = tree.keys().map(|path| (module(path), path.as_str())).collect();
    let mut graph = DiGraphMap::<&str, ()>::new();
    for (file, named) in tree {
        let own = module(file);
        for path in named {
            let Some(other) = resolve(&own, path, &files) else { continue };
            let is_face = own.starts_with(&other) || other.starts_with(&own);
            if !is_face {
                graph.add_edge(files[&own], files[&other], ());
            }
        }
    }
    let mut found: Vec<Vec<String>> = tarjan_scc(&graph)
        .into_iter()
        .filter(|circle| circle.len() > 1)
        .map(|circle| circle.into_iter().map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect())
        .collect();
    found.sort();
    found
}

/// Returns the module that a file is: its package's folder, then its path there.
fn module(path: &str) -> Named {
    let (package, file) = path.split_once("/src/").expect("a source lies in `src`");
    let file = file.trim_end_matches(".rs");
    let parts = file.split('/').filter(|part| !["mod", "lib", "main"].contains(part));
    [package].into_iter().chain(parts).map(str::to_owned).collect()
}

/// Returns the module of the same package that a path leads to: the longest beginning of it that is a file.
fn resolve(own: &Named, path: &Named, files: &BTreeMap<Named, &str>) -> Option<Named> {
    let mut at = match path[0].as_str() {
        "crate" => own[..1].to_vec(),
        "self" => own.clone(),
        "super" => own[..own.len() - 1].to_vec(),
        // A path of 2018's edition may also begin at a module beneath this one.
        _ => return None,
    };
    let mut rest = &path[1..];
    while rest.first().is_some_and(|word| word == "super") {
        at.pop()?;
        rest = &rest[1..];
    }
    let mut found = files.contains_key(&at).then(|| at.clone());
    for word in rest {
        at.push(word.clone());
        if files.contains_key(&at) {
            found = Some(at.clone());
        }
    }
    found.filter(|found| found != own)
}

#[test]
fn a_loop_is_found_and_a_face_is_none() {
    let tree = |files: &[(&str, &str)]| {
        circles(&files.iter().map(|(path, text)| ((*path).to_owned(), names::paths(text))).collect())
    };
    let face = ("x/src/a/mod.rs", "mod b; mod c; pub use self::b::B; use b::B as D;");
    let b = ("x/src/a/b.rs", "use super::{c::C, Face};");
    assert_eq!(tree(&[face, b, ("x/src/a/c.rs", "struct C;")]), Vec::<Vec<String>>::new());
    let c = ("x/src/a/c.rs", "fn f() -> crate::a::b::B { todo!() }");
    assert_eq!(tree(&[face, b, c]), [["x/src/a/b.rs", "x/src/a/c.rs"]]);
}
