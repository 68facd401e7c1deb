//! What the loop costs beside the model: time a step, and the model's tokens a page.
//!
//! The model answers at once, so the time from one of its requests to the next is the loop's: reading the answer, deciding whether
//! a person is to be asked, doing it, looking at what changed, writing it down, and asking again.
//! Pages are those of applications that nobody here wrote. Their plain dump is Chromium's accessibility tree, one line a node
//! that is not ignored: indentation, role, name, value, and the number by which a client would act on it.

use anyhow::{Context, Result};
use baton_tests::measure::Spread;
use baton_tests::{Answer, Asked, Baton, Debugger, ModelServer, Turn, WebApp};
use serde_json::{Value, json};

use crate::table::{Measured, number, print};

/// Steps of each kind.
const STEPS: usize = 60;
const PASSWORD: &str = "correct-horse";
const PEOPLE: [&str; 12] =
    ["ada", "alan", "barbara", "claude", "donald", "edsger", "frances", "grace", "john", "ken", "leslie", "margaret"];

struct Bench {
    baton: Baton,
    model: ModelServer,
    sandbox: String,
}

impl Bench {
    async fn new() -> Result<Self> {
        let model = ModelServer::start(vec![]).await;
        let baton = Baton::start_with(&model.env()).await;
        // Nobody is there to be asked.
        baton.ok("PUT", "/rules", Some(json!({ "rules": [{ "site": "127.0.0.1", "effect": "allow" }] }))).await;
        let sandbox = baton.ready_sandbox(json!({ "network": { "allowPrivate": ["127.0.0.1"] } })).await;
        Ok(Self { baton, model, sandbox })
    }

    /// Follows these turns to their end; returns what the model was asked.
    async fn follow(&self, prompt: &str, turns: impl IntoIterator<Item = Turn>) -> Result<Vec<Asked>> {
        let before = self.model.asked().len();
        turns.into_iter().for_each(|turn| self.model.push(turn));
        self.model.push(Answer::call("done", json!({ "result": "measured" })));
        let order = json!({ "prompt": prompt, "limits": { "steps": 1000 } });
        let task = self.baton.post(&format!("/sandboxes/{}/tasks", self.sandbox), order).await;
        let task = task["taskId"].as_str().context("a task has an id")?.to_owned();
        self.baton.until(&format!("/tasks/{task}"), "/status", "completed").await;
        Ok(self.model.asked().split_off(before))
    }

    /// Signs in at a page: fills the fields that these selectors name, and presses the button.
    async fn sign_in(&self, url: &str, fields: &[(&str, &str)], button: &str) -> Result<()> {
        let mut turns = vec![turn("navigate", json!({ "url": url }))];
        turns.extend(fields.iter().map(|(selector, text)| turn("type", json!({ "selector": selector, "text": text }))));
        turns.push(turn("click", json!({ "selector": button })));
        self.follow(&format!("Sign in at {url}"), turns).await.map(drop)
    }
}

fn turn(tool: &str, input: Value) -> Turn {
    Answer::call(tool, input).into()
}

/// The loop's time a step by kind, and tokens a page.
pub async fn measure(measured: &mut Measured) -> Result<()> {
    let django = WebApp::django_admin("office", PASSWORD, &PEOPLE).await;
    let jupyter = WebApp::jupyter_lab(PASSWORD, "figures.csv", "month,total\n10,31\n").await;
    let bench = Bench::new().await?;
    let fields = [("#id_username", "office"), ("#id_password", PASSWORD)];
    bench.sign_in(&django.url("/admin/"), &fields, "[type=submit]").await?;
    bench.sign_in(&jupyter.url("/lab"), &[("#password_input", PASSWORD)], "#login_submit").await?;
    steps(&bench, &django, measured).await?;
    let pages = [
        ("Django admin, all that there is", django.url("/admin/"), "Recent actions"),
        ("Django admin, a list of 13 people", django.url("/admin/auth/user/"), "13 users"),
        ("Django admin, one person's form", django.url("/admin/auth/user/1/change/"), "Last login"),
        ("Django admin, a new person", django.url("/admin/auth/user/add/"), "Password confirmation"),
        ("JupyterLab, a folder and the launcher", jupyter.url("/lab"), "figures.csv"),
    ];
    tokens(&bench, &pages, measured).await
}

type Step = Box<dyn Fn(usize) -> Value>;

