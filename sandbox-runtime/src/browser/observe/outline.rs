//! Nodes of a page, written as indented lines: compact, one idea a line.
//!
//! Wrappers that say nothing are left out, what stands in one line of the page stands in one line here, a row of a table
//! and an item of a list are one line where they can be. Every word of the page passes [`plain`] or [`quoted`].

use sandbox_core::observation::{plain, quoted};
use serde::Deserialize;

use super::references::Place;

/// Characters of a line before it is broken.
const LONG_LINE: usize = 320;
/// Wrappers that are told only by what is in them, unless they have a name.
const UNTOLD: [&str; 12] = [
    "list",
    "listitem",
    "group",
    "cell",
    "gridcell",
    "columnheader",
    "rowheader",
    "directory",
    "region",
    "form",
    "feed",
    "radiogroup",
];
/// Wrappers that are not told at all when nothing is in them.
const HOLLOW: [&str; 16] = [
    "list",
    "listitem",
    "group",
    "cell",
    "gridcell",
    "row",
    "table",
    "grid",
    "treegrid",
    "navigation",
    "main",
    "complementary",
    "tablist",
    "toolbar",
    "menu",
    "menubar",
];

/// One thing in a page, in document order; what is in it follows with a greater depth.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Node {
    #[serde(rename = "d")]
    pub depth: usize,
    #[serde(rename = "r")]
    pub role: String,
    #[serde(rename = "n")]
    pub name: String,
    /// Text that stands in the page by itself.
    #[serde(rename = "t")]
    pub text: Option<String>,
    /// Number of the element in its document.
    #[serde(rename = "e")]
    pub number: u64,
    #[serde(rename = "s")]
    pub states: Vec<String>,
    #[serde(rename = "v")]
    pub value: String,
    #[serde(rename = "p")]
    pub placeholder: String,
    #[serde(rename = "o")]
    pub options: Vec<String>,
    #[serde(rename = "om")]
    pub more_options: usize,
    #[serde(rename = "it")]
    pub input_type: String,
    pub range: String,
    #[serde(rename = "u")]
    pub url: String,
    #[serde(rename = "a")]
    pub about: String,
    #[serde(rename = "x")]
    pub shown: String,
    /// A line of the page begins here.
    #[serde(rename = "b", deserialize_with = "flag")]
    pub begins: bool,
    #[serde(rename = "i", deserialize_with = "flag")]
    pub inline: bool,
    #[serde(rename = "use", deserialize_with = "flag")]
    pub usable: bool,
    /// 0 in view, -1 before it, 1 after it.
    #[serde(rename = "w")]
    pub whereabouts: i8,
    #[serde(skip)]
    pub document: String,
}

fn flag<'de, D: serde::Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Ok(u8::deserialize(from)? != 0)
}

/// One line of the outline.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub depth: usize,
    /// Without indentation and dash.
    pub text: String,
    pub whereabouts: i8,
    /// The element it is about.
    pub place: Place,
    /// Number of its reference, if the line shows one.
    pub reference: Option<u64>,
}

/// Writes nodes as lines. `give` gives an element its reference.
pub fn outline(nodes: &[Node], give: &mut dyn FnMut(&Place) -> u64) -> Vec<Line> {
    let mut writer = Writer { give, lines: Vec::new() };
    writer.block(nodes, 0);
    writer.lines
}

struct Writer<'a> {
    give: &'a mut dyn FnMut(&Place) -> u64,
    lines: Vec<Line>,
}

/// Splits a forest in document order into its trees: a root, and what is in it.
fn trees(nodes: &[Node]) -> Vec<(&Node, &[Node])> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(root) = nodes.get(at) {
        let inner = nodes[at + 1..].iter().take_while(|node| node.depth > root.depth).count();
        found.push((root, &nodes[at + 1..at + 1 + inner]));
        at += 1 + inner;
    }
    found
}

