//! A task that followed a model, as a playbook that does the same without one.
//!
//! Owns what becomes of each thing that the model had done: targets by what lasts, typed texts as parameters, a person's
//! part as a handoff, and a new address as a condition. What only looked, or was not done, is left out.

use std::collections::{BTreeMap, BTreeSet};

use sandbox_core::HandoffId;
use sandbox_core::action::{Action, Condition, Navigate, Repeat, TabChoice, Target, Type};
use sandbox_core::model::{Handoff, HandoffReason, HandoffRequest, Receipt, Until};
use sandbox_core::playbook::{Playbook, Step, templates_in};
use sandbox_core::work::Work;
use serde_json::Value;

use super::entry::{Did, Entry};
use super::tools::Call;

/// Longest name of a parameter.
const LONGEST_PARAM: usize = 40;

/// Returns the playbook of what was kept of a task, with the handoffs that it had. Without steps where nothing can be
/// repeated.
pub fn saved(name: &str, kept: &[Value], handoffs: &[Handoff]) -> Playbook {
    let entries = kept.iter().filter_map(|entry| serde_json::from_value::<Entry>(entry.clone()).ok());
    let mut saving = Saving::default();
    for entry in entries {
        match entry {
            Entry::Said { parts, .. } => {
                saving.wanted.clear();
                for (id, name, input) in parts.iter().filter_map(|part| part.tool_use()) {
                    saving.literal.extend(templates_in(input));
                    saving.wanted.extend(Call::read(name, input).ok().map(|call| (id.to_owned(), call)));
                }
            }
            Entry::Did(did) => saving.did(did),
            Entry::Told { handoff: Some(id), .. } => saving.took_over(&id, handoffs),
            Entry::Told { .. } | Entry::Heard { .. } | Entry::Ordered(_) | Entry::Summed { .. } => {}
        }
    }
    saving.playbook(name)
}

#[derive(Default)]
struct Saving {
    /// What the model's latest answer wanted, by the id of its call.
    wanted: BTreeMap<String, Call>,
    steps: Vec<Step>,
    params: BTreeMap<String, Option<String>>,
    /// Names that stand in braces in what the model wrote: text, and no parameter.
    literal: BTreeSet<String>,
    /// Address of the page after the latest step.
    url: Option<String>,
}

impl Saving {
    fn did(&mut self, did: Did) {
        let Some(call) = self.wanted.remove(&did.call) else { return };
        let before = self.url.clone();
        if did.url.is_some() {
            self.url.clone_from(&did.url);
        }
        if did.failed {
            return;
        }
        match call {
            Call::Browser(action) => {
                let repeat = did.repeat.map_or(Repeat { action, secret: false }, |repeat| *repeat);
                self.browser(repeat, before.as_deref());
            }
            Call::Work(work) => self.work(work),
        }
    }

    fn browser(&mut self, Repeat { action, secret }: Repeat, before: Option<&str>) {
        let kind = action.kind();
        let is_kept = matches!(&action, Action::Extract(extract) if extract.to.is_some());
        // What the model only read is in no file.
        if kind.shows_itself && !is_kept {
            return;
        }
        let is_first = !self.steps.iter().any(|step| matches!(step, Step::Browser(_)));
        let begins = matches!(action, Action::Navigate(_) | Action::NewTab(_));
        if let (true, false, Some(url)) = (is_first, begins, before.filter(|url| url.starts_with("http"))) {
            self.steps.push(Step::Browser(Action::Navigate(Navigate::Url(url.to_owned()))));
        }
        let action = match action {
            Action::Type(typing) => self.typed(typing, secret),
            Action::ActivateTab(choice) => Action::ActivateTab(self.tab(choice)),
            Action::CloseTab(choice) => Action::CloseTab(self.tab(choice)),
            other => other,
        };
        self.steps.push(Step::Browser(action));
        let (Some(before), Some(after)) = (before, self.url.clone()) else { return };
        if kind.expects_address && place(before) != place(&after) && after.starts_with("http") {
            let url = Some(self.pattern(&after));
            self.steps.push(Step::Browser(Action::Expect(Condition { url, ..Condition::default() })));
        }
    }

    /// A typed text becomes a parameter; one that is secret has no default.
    fn typed(&mut self, typing: Type, secret: bool) -> Action {
        if typing.text.is_empty() {
            return Action::Type(typing);
        }
        let value = (!secret).then(|| typing.text.clone());
        let wanted = Action::Type(typing.clone()).target().map(|target| param_name(&target)).unwrap_or_default();
        let names = std::iter::once(wanted.clone()).chain((2..).map(|number| format!("{wanted}{number}")));
        let mut names = names.filter(|name| {
            !self.literal.contains(name) && self.params.get(name).is_none_or(|taken| !secret && *taken == value)
        });
        let name = names.next().unwrap_or(wanted);
        self.params.insert(name.clone(), value);
        Action::Type(Type { text: format!("{{{{{name}}}}}"), ..typing })
    }

