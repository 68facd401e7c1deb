//! What the model is offered, and reading what it wants of that.

use sandbox_core::action::{Action, Tool};
use sandbox_core::event::ToldStep;
use sandbox_core::work::Work;
use serde_json::Value;

/// One thing that the model wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    Browser(Action),
    Work(Work),
}

/// Returns the tools: those of the browser only where there is one.
pub fn offered(has_browser: bool) -> Vec<Tool> {
    let mut tools = if has_browser { Action::tools() } else { Vec::new() };
    tools.extend(Work::tools().into_iter().filter(|tool| has_browser || tool.name != "handoff"));
    tools
}

impl Call {
    /// Reads a tool's use.
    ///
    /// # Errors
    ///
    /// What is wrong with it, for the model to act on.
    pub fn read(name: &str, input: &Value) -> Result<Self, String> {
        if input.is_string() {
            return Err(format!("`{name}`: its arguments are no JSON object; write them again, as one"));
        }
        if Work::NAMES.contains(&name) {
            return Work::from_tool(name, input.clone()).map(Self::Work);
        }
        if Action::NAMES.contains(&name) {
            return Action::from_tool(name, input.clone()).map(Self::Browser);
        }
        let known: Vec<&str> = Action::NAMES.iter().chain(&Work::NAMES).copied().collect();
        Err(format!("there is no tool `{name}`; there are {}", known.join(", ")))
    }

    /// Returns what is wanted, for the story.
    pub fn told(&self) -> ToldStep {
        match self {
            Self::Browser(action) => sandbox_core::playbook::Step::Browser(action.clone()).told(),
            Self::Work(work) => work.told(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_tool_that_is_offered_is_understood_and_no_name_is_offered_twice() {
        let tools = offered(true);
        let mut names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
        names.sort_unstable();
        let n_names = names.len();
        names.dedup();
        assert_eq!(names.len(), n_names);
        for name in names {
            let unknown = format!("there is no tool `{name}`");
            assert!(!Call::read(name, &json!({})).is_err_and(|error| error.contains(&unknown)), "{name}");
        }
        assert!(offered(false).iter().all(|tool| tool.name != "click" && tool.name != "handoff"));
    }

    #[test]
    fn a_call_that_cannot_be_read_says_how_to_mend_it() {
        let error = Call::read("clack", &json!({})).unwrap_err();
        assert!(error.contains("`clack`") && error.contains("click") && error.contains("done"), "{error}");
        let error = Call::read("click", &json!("{\"ref\": \"e1")).unwrap_err();
        assert!(error.contains("JSON object"), "{error}");
    }
}