async fn steps(bench: &Bench, django: &WebApp, measured: &mut Measured) -> Result<()> {
    let list = django.url("/admin/auth/user/");
    let row = |n: usize| format!("#result_list tbody tr:nth-child({}) .action-select", n % 13 + 1);
    let kinds: [(&str, &str, Step); 4] = [
        ("note: nothing is done", "note", Box::new(|n| json!({ "text": format!("Step {n}") }))),
        ("look at the page", "look", Box::new(|n| json!({ "maxChars": 12_000 + n }))),
        ("click on a box of its list", "click", Box::new(move |n| json!({ "selector": row(n) }))),
        ("type into its search", "type", Box::new(|n| json!({ "selector": "#searchbar", "text": format!("a{n}") }))),
    ];
    let mut rows = vec![];
    for (name, tool, input) in kinds {
        let turns = (0..STEPS).map(|n| turn(tool, input(n)));
        let begin = [turn("navigate", json!({ "url": list }))];
        let asked = bench.follow(&format!("Work at {list}"), begin.into_iter().chain(turns)).await?;
        // The second request follows the first step, which opens the page; the last one is answered with the end.
        let times: Vec<_> = asked[1..].windows(2).map(|pair| Some(pair[1].at - pair[0].at)).collect();
        let spread = Spread::of(&times);
        rows.push(vec![name.to_owned(), number(spread.p50, 1), number(spread.p95, 1), number(spread.max, 1)]);
        measured.add(&format!("step.{tool}"), spread)?;
    }
    print("A step of the loop without the model", &["", "p50 ms", "p95 ms", "max ms"], &rows);
    Ok(())
}

/// Pages with their names, addresses, and words that are there once they have come whole.
async fn tokens(bench: &Bench, pages: &[(&str, String, &str)], measured: &mut Measured) -> Result<()> {
    let tokenizer = tiktoken_rs::o200k_base()?;
    let count = |text: &str| tokenizer.encode_ordinary(text).len();
    let mut debugger = Debugger::with_token(&bench.baton, &format!("/sandboxes/{}/cdp", bench.sandbox)).await;
    let session = debugger.attach().await;
    let mut rows = vec![];
    for (name, url, words) in pages {
        let turns = [
            turn("navigate", json!({ "url": url })),
            turn("waitFor", json!({ "text": words })),
            turn("look", json!({ "maxChars": 100_000 })),
        ];
        let asked = bench.follow(&format!("Look at {url}"), turns).await?;
        let ours = asked.last().context("the model was asked")?.newest().to_owned();
        let tree = debugger.call(Some(&session), "Accessibility.getFullAXTree", json!({})).await;
        let dump = dump(&tree);
        let (ours_tokens, dump_tokens) = (count(&ours), count(&dump));
        let ratio = ours_tokens as f64 / dump_tokens as f64;
        rows.push(vec![(*name).to_owned(), ours_tokens.to_string(), dump_tokens.to_string(), number(ratio, 2)]);
        let figures = json!({ "url": url, "ours": ours_tokens, "dump": dump_tokens });
        measured.add(&format!("tokens.{name}"), figures)?;
    }
    print("Tokens of a page (o200k)", &["", "what the agent sees", "accessibility tree, plain", "ratio"], &rows);
    Ok(())
}

/// Writes Chromium's accessibility tree as lines.
fn dump(tree: &Value) -> String {
    let nodes: Vec<&Value> = tree["nodes"].as_array().into_iter().flatten().collect();
    let mut text = String::new();
    let roots: Vec<&Value> = nodes.iter().copied().filter(|node| node["parentId"].is_null()).collect();
    roots.iter().for_each(|root| write(root, &nodes, 0, &mut text));
    text
}

fn write(node: &Value, nodes: &[&Value], depth: usize, text: &mut String) {
    let word = |key: &str| node[key]["value"].as_str().unwrap_or_default();
    let is_told = node["ignored"] != true && word("role") != "InlineTextBox";
    if is_told {
        let value = node["value"]["value"].as_str().map(|value| format!(" value={value:?}")).unwrap_or_default();
        let line = format!(
            "{}{} {:?}{value} [{}]\n",
            "  ".repeat(depth),
            word("role"),
            word("name"),
            node["backendDOMNodeId"]
        );
        text.push_str(&line);
    }
    for child in node["childIds"].as_array().into_iter().flatten() {
        if let Some(child) = nodes.iter().find(|node| node["nodeId"] == *child) {
            write(child, nodes, depth + usize::from(is_told), text);
        }
    }
}