    fn tab(&self, choice: TabChoice) -> TabChoice {
        TabChoice { url: choice.url.map(|url| self.pattern(&url)), ..choice }
    }

    fn work(&mut self, work: Work) {
        let step = match work {
            Work::Exec(request) => Step::Exec(request),
            Work::Code(request) => Step::Code(request),
            Work::Write(file) => Step::Write(file),
            Work::Convert(file) => Step::Convert(file),
            Work::Artifact(artifact) => Step::Artifact(artifact),
            Work::Handoff(request) => {
                let request = HandoffRequest { resume_prompt: None, ..request };
                // One that a message interrupted was asked for again.
                if matches!(self.steps.last(), Some(Step::Handoff(asked)) if *asked == request) {
                    return;
                }
                Step::Handoff(request)
            }
            Work::Read(_) | Work::List(_) | Work::Search(_) | Work::Note(_) | Work::Done(_) => return,
        };
        self.steps.push(step);
    }

    /// A person took over without being asked: the playbook asks for the same.
    fn took_over(&mut self, id: &HandoffId, handoffs: &[Handoff]) {
        let receipt = handoffs.iter().find(|handoff| handoff.request_id == *id).and_then(|done| done.receipt.as_ref());
        let Some(receipt) = receipt.filter(|receipt| receipt.inputs > 0) else { return };
        let moved = place(&receipt.before.url) != place(&receipt.after.url) && receipt.after.url.starts_with("http");
        let url = moved.then(|| self.pattern(&receipt.after.url));
        self.steps.push(Step::Handoff(HandoffRequest {
            reason: HandoffReason::Custom,
            message: asked_again(receipt),
            resume_prompt: None,
            expires_in_ms: None,
            until: url.map(|url| Until { url: Some(url), ..Until::default() }),
        }));
        self.url = Some(receipt.after.url.clone());
    }

    /// An address as a pattern: parts that a number, an id or a typed text made may be others next time.
    fn pattern(&self, url: &str) -> String {
        let parts = place(url).split('/').enumerate().map(|(at, part)| {
            let is_typed = self.params.values().flatten().any(|text| !text.is_empty() && part.contains(text.as_str()));
            let is_id = part.len() >= 8 && part.bytes().any(|b| b.is_ascii_digit()) && !part.contains('.');
            let is_number = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            // The first three are the scheme, nothing, and the host.
            if at > 2 && (is_typed || is_id || is_number) { "*" } else { part }
        });
        parts.collect::<Vec<_>>().join("/")
    }

    fn playbook(self, name: &str) -> Playbook {
        let mut playbook = Playbook { name: name.to_owned(), params: self.params, steps: self.steps };
        // What only looks like a parameter stands for itself.
        for named in playbook.templates() {
            playbook.params.entry(named.clone()).or_insert_with(|| Some(format!("{{{{{named}}}}}")));
        }
        playbook
    }
}