impl Writer<'_> {
    fn block(&mut self, nodes: &[Node], depth: usize) {
        let trees = trees(nodes);
        let mut at = 0;
        while at < trees.len() {
            let together = run(&trees[at..]);
            if together > 1 {
                self.run(&trees[at..at + together], depth, "");
                at += together;
                continue;
            }
            let (root, inner) = trees[at];
            self.tree(root, inner, depth);
            at += 1;
        }
    }

    fn tree(&mut self, root: &Node, inner: &[Node], depth: usize) {
        let role = root.role.as_str();
        if root.text.is_some() {
            return self.run(&[(root, inner)], depth, "");
        }
        let bare = root.name.is_empty() && !root.usable && root.value.is_empty();
        if inner.is_empty() && bare && HOLLOW.contains(&role) {
            return;
        }
        if role == "row"
            && let Some(line) = self.row(root, inner)
        {
            return self.push(root, depth, line);
        }
        if role == "listitem" && bare {
            let kids = trees(inner);
            if run(&kids) == kids.len() || kids.len() == 1 && kids[0].1.is_empty() && !kids[0].0.is_container() {
                return self.run(&kids, depth, "item: ");
            }
            if let Some((first, rest)) = kids.split_first().filter(|(first, _)| first.1.is_empty()) {
                self.run(&[*first], depth, "item: ");
                let after = inner.len() - rest.iter().map(|(_, inner)| inner.len() + 1).sum::<usize>();
                return self.block(&inner[after..], depth + 1);
            }
        }
        if bare && UNTOLD.contains(&role) {
            return self.block(inner, depth);
        }
        // A heading that is a link says its name once.
        if let [only] = trees(inner).as_slice()
            && only.0.usable
            && only.1.is_empty()
            && (only.0.name == root.name || root.name.is_empty() && role == "heading")
            && !root.usable
        {
            let mut both = only.0.clone();
            both.role = format!("{role} {}", only.0.role);
            both.states = root.states.iter().chain(&only.0.states).cloned().collect();
            let said = self.said(&both);
            return self.push(&both, depth, said);
        }
        let said = self.said(root);
        self.push(root, depth, said);
        // What a named part holds is told inside it; a name that is all of its text is not told again.
        let same = matches!(trees(inner).as_slice(), [(only, [])] if only.text.as_deref() == Some(root.name.as_str()));
        if !same {
            self.block(inner, depth + 1);
        }
    }

    /// Writes things that stand in one line of the page.
    fn run(&mut self, trees: &[(&Node, &[Node])], depth: usize, before: &str) {
        let Some((first, _)) = trees.first() else { return };
        let mut line = before.to_owned();
        let mut of: &Node = first;
        let text_first = first.text.is_some();
        if text_first && before.is_empty() {
            line.push_str("text: ");
        }
        let mut empty = true;
        for (node, _) in trees {
            let said = match &node.text {
                Some(text) => plain(text),
                None => self.said(node),
            };
            if said.is_empty() {
                continue;
            }
            if !empty && line.len() + said.len() > LONG_LINE {
                self.push(of, depth, std::mem::take(&mut line));
                of = node;
                if node.text.is_some() {
                    line.push_str("text: ");
                }
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(&said);
            empty = false;
        }
        if !empty {
            let seen = trees.iter().any(|(node, _)| node.whereabouts == 0);
            let mut place = of.clone();
            if seen {
                place.whereabouts = 0;
            }
            self.push(&place, depth, line);
        }
    }

    /// Returns a row of a table as one line, if it is simple enough.
    fn row(&mut self, root: &Node, inner: &[Node]) -> Option<String> {
        let cells = trees(inner);
        let simple = |(cell, kids): &(&Node, &[Node])| {
            kids.iter().all(|kid| !kid.is_container()) && kids.len() <= 8 && (cell.is_cell() || kids.is_empty())
        };
        if cells.is_empty() || !cells.iter().all(simple) {
            return None;
        }
        let mut parts = Vec::new();
        for (cell, kids) in &cells {
            let mut part = Vec::new();
            if !cell.is_cell() || cell.usable {
                part.push(self.said(cell));
            } else if kids.is_empty() && !cell.name.is_empty() {
                part.push(plain(&cell.name));
            }
            for kid in *kids {
                part.push(kid.text.as_deref().map_or_else(|| self.said(kid), plain));
            }
            parts.push(part.join(" "));
        }
        let head = if root.usable || !root.states.is_empty() { self.said(root) } else { "row".to_owned() };
        Some(format!("{head}: {}", parts.join(" | ")))
    }

    /// Says one element.
    fn said(&mut self, node: &Node) -> String {
        let mut said = plain(&node.role);
        if !node.name.is_empty() {
            said.push(' ');
            said.push_str(&quoted(&node.name));
        }
        if !node.shown.is_empty() {
            said.push_str(&format!(" ({})", plain(&node.shown)));
        }
        if !node.input_type.is_empty() {
            said.push_str(&format!(" [{}]", plain(&node.input_type)));
        }
        for state in &node.states {
            said.push_str(&format!(" [{}]", plain(state)));
        }
        if node.shows_reference() {
            said.push_str(&format!(" [ref=e{}]", (self.give)(&node.place())));
        }
        if !node.value.is_empty() {
            said.push_str(&format!(" = {}", quoted(&node.value)));
        }
        if node.value.is_empty() && !node.placeholder.is_empty() && node.placeholder != node.name {
            said.push_str(&format!(" placeholder {}", quoted(&node.placeholder)));
        }
        if !node.range.is_empty() {
            said.push_str(&format!(" from {}", plain(&node.range)));
        }
        if !node.options.is_empty() {
            let options: Vec<_> = node.options.iter().map(|option| quoted(option)).collect();
            said.push_str(&format!(" options: {}", options.join(", ")));
            if node.more_options > 0 {
                said.push_str(&format!(" and {} more", node.more_options));
            }
        }
        if node.name.is_empty() && !node.url.is_empty() {
            said.push_str(&format!(" to {}", plain(&node.url)));
        }
        if !node.about.is_empty() && node.about != node.name {
            said.push_str(&format!(" about: {}", quoted(&node.about)));
        }
        said
    }

    fn push(&mut self, node: &Node, depth: usize, text: String) {
        let place = node.place();
        let reference = node.shows_reference().then(|| (self.give)(&place));
        self.lines.push(Line { depth, text, whereabouts: node.whereabouts, place, reference });
    }
}

