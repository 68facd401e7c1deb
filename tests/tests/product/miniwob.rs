//! Task pages with scoring of their own, from the package `miniwob`: solved through the real loop and the real browser by a
//! model that reads what it is shown, and once more by the playbook of that; and of some of them the second half by a person in the live view. The page's own reward
//! decides.
//!
//! Each page is served as its package has it, with a few lines added: problems come from a fixed seed, the page's own
//! deadline of seconds (it is for machines that drive without a model) is lifted, and the reward is told to the site. For a person's half
//! the page tells where some elements are: where a person sees them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Path as RoutePath;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use baton_tests::{Answer, Asked, Baton, ModelServer, Site, Turn, Viewer, repository};
use serde_json::{Value, json};

const ADDED: &str = r"<script>
  Math.seedrandom('baton');
  core.EPISODE_MAX_TIME = 3600000;
  {
    // Each waits for the one before: requests at once may overtake each other, and an old place would stay.
    let told = Promise.resolve();
    const tell = (name, value) => told = told.catch(() => {}).then(() => fetch('/told?' + new URLSearchParams([[name, value]])));
    const end = core.endEpisode;
    core.endEpisode = (...how) => { end(...how); tell('reward', WOB_RAW_REWARD_GLOBAL); };
    const last = {};
    setInterval(() => {
      for (const place of new URLSearchParams(location.search).getAll('place')) {
        const box = document.querySelector(place)?.getBoundingClientRect();
        const at = box?.width ? [box.x + box.width / 2, box.y + box.height / 2].map(Math.round).join() : '';
        if (at !== (last[place] ?? '')) { last[place] = at; tell(place, at); }
      }
    }, 100);
  }
</script>";