/// An address without its query and fragment.
fn place(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

/// A field's name as the name of a parameter: `Invoice number` is `invoiceNumber`.
fn param_name(target: &Target) -> String {
    let said = [&target.label, &target.name, &target.placeholder, &target.test_id].into_iter().flatten().next();
    let words = said.map(String::as_str).unwrap_or_default().split(|c: char| !c.is_alphanumeric());
    let mut name = String::new();
    for word in words.filter(|word| !word.is_empty()) {
        let mut letters = word.chars();
        match letters.next() {
            Some(first) if !name.is_empty() => name.extend(first.to_uppercase().chain(letters)),
            Some(first) => name.extend(first.to_lowercase().chain(letters)),
            None => {}
        }
    }
    let name: String = name.chars().take(LONGEST_PARAM).collect();
    if name.is_empty() { "text".to_owned() } else { name }
}

/// Asks a person for what a person did: by names, never by values.
fn asked_again(receipt: &Receipt) -> String {
    let page = if receipt.before.title.is_empty() { &receipt.before.url } else { &receipt.before.title };
    let fields = receipt.fields_touched.join(", ");
    if fields.is_empty() {
        format!("Do your part at {page}, then hand back")
    } else {
        format!("Do your part at {page} ({fields}), then hand back")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(calls: &[(&str, Value)]) -> Value {
        let parts: Vec<Value> = calls
            .iter()
            .map(|(name, input)| json!({ "content": { "toolUse": { "id": name, "name": name, "input": input } } }))
            .collect();
        json!({ "entry": "said", "parts": parts, "heard": 0 })
    }

    fn did(call: &str, more: Value) -> Value {
        let mut did = json!({ "entry": "did", "call": call, "said": "Done." });
        did.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        did
    }

    fn repeated(action: Value, secret: bool, url: &str) -> Value {
        json!({ "repeat": { "action": action, "secret": secret }, "url": url })
    }

    fn yaml_of(kept: &[Value]) -> String {
        let playbook = saved("Pay an invoice", kept, &[]);
        let yaml = playbook.to_yaml();
        assert_eq!(Playbook::parse(&yaml).as_ref(), Ok(&playbook), "{yaml}");
        yaml
    }

    #[test]
    fn what_was_done_is_repeated_by_what_lasts_and_what_only_looked_is_not() {
        let kept = [
            said(&[("navigate", json!({ "url": "https://a.example/" })), ("look", json!({}))]),
            did("navigate", json!({ "url": "https://a.example/" })),
            did("look", json!({ "url": "https://a.example/" })),
            said(&[("click", json!({ "ref": "e7" }))]),
            did("click", json!({ "failed": true, "url": "https://a.example/" })),
            said(&[("click", json!({ "ref": "e8" }))]),
            did(
                "click",
                repeated(
                    json!({ "click": { "role": "link", "name": "Invoices" } }),
                    false,
                    "https://a.example/i/4711?x=1",
                ),
            ),
            said(&[
                ("exec", json!({ "command": "wc", "args": ["-l", "a.csv"] })),
                ("done", json!({ "result": "paid" })),
            ]),
            did("exec", json!({})),
            did("done", json!({})),
        ];
        let wanted = "name: Pay an invoice\nsteps:\n- navigate:\n    url: https://a.example/\n- click:\n    role: link\n    name: Invoices\n- expect:\n    url: https://a.example/i/*\n- exec:\n    command: wc\n    args:\n    - -l\n    - a.csv\n";
        let squash = |text: &str| text.lines().map(str::trim).map(str::to_owned).collect::<Vec<_>>().join("\n");
        assert_eq!(squash(&yaml_of(&kept)).replace(['"', '\''], ""), squash(wanted));
    }

    #[test]
    fn typed_texts_become_parameters_and_secret_ones_have_no_value() {
        let field = |label: &str, text: &str| json!({ "type": { "label": label, "text": text } });
        let call = |text: &str| said(&[("type", json!({ "ref": "e1", "text": text }))]);
        let kept = [
            call("ada"),
            did("type", repeated(field("User name *", "ada"), false, "https://a.example/")),
            call("hunter2"),
            did("type", repeated(field("Password", "hunter2"), true, "https://a.example/")),
            call("bob"),
            did("type", repeated(field("User name *", "bob"), false, "https://a.example/")),
            call("ada"),
            did("type", repeated(field("User name *", "ada"), false, "https://a.example/")),
        ];
        let playbook = saved("Sign in", &kept, &[]);
        let value = |text: &str| Some(text.to_owned());
        let wanted = [("userName", value("ada")), ("userName2", value("bob")), ("password", None)];
        assert_eq!(playbook.params, wanted.map(|(name, value)| (name.to_owned(), value)).into());
        let yaml = playbook.to_yaml();
        assert!(!yaml.contains("hunter2") && yaml.matches("{{userName}}").count() == 2, "{yaml}");
    }

    #[test]
    fn braces_in_what_the_model_wrote_stay_text() {
        let kept = [
            said(&[("write", json!({ "path": "a.txt", "content": "Dear {{name}}" }))]),
            did("write", json!({})),
            said(&[("type", json!({ "ref": "e1", "text": "Ada" }))]),
            did("type", repeated(json!({ "type": { "label": "Name", "text": "Ada" } }), false, "")),
        ];
        let playbook = saved("Letter", &kept, &[]);
        let params = playbook.params_with(&BTreeMap::new()).unwrap();
        let steps: Vec<Value> =
            playbook.steps.iter().map(|step| serde_json::to_value(step.with_params(&params)).unwrap()).collect();
        assert_eq!(steps[0]["write"]["content"], "Dear {{name}}");
        assert_eq!(steps[1]["type"]["text"], "Ada");
    }

    #[test]
    fn a_takeover_is_asked_for_again_with_its_end_as_the_condition() {
        let handoff: Handoff = serde_json::from_value(json!({
            "requestId": "hof_1", "sandboxId": "sbx_1", "status": "completed", "reason": "custom", "message": "",
            "requestedBy": "dashboard", "requestedAt": 0, "updatedAt": 0,
            "receipt": {
                "heldMs": 5, "before": { "url": "https://a.example/login", "title": "Sign in" },
                "after": { "url": "https://a.example/home?x", "title": "Home" }, "tabsOpened": [], "tabsClosed": [],
                "signedInChanged": [], "fieldsTouched": ["User", "Password"], "filesArrived": [], "inputs": 12,
            },
        }))
        .unwrap();
        let told = json!({ "entry": "told", "text": "", "shown": [], "handoff": handoff.request_id });
        let playbook = saved("Sign in", &[told], &[handoff]);
        let [Step::Handoff(asked)] = playbook.steps.as_slice() else { panic!("{:?}", playbook.steps) };
        assert_eq!(asked.message, "Do your part at Sign in (User, Password), then hand back");
        assert_eq!(asked.until.as_ref().unwrap().url.as_deref(), Some("https://a.example/home"));
    }
}