/// How many of the first trees stand in one line of the page.
fn run(trees: &[(&Node, &[Node])]) -> usize {
    let fits = |(node, inner): &(&Node, &[Node])| {
        inner.is_empty() && (node.text.is_some() || node.inline && !node.is_container())
    };
    trees.iter().enumerate().take_while(|(at, tree)| fits(tree) && (*at == 0 || !tree.0.begins)).count()
}

impl Node {
    fn place(&self) -> Place {
        Place { document: self.document.clone(), number: self.number }
    }

    fn is_cell(&self) -> bool {
        ["cell", "gridcell", "columnheader", "rowheader"].contains(&self.role.as_str())
    }

    fn is_container(&self) -> bool {
        const CONTAINERS: [&str; 18] = [
            "list",
            "listitem",
            "table",
            "grid",
            "treegrid",
            "row",
            "navigation",
            "main",
            "complementary",
            "region",
            "form",
            "dialog",
            "alertdialog",
            "group",
            "iframe",
            "tablist",
            "tree",
            "menu",
        ];
        CONTAINERS.contains(&self.role.as_str())
    }

    fn shows_reference(&self) -> bool {
        const PARTS: [&str; 12] = [
            "iframe",
            "table",
            "grid",
            "treegrid",
            "dialog",
            "alertdialog",
            "main",
            "navigation",
            "img",
            "canvas",
            "video",
            "listbox",
        ];
        self.text.is_none() && (self.usable || PARTS.contains(&self.role.as_str()))
    }
}