/// One thing that the model does: a tool's name, and its arguments.
type Call = (&'static str, Value);

/// What the model does when it sees the page; it is shown the page anew afterwards.
type Move = fn(&Page) -> Vec<Call>;

/// What a person does in the live view.
enum Deed {
    /// Clicks the middle of what a selector names.
    Click(&'static str),
    /// Types what the task says.
    Type(fn(&Page) -> String),
    Key(&'static str),
}

struct Case {
    page: &'static str,
    moves: &'static [Move],
    person: &'static [Deed],
}

/// What the model was shown of a page.
struct Page(String);

impl Page {
    /// Reads the newest thing that the model was told.
    fn shown_to(asked: &Asked) -> Self {
        let page = Self(asked.newest().to_owned());
        assert!(page.0.contains("<page-content "), "{}", page.0);
        page
    }

    /// The page's first words: what is to be done.
    fn task(&self) -> &str {
        self.after("- text: ")
    }

    /// Returns the rest of the first line that has these words.
    fn after(&self, words: &str) -> &str {
        let (_, rest) = self.0.split_once(words).unwrap_or_else(|| panic!("no {words:?} in {}", self.0));
        rest.lines().next().unwrap_or_default()
    }

    /// Returns what the task says between two words of it.
    fn between(&self, before: &str, after: &str) -> &str {
        let task = self.task();
        let found = task.split_once(before).and_then(|(_, rest)| rest.split_once(after));
        found.unwrap_or_else(|| panic!("no {before:?} … {after:?} in {task:?}")).0
    }

    /// Returns what the task has in quotation marks, counted from 0.
    fn quoted(&self, n: usize) -> &str {
        self.task().split('"').nth(2 * n + 1).unwrap_or_else(|| panic!("{:?} quotes {n}", self.task()))
    }

    /// Returns the references of all elements of a role, in the page's order.
    fn all(&self, role: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (at, _) in self.0.match_indices(&format!("{role} ")) {
            let rest = &self.0[at..];
            let line = rest.lines().next().unwrap_or_default();
            if let Some((head, rest)) = line.split_once("[ref=")
                // Of this element and not of one further on.
                && head.matches(['[', ']']).count() <= 6
                && let Some((reference, _)) = rest.split_once(']')
            {
                found.push(reference.to_owned());
            }
        }
        found
    }

    fn nth(&self, role: &str, n: usize) -> String {
        self.all(role).into_iter().nth(n).unwrap_or_else(|| panic!("no {role} number {n} in {}", self.0))
    }

    /// Returns the reference of the element with that role and name.
    fn named(&self, role: &str, name: &str) -> String {
        let rest = self.after(&format!("{role} \"{name}\""));
        let (_, rest) = rest.split_once("[ref=").unwrap_or_else(|| panic!("{name:?} has a reference: {rest}"));
        rest.split_once(']').expect("a reference ends").0.to_owned()
    }

    /// Returns the cells of a table's row by its first cell.
    fn row(&self, first: &str) -> &str {
        self.after(&format!("- row: {first} | "))
    }
}

fn click(reference: String) -> Call {
    ("click", json!({ "ref": reference }))
}

fn fill(reference: String, text: impl Into<String>) -> Call {
    ("type", json!({ "ref": reference, "text": text.into() }))
}

fn submit(page: &Page) -> Vec<Call> {
    vec![click(page.named("button", "Submit"))]
}

/// Does something, and presses the button.
fn and_submit(page: &Page, mut calls: Vec<Call>) -> Vec<Call> {
    calls.extend(submit(page));
    calls
}

/// `2 - x = 87`, as the page writes it.
fn solve(equation: &str) -> i64 {
    let words: Vec<&str> = equation.split_whitespace().collect();
    let number = |at: usize| words[at].parse::<i64>().unwrap_or_else(|_| panic!("{equation}"));
    match (words[0], words[1], words[2]) {
        ("x", "+", _) => number(4) - number(2),
        ("x", "-", _) => number(4) + number(2),
        (_, "+", "x") => number(4) - number(0),
        (_, "-", "x") => number(0) - number(4),
        (_, "+", _) => number(0) + number(2),
        (_, "-", _) => number(0) - number(2),
        (_, "x", _) => number(0) * number(2),
        _ => panic!("{equation}"),
    }
}

/// `1st` of what there is, counted from 0.
fn ordinal(words: &str) -> usize {
    let digits: String = words.chars().take_while(char::is_ascii_digit).collect();
    digits.parse::<usize>().unwrap_or_else(|_| panic!("{words}")) - 1
}

/// `6:50 PM` as a time field takes it.
fn time_of_day(words: &str) -> String {
    let (clock, half) = words.split_once(' ').expect("a time and its half of the day");
    let (hours, minutes) = clock.split_once(':').expect("hours and minutes");
    let hours = hours.parse::<u32>().expect("hours") % 12 + if half.starts_with('P') { 12 } else { 0 };
    format!("{hours:02}:{minutes}")
}

/// `07/21/2012` as a date field takes it.
fn date(words: &str) -> String {
    let parts: Vec<&str> = words.split('/').collect();
    format!("{}-{}-{}", parts[2], parts[0], parts[1])
}

const fn alone(page: &'static str, moves: &'static [Move]) -> Case {
    Case { page, moves, person: &[] }
}

const SUBMIT: Deed = Deed::Click("#subbtn");

/// The agent's alone.
const ALONE: &[Case] = &[
    alone("click-test", &[|page| vec![click(page.nth("button", 0))]]),
    alone("click-test-2", &[|page| vec![click(page.named("button", "ONE"))]]),
    alone("click-button", &[|page| vec![click(page.named("button", page.quoted(0)))]]),
    alone("click-checkboxes-transfer", &[checkboxes, submit]),
    alone("click-checkboxes-large", &[checkboxes, submit]),
    alone("click-dialog", &[|page| vec![click(page.named("button", "Close"))]]),
    alone(
        "click-dialog-2",
        &[|page| vec![click(page.named("button", if page.quoted(0) == "x" { "Close" } else { page.quoted(0) }))]],
    ),
    alone("click-link", &[|page| vec![click(page.named("clickable", page.quoted(0)))]]),
    alone(
        "click-option",
        &[|page| and_submit(page, vec![click(page.named("radio", page.between("Select ", " and click")))])],
    ),
    alone("click-tab", &[|page| vec![click(page.named("tab", page.between("Click on ", ".")))]]),
    alone("click-tab-2-easy", &[|page| vec![click(page.named("clickable", page.quoted(0)))]]),
    alone(
        "click-scroll-list",
        &[|page| {
            let wanted = page.between("Select ", " from");
            and_submit(page, vec![("select", json!({ "ref": page.nth("listbox", 0), "value": wanted }))])
        }],
    ),
    alone(
        "choose-list",
        &[|page| {
            let wanted = page.between("Select ", " from");
            and_submit(page, vec![("select", json!({ "ref": page.nth("combobox", 0), "value": wanted }))])
        }],
    ),
    alone(
        "enter-text-2",
        &[|page| {
            let is_upper = page.task().contains("upper");
            let text = page.quoted(0);
            let text = if is_upper { text.to_uppercase() } else { text.to_lowercase() };
            and_submit(page, vec![fill(page.nth("textbox", 0), text)])
        }],
    ),
    alone("enter-text-dynamic", &[|page| and_submit(page, vec![fill(page.nth("textbox", 0), page.quoted(0))])]),
    alone(
        "enter-date",
        &[|page| and_submit(page, vec![fill(page.nth("textbox", 0), date(page.between("Enter ", " as")))])],
    ),
    alone(
        "enter-time",
        &[|page| and_submit(page, vec![fill(page.nth("textbox", 0), time_of_day(page.between("Enter ", " as")))])],
    ),
    alone("focus-text", &[|page| vec![click(page.nth("textbox", 0))]]),
    alone("focus-text-2", &[|page| vec![click(page.nth("textbox", ordinal(page.between("the ", " input"))))]]),
    alone(
        "login-user-popup",
        &[
            |page| vec![fill(page.nth("textbox", 0), page.quoted(0))],
            |page| {
                out_of_the_way(
                    page,
                    vec![fill(page.nth("textbox", 0), page.quoted(0)), fill(page.nth("textbox", 1), page.quoted(1))],
                )
            },
            |page| {
                out_of_the_way(page, vec![fill(page.nth("textbox", 1), page.quoted(1)), click(page.nth("button", 0))])
            },
        ],
    ),
    alone(
        "read-table",
        &[|page| {
            let value = page.row(page.between("value of ", " into"));
            and_submit(page, vec![fill(page.nth("textbox", 0), value)])
        }],
    ),
    alone(
        "simple-algebra",
        &[|page| {
            let equation = page.0.lines().find(|line| line.contains(" = ") && line.contains('x')).expect("an equation");
            let answer = solve(equation.trim_start_matches("- text: ")).to_string();
            and_submit(page, vec![fill(page.nth("textbox", 0), answer)])
        }],
    ),
    alone(
        "copy-paste",
        &[|page| {
            // Word for word: what the page's outline shows of a text has no space at its end.
            let press =
                |field: usize, key: &str| ("press", json!({ "key": key, "on": { "ref": page.nth("textbox", field) } }));
            and_submit(page, vec![press(0, "Control+A"), press(0, "Control+C"), press(1, "Control+V")])
        }],
    ),
    alone(
        "find-word",
        &[|page| {
            let text = page.0.lines().filter_map(|line| line.strip_prefix("- text: ")).nth(1).expect("a paragraph");
            let word = text.split_whitespace().nth(ordinal(page.between("Find the ", " word"))).expect("a word");
            let word: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
            and_submit(page, vec![fill(page.nth("textbox", 0), word)])
        }],
    ),
    alone(
        "text-transform",
        &[|page| {
            let text = page.0.lines().filter_map(|line| line.strip_prefix("- text: ")).nth(1).expect("a text");
            and_submit(page, vec![fill(page.nth("textbox", 0), text)])
        }],
    ),
    alone("unicode-test", &[|page| vec![click(page.named("button", page.quoted(0)))]]),
    alone(
        "scroll-text",
        &[|page| {
            let text = page.after("] = \"");
            let word = text.trim_end_matches('"').split_whitespace().next_back().expect("a word");
            let word: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
            and_submit(page, vec![fill(page.nth("textbox", 1), word)])
        }],
    ),
    alone(
        "click-widget",
        &[|page| {
            let role = match page.quoted(0) {
                "text" | "textarea" => "textbox",
                other => other,
            };
            vec![click(page.nth(role, 0))]
        }],
    ),
    alone(
        "search-engine",
        &[
            |page| vec![fill(page.nth("textbox", 0), page.quoted(0)), click(page.named("button", "Search"))],
            |page| vec![click(page.nth("link", ordinal(page.between("click the ", " search"))))],
        ],
    ),
    alone(
        "buy-ticket",
        &[|page| {
            let prices: Vec<(u32, String)> = page
                .0
                .lines()
                .filter_map(|line| line.trim_start().strip_prefix("- button \"Book for $"))
                .map(|rest| {
                    let price = rest.split('"').next().and_then(|digits| digits.parse().ok()).expect("a price");
                    let (_, reference) = rest.split_once("[ref=").expect("a button has a reference");
                    (price, reference.trim_end_matches(']').to_owned())
                })
                .collect();
            let best = if page.task().contains("most expensive") { prices.iter().max() } else { prices.iter().min() };
            vec![click(best.expect("a ticket").1.clone())]
        }],
    ),
];

/// Begun by the agent, ended by a person.
const SHARED: &[Case] = &[
    Case {
        page: "click-button-sequence",
        moves: &[|page| vec![click(page.named("button", "ONE"))]],
        person: &[Deed::Click("#subbtn2")],
    },
    Case { page: "click-checkboxes", moves: &[checkboxes], person: &[SUBMIT] },
    Case { page: "click-collapsible", moves: &[|page| vec![click(page.nth("tab", 0))]], person: &[SUBMIT] },
    Case { page: "enter-text", moves: &[|page| vec![fill(page.nth("textbox", 0), page.quoted(0))]], person: &[SUBMIT] },
    Case {
        page: "enter-password",
        moves: &[|page| vec![fill(page.nth("textbox", 0), page.quoted(0))]],
        person: &[Deed::Click("#verify"), Deed::Type(|page| page.quoted(0).to_owned()), SUBMIT],
    },
    Case {
        page: "login-user",
        moves: &[|page| vec![fill(page.nth("textbox", 0), page.quoted(0))]],
        person: &[Deed::Click("#password"), Deed::Type(|page| page.quoted(1).to_owned()), SUBMIT],
    },
    Case {
        page: "read-table-2",
        moves: &[|page| vec![fill(page.nth("textbox", 0), label_value(page, 0))]],
        person: &[Deed::Click("#tt2"), Deed::Type(|page| label_value(page, 1)), SUBMIT],
    },
    Case {
        page: "simple-arithmetic",
        moves: &[|page| {
            let line = page.0.lines().find(|line| line.contains(" = textbox")).expect("a problem");
            let answer = solve(line.trim_start_matches("- text: ")).to_string();
            vec![fill(page.nth("textbox", 0), answer)]
        }],
        person: &[SUBMIT],
    },
    Case {
        page: "form-sequence-2",
        moves: &[|page| vec![click(page.nth("radio", ordinal(page.between("Check the ", " radio"))))]],
        person: &[Deed::Click("#input-1"), Deed::Type(|page| page.quoted(0).to_owned()), SUBMIT],
    },
    Case {
        page: "use-autocomplete",
        moves: &[|page| vec![click(page.nth("textbox", 0))]],
        person: &[
            Deed::Click("#tags"),
            Deed::Type(|page| page.quoted(0).to_owned()),
            Deed::Key("ArrowDown"),
            Deed::Key("Enter"),
            SUBMIT,
        ],
    },
    Case {
        page: "find-greatest",
        moves: &[|page| {
            let cards: Vec<(u32, String)> = page
                .after("- clickable ")
                .split("clickable ")
                .map(|card| {
                    let number = card.split('"').nth(1).and_then(|digits| digits.parse().ok()).expect("a number");
                    let (_, reference) = card.split_once("[ref=").expect("a card has a reference");
                    (number, reference.split(']').next().expect("a reference").to_owned())
                })
                .collect();
            vec![click(cards.iter().max().expect("a card").1.clone())]
        }],
        person: &[Deed::Click("#submit")],
    },
    Case {
        page: "sign-agreement",
        moves: &[|page| vec![("scroll", json!({ "ref": page.nth("textbox", 0), "to": "bottom" }))]],
        person: &[Deed::Click("#name"), Deed::Type(|page| page.quoted(0).to_owned()), Deed::Click("#agree")],
    },
];

/// Does something, once a box that the page may put up over its fields is gone.
fn out_of_the_way(page: &Page, calls: Vec<Call>) -> Vec<Call> {
    let is_up = page.0.contains("button \"Cancel\"");
    let cancel = is_up.then(|| click(page.named("button", "Cancel")));
    cancel.into_iter().chain(calls).collect()
}

fn checkboxes(page: &Page) -> Vec<Call> {
    let wanted = page.between("Select ", " and click");
    let names = wanted.split(", ").filter(|name| *name != "nothing");
    names.map(|name| click(page.named("checkbox", name))).collect()
}

/// Returns the table's value for the n-th field of the form, whose label stands before it.
fn label_value(page: &Page, n: usize) -> String {
    let labels = page.0.lines().filter_map(|line| line.strip_prefix("- text: ")).skip(1);
    page.row(labels.clone().nth(n).expect("a label").trim_end_matches(':')).to_owned()
}

/// Where the package lies, as `script/setup test` has installed it.
fn package() -> PathBuf {
    let place = repository().join("target/miniwob/lib");
    let python = std::fs::read_dir(&place)
        .unwrap_or_else(|error| panic!("{}: {error}: run `script/setup test`", place.display()))
        .find_map(|entry| entry.ok().map(|entry| entry.path().join("site-packages/miniwob/html")))
        .expect("the package is installed");
    assert!(python.join("core/core.js").exists(), "{} has the pages", python.display());
    python
}

async fn file(RoutePath(path): RoutePath<String>) -> Response {
    let content_type = match Path::new(&path).extension().and_then(|end| end.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    };
    let Ok(mut content) = std::fs::read(package().join(&path)) else { return StatusCode::NOT_FOUND.into_response() };
    if path.ends_with(".html") {
        content.extend_from_slice(ADDED.as_bytes());
    }
    ([(header::CONTENT_TYPE, content_type)], content).into_response()
}

struct Bench {
    baton: Baton,
    model: ModelServer,
    sandbox: String,
}

impl Bench {
    async fn new() -> Self {
        let model = ModelServer::start(vec![]).await;
        let baton = Baton::start_with(&model.env()).await;
        // Pages that pay, delete and send are played, not lived: nobody is asked about them here.
        let rules = json!([{ "site": "127.0.0.1", "effect": "allow" }]);
        baton.ok("PUT", "/rules", Some(json!({ "rules": rules }))).await;
        let sandbox = baton.ready_sandbox(json!({ "network": { "allowPrivate": ["127.0.0.1"] } })).await;
        Self { baton, model, sandbox }
    }

    async fn solve(&self, case: &Case) {
        // Shown where the test fails.
        println!("page {}", case.page);
        let site = Site::serve(&[], Router::new().route("/{*path}", get(file))).await;
        let places = case.person.iter().filter_map(|deed| match deed {
            Deed::Click(place) => Some(format!("place={}", place.replace('#', "%23"))),
            Deed::Type(_) | Deed::Key(_) => None,
        });
        let url =
            format!("{}?{}", site.url(&format!("/miniwob/{}.html", case.page)), places.collect::<Vec<_>>().join("&"));
        self.model.push(Answer::call("navigate", json!({ "url": url })));
        self.model.push(Answer::call("click", json!({ "text": "START" })).and_call("look", json!({})));
        let typed: Arc<Mutex<Vec<String>>> = Arc::default();
        for step in case.moves {
            let typed = typed.clone();
            self.model.push(Turn::of(move |asked| {
                let calls = step(&Page::shown_to(asked));
                let texts =
                    calls.iter().filter(|(name, _)| *name == "type").filter_map(|(_, input)| input["text"].as_str());
                typed.lock().expect("no panic while typed").extend(texts.map(str::to_owned));
                let answer =
                    calls.into_iter().fold(Answer::text(""), |answer, (name, input)| answer.and_call(name, input));
                answer.and_call("look", json!({}))
            }));
        }
        if !case.person.is_empty() {
            self.model.push(Answer::call("handoff", json!({ "reason": "custom", "message": "Do the rest" })));
        }
        self.model.push(Answer::call("done", json!({ "result": "solved" })));
        let prompt = format!("Do what the page says: {url}");
        let task = self.baton.post(&format!("/sandboxes/{}/tasks", self.sandbox), json!({ "prompt": prompt })).await;
        let task = format!("/tasks/{}", task["taskId"].as_str().expect("a task has an id"));
        if !case.person.is_empty() {
            self.baton.until(&task, "/status", "waiting").await;
            self.do_the_rest(&site, case.person).await;
        }
        let ended = self.baton.until(&task, "/status", "completed").await;
        assert_eq!(self.model.n_left(), 0, "{}: {ended}", case.page);
        let reward: f64 = site.told("reward").await.parse().expect("a number");
        assert!(reward > 0.99, "{}: the page gives {reward}", case.page);
        if case.person.is_empty() {
            let last = typed.lock().expect("no panic while typed").last().cloned();
            self.solve_from_playbook(&site, &task, case.page, last).await;
        }
    }

    /// Solves the page once more: by the task's playbook, and without the model. A password is what was typed last.
    async fn solve_from_playbook(&self, site: &Site, task: &str, page: &str, password: Option<String>) {
        site.forget("reward");
        let playbook = String::from_utf8(self.baton.bytes(&format!("{task}/playbook")).await).expect("YAML is text");
        assert!(!playbook.contains("ref:"), "{page}: a reference means nothing in another session: {playbook}");
        let asked = playbook.lines().filter_map(|line| line.strip_prefix("  ")?.strip_suffix(": null"));
        let params: BTreeMap<&str, &Option<String>> = asked.map(|name| (name, &password)).collect();
        let order = json!({ "playbook": playbook, "params": params });
        let again = self.baton.post(&format!("/sandboxes/{}/tasks", self.sandbox), order).await;
        let ended = self.baton.until_over(again["taskId"].as_str().expect("a task has an id")).await;
        assert_eq!(ended["status"], "completed", "{page}: {ended}");
        let reward: f64 = site.told("reward").await.parse().expect("a number");
        assert!(reward > 0.99, "{page}: the playbook gets {reward}: {playbook}");
    }

    async fn do_the_rest(&self, site: &Site, person: &[Deed]) {
        let task = Page::shown_to(self.model.asked().last().expect("the model was asked"));
        let viewer = Viewer::connect(&self.baton, &self.sandbox).await;
        viewer.take().await;
        for deed in person {
            match deed {
                Deed::Click(selector) => {
                    // What moves tells its last place when it has come to rest.
                    viewer.still_picture().await;
                    let told = site.told(selector).await;
                    let (x, y) = told.split_once(',').unwrap_or_else(|| panic!("{selector} is shown: {told:?}"));
                    let place = (x.parse().expect("pixels"), y.parse().expect("pixels"));
                    println!("a person clicks {selector} at {place:?}");
                    viewer.click_in_page(&self.baton, &self.sandbox, place).await;
                }
                Deed::Type(what) => {
                    viewer.text(&what(&task)).await;
                    viewer.still_picture().await;
                }
                Deed::Key(key) => {
                    viewer.key(key, key).await;
                    viewer.still_picture().await;
                }
            }
        }
        site.told("reward").await;
        viewer.hand_back(None).await;
    }
}

#[tokio::test]
async fn the_agent_solves_pages_that_score_it() {
    let bench = Bench::new().await;
    for case in ALONE {
        bench.solve(case).await;
    }
}

#[tokio::test]
async fn what_the_agent_begins_a_person_ends() {
    let bench = Bench::new().await;
    for case in SHARED {
        bench.solve(case).await;
    }
}

#[test]
fn there_are_as_many_pages_as_were_asked_for() {
    assert!(ALONE.len() + SHARED.len() >= 30 && SHARED.len() >= 10, "{} and {}", ALONE.len(), SHARED.len());
}