/// Returns the lines as text, at most `most` characters of them, and how many were left out.
///
/// What is in view comes first, then what follows it, then what is before it; what holds a line is told with it.
pub fn bounded(lines: &[Line], most: usize) -> (String, usize) {
    let cost = |line: &Line| 2 * line.depth + line.text.chars().count() + 3;
    let mut kept = vec![false; lines.len()];
    let mut spent = 0;
    let (mut after, mut before) = (Vec::new(), Vec::new());
    for (at, line) in lines.iter().enumerate() {
        match line.whereabouts {
            0 => {}
            1 => after.push(at),
            _ => before.push(at),
        }
    }
    let seen = (0..lines.len()).filter(|at| lines[*at].whereabouts == 0);
    for at in seen.chain(after).chain(before.into_iter().rev()) {
        let mut wanted = Vec::new();
        let mut depth = lines[at].depth + 1;
        for holder in (0..=at).rev() {
            if lines[holder].depth < depth {
                depth = lines[holder].depth;
                if !kept[holder] {
                    wanted.push(holder);
                }
                if depth == 0 {
                    break;
                }
            }
        }
        let costs: usize = wanted.iter().map(|at| cost(&lines[*at])).sum();
        if spent + costs > most {
            // The first line is told whatever it costs: a look that shows nothing is of no use.
            if spent > 0 {
                break;
            }
        }
        spent += costs;
        for at in wanted {
            kept[at] = true;
        }
    }
    (written(lines, &kept), kept.iter().filter(|kept| !**kept).count())
}

/// Returns only the lines that contain the words, whatever the case, with what holds them; and how many contain them.
pub fn containing(
    lines: &mut [Line],
    words: &str,
    most: usize,
    give: &mut dyn FnMut(&Place) -> u64,
) -> (String, usize) {
    let wanted = plain(words).to_lowercase();
    let mut kept = vec![false; lines.len()];
    let mut found = 0;
    for at in 0..lines.len() {
        if !lines[at].text.to_lowercase().contains(&wanted) {
            continue;
        }
        found += 1;
        if found > most {
            continue;
        }
        if !lines[at].text.contains("[ref=") {
            let number = give(&lines[at].place);
            lines[at].text.push_str(&format!(" [ref=e{number}]"));
        }
        let mut depth = lines[at].depth + 1;
        for holder in (0..=at).rev() {
            if lines[holder].depth < depth {
                depth = lines[holder].depth;
                kept[holder] = true;
            }
        }
    }
    (written(lines, &kept), found)
}

fn written(lines: &[Line], kept: &[bool]) -> String {
    let mut text = String::new();
    let mut left = 0;
    let mut whereabouts = None;
    let gap = |text: &mut String, left: &mut usize| {
        if *left > 0 {
            text.push_str(&format!("… {left} more lines: scroll, find, or look with a ref\n"));
            *left = 0;
        }
    };
    let scattered = lines.iter().any(|line| line.whereabouts != 0);
    for (line, kept) in lines.iter().zip(kept) {
        if !kept {
            left += 1;
            continue;
        }
        gap(&mut text, &mut left);
        if scattered && whereabouts != Some(line.whereabouts) {
            text.push_str(match line.whereabouts {
                0 => "(in view)\n",
                1 => "(below the view)\n",
                _ => "(above the view)\n",
            });
            whereabouts = Some(line.whereabouts);
        }
        text.push_str(&format!("{}- {}\n", "  ".repeat(line.depth), line.text));
    }
    gap(&mut text, &mut left);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn lines(nodes: Value) -> Vec<Line> {
        let nodes: Vec<Node> = serde_json::from_value(nodes).unwrap();
        outline(&nodes, &mut |place| place.number)
    }

    fn check(nodes: Value, expected: &str) {
        assert_eq!(bounded(&lines(nodes), 10_000).0.trim_end(), expected);
    }

    #[test]
    fn what_stands_in_one_line_of_the_page_is_one_line() {
        check(
            json!([
                {"d": 0, "t": "Read the", "e": 1, "b": 1},
                {"d": 0, "r": "link", "n": "terms", "e": 2, "use": 1, "i": 1},
                {"d": 0, "t": "first.", "e": 1},
                {"d": 0, "t": "Next.", "e": 3, "b": 1},
            ]),
            "- text: Read the link \"terms\" [ref=e2] first.\n- text: Next.",
        );
    }

    #[test]
    fn rows_and_items_are_lines_and_empty_wrappers_are_none() {
        check(
            json!([
                {"d": 0, "r": "navigation", "e": 1, "b": 1},
                {"d": 0, "r": "table", "n": "Sums", "e": 2, "b": 1},
                {"d": 1, "r": "row", "e": 3, "b": 1},
                {"d": 2, "r": "cell", "e": 4, "b": 1}, {"d": 3, "t": "October", "e": 4},
                {"d": 2, "r": "cell", "e": 5, "b": 1}, {"d": 3, "r": "button", "n": "Pay", "e": 6, "use": 1, "i": 1},
                {"d": 0, "r": "list", "e": 7, "b": 1},
                {"d": 1, "r": "listitem", "e": 8, "b": 1}, {"d": 2, "t": "One", "e": 8, "b": 1},
                {"d": 1, "r": "listitem", "e": 9, "b": 1}, {"d": 2, "t": "Two", "e": 9, "b": 1},
                {"d": 2, "r": "list", "e": 10, "b": 1},
                {"d": 3, "r": "listitem", "e": 11, "b": 1}, {"d": 4, "t": "Deep", "e": 11, "b": 1},
            ]),
            "- table \"Sums\" [ref=e2]\n  - row: October | button \"Pay\" [ref=e6]\n- item: One\n- item: Two\n  - item: Deep",
        );
    }

    #[test]
    fn a_field_tells_its_states_value_and_options_and_a_heading_that_is_a_link_tells_its_name_once() {
        check(
            json!([
                {"d": 0, "r": "heading", "n": "News", "e": 1, "s": ["level=2"], "b": 1},
                {"d": 1, "r": "link", "n": "News", "e": 2, "use": 1, "i": 1},
                {"d": 0, "r": "combobox", "n": "Format", "e": 3, "use": 1, "v": "PDF", "o": ["PDF", "CSV"], "om": 3, "b": 1},
                {"d": 0, "r": "textbox", "n": "Say \"x\"", "e": 4, "use": 1, "p": "here", "s": ["required"], "b": 1},
            ]),
            "- heading link \"News\" [level=2] [ref=e2]\n\
             - combobox \"Format\" [ref=e3] = \"PDF\" options: \"PDF\", \"CSV\" and 3 more\n\
             - textbox \"Say \\\"x\\\"\" [required] [ref=e4] placeholder \"here\"",
        );
    }

    #[test]
    fn a_long_page_keeps_what_is_in_view_and_says_what_it_left_out() {
        let nodes: Vec<Value> = (0..100)
            .map(|n| json!({"d": 0, "t": format!("line {n}"), "e": n + 1, "b": 1, "w": if n < 40 { -1 } else if n < 45 { 0 } else { 1 }}))
            .collect();
        let (text, left_out) = bounded(&lines(Value::Array(nodes)), 200);
        assert!(text.starts_with("… 40 more lines"), "{text}");
        assert!(
            text.contains("(in view)\n- text: line 40\n") && text.contains("(below the view)\n- text: line 45\n"),
            "{text}"
        );
        assert!(text.chars().count() < 400 && left_out > 80, "{left_out}: {text}");
    }

    #[test]
    fn finding_tells_the_lines_with_what_holds_them_and_gives_each_a_reference() {
        let mut found = lines(json!([
            {"d": 0, "r": "main", "e": 1, "b": 1},
            {"d": 1, "t": "An Invoice of May", "e": 2, "b": 1},
            {"d": 1, "t": "nothing", "e": 3, "b": 1},
        ]));
        let (text, count) = containing(&mut found, "invoice", 10, &mut |place| place.number);
        assert_eq!(count, 1);
        assert!(text.starts_with("- main [ref=e1]\n  - text: An Invoice of May [ref=e2]\n"), "{text}");
    }
}
