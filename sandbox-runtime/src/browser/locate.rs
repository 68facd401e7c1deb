//! Finding the element that a target means, in any frame, and waiting until it can be used.
//!
//! Owns the wait and the sentence of its failure: what was looked for, and what the page had instead.

use std::time::{Duration, Instant};

use sandbox_core::action::Target;
use serde::Deserialize;
use serde_json::Value;

use super::dialogs::Standing;
use super::error::ActionError;
use super::observe::{Place, Stale};
use super::page::{Frame, Page, THREW, argument};
use super::pipe::{CallError, Pass, Pipe};
use super::world::World;

/// Pauses between looks: quick at first, for most targets are there.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(20), Duration::from_millis(50), Duration::from_millis(100), Duration::from_millis(200)];
/// How many other elements a failure names.
const NAMED_INSTEAD: usize = 6;

/// What an element has to be, to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Visible, stable, enabled, and receiving clicks at the point that is returned.
    Click,
    /// As for a click, and writable.
    Type,
    /// Visible and stable.
    Look,
    /// Only there: file inputs are mostly hidden.
    Presence,
}

/// An element that was found; its handle lives until the next search in its frame.
#[derive(Clone, Debug)]
pub struct Located {
    pub frame: Frame,
    pub handle: u64,
    /// In CSS pixels of the tab.
    pub point: (f64, f64),
    /// The same point in its own frame.
    pub point_in_frame: (f64, f64),
    /// What of it is in view: left, top, right, bottom in CSS pixels of the tab. Absent where it was not looked at.
    pub covers: Option<[f64; 4]>,
    pub fitted: usize,
    /// It is a field for a password, a code or a card, or a person typed in it.
    pub secret: bool,
}

#[derive(Deserialize)]
struct Found {
    rank: u8,
    shown: bool,
    count: usize,
    handle: Option<u64>,
    #[serde(default)]
    secret: bool,
}

#[derive(Deserialize)]
struct Candidates {
    title: String,
    url: String,
    list: Vec<Candidate>,
    text: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    role: String,
    name: String,
    label: String,
    placeholder: String,
    test_id: String,
}

/// Why a look did not find what it looked for.
enum Miss {
    Nothing,
    Unready(String),
}

/// Waits until the target can be used as needed. `place` is the element that its reference means, if it has one.
pub async fn locate(
    pipe: &Pipe,
    world: &World,
    pass: &Pass,
    (target, place): (&Target, Option<&Place>),
    needs: Needs,
    deadline: Instant,
) -> Result<Located, ActionError> {
    let mut miss = Miss::Nothing;
    for pause in PAUSES.into_iter().chain(std::iter::repeat(PAUSES[3])) {
        // A page with an open dialog answers nothing; whoever answers dialogs runs beside us.
        let closed = world.wait_until(|state| state.active().is_none_or(|tab| tab.dialog.is_none()).then_some(()));
        let left = deadline.saturating_duration_since(Instant::now()).max(PAUSES[3]);
        if tokio::time::timeout(left, closed).await.is_err()
            && let Some(standing) = Standing::find(&world.state())
        {
            return Err(standing.error().into());
        }
        match look(pipe, world, pass, (target, place), needs).await {
            Ok(Ok(located)) => return Ok(located),
            Ok(Err(missed)) => miss = missed,
            Err(ActionError::Browser(super::BrowserError::Call(error))) if error.is_passing() => {
                if let CallError::Failed { code: THREW, message, .. } = &error
                    && message.starts_with("SyntaxError")
                {
                    let selector = target.selector.as_deref().unwrap_or_default();
                    return Err(ActionError::Invalid(format!("{selector:?} is not a CSS selector")));
                }
            }
            Err(ActionError::Browser(super::BrowserError::NoPage)) if Instant::now() < deadline => {}
            Err(error) => return Err(error),
        }
        if Instant::now() + pause >= deadline {
            break;
        }
        tokio::time::sleep(pause).await;
    }
    let target_said = target.to_string();
    match miss {
        Miss::Unready(why) => Err(ActionError::NotReady { target: target_said, why }),
        Miss::Nothing => {
            let instead = instead(pipe, world, pass, target).await?;
            Err(ActionError::NotFound { target: target_said, instead })
        }
    }
}

/// Whether the target is shown now.
pub async fn is_shown(
    pipe: &Pipe,
    world: &World,
    pass: &Pass,
    target: (&Target, Option<&Place>),
) -> Result<bool, ActionError> {
    let page = Page::active(pipe, world, pass.clone())?;
    let frames = page.frames().await?;
    let answers = page.ask_all(&frames, &find(target)).await?;
    Ok(answers.into_iter().flatten().any(|found| found["shown"] == true))
}

/// Writes the question for a target.
fn find((target, place): (&Target, Option<&Place>)) -> String {
    let reference = place.map(Place::in_script);
    format!("baton.find({})", argument(&Target { reference, ..target.clone() }))
}

async fn look(
    pipe: &Pipe,
    world: &World,
    pass: &Pass,
    target: (&Target, Option<&Place>),
    needs: Needs,
) -> Result<Result<Located, Miss>, ActionError> {
    let page = Page::active(pipe, world, pass.clone())?;
    let frames = page.frames().await?;
    let answers = page.ask_all(&frames, &find(target)).await?;
    if let (Some(reference), true) = (&target.0.reference, answers.iter().all(Option::is_some)) {
        // An element that is gone does not come back: there is nothing to wait for.
        if !answers.iter().flatten().any(|found| found["handle"].is_u64()) {
            return Err(ActionError::OldReference(reference.clone(), Stale::ElementGone));
        }
    }
    let found = answers.into_iter().zip(&frames).filter_map(|(answer, frame)| {
        let found: Found = serde_json::from_value(answer?).ok()?;
        Some((found.handle?, found, frame))
    });
    // The best fit that is shown, the outermost and first of equals.
    let best =
        found.reduce(|best, next| if (next.1.shown, next.1.rank) > (best.1.shown, best.1.rank) { next } else { best });
    let Some((handle, found, frame)) = best else { return Ok(Err(Miss::Nothing)) };
    let Found { count: fitted, secret, .. } = found;
    let located = |point, point_in_frame, covers| Located {
        frame: frame.clone(),
        handle,
        point,
        point_in_frame,
        covers,
        fitted,
        secret,
    };
    let needed = match needs {
        Needs::Presence => return Ok(Ok(located((0.0, 0.0), (0.0, 0.0), None))),
        Needs::Click => "click",
        Needs::Type => "type",
        Needs::Look => "look",
    };
    let ready = page.ask(frame, &format!("baton.ready({handle}, {needed:?})")).await?;
    if let Some(why) = ready["why"].as_str() {
        return Ok(Err(Miss::Unready(format!("it is {why}"))));
    }
    let (Some(x), Some(y)) = (ready["x"].as_f64(), ready["y"].as_f64()) else { return Ok(Err(Miss::Nothing)) };
    let through = if needs == Needs::Look { "look" } else { "click" };
    Ok(match page.to_tab(&frames, frame, (x, y), through).await? {
        Ok(point) => Ok(located(point, (x, y), covers(&ready["box"], (point.0 - x, point.1 - y)))),
        Err(why) => Err(Miss::Unready(format!("its frame is {why}"))),
    })
}

/// Returns the box that the page says an element has, moved from its frame into the tab.
fn covers(said: &Value, (dx, dy): (f64, f64)) -> Option<[f64; 4]> {
    let side = |name: &str, by: f64| said[name].as_f64().map(|at| at + by);
    Some([side("left", dx)?, side("top", dy)?, side("right", dx)?, side("bottom", dy)?])
}

/// Says what the page had instead.
async fn instead(pipe: &Pipe, world: &World, pass: &Pass, target: &Target) -> Result<String, ActionError> {
    let page = Page::active(pipe, world, pass.clone())?;
    if let Some(cause) = &page.tab.failed {
        return Ok(format!("{} could not be opened: {cause}", page.tab.told_url()));
    }
    let Ok(frames) = page.frames().await else { return Ok("the page does not answer".to_owned()) };
    let answers = match page.ask_all(&frames, "baton.candidates()").await {
        Ok(answers) => answers,
        Err(CallError::Refused(refused)) => return Err(refused.into()),
        Err(_) => return Ok("the page does not answer".to_owned()),
    };
    let frames: Vec<Candidates> =
        answers.into_iter().flatten().filter_map(|answer: Value| serde_json::from_value(answer).ok()).collect();
    let Some(main) = frames.first() else { return Ok("the page does not answer".to_owned()) };
    let mut had: Vec<String> = Vec::new();
    let mut candidates: Vec<&Candidate> = frames.iter().flat_map(|frame| &frame.list).collect();
    candidates.sort_by_key(|candidate| std::cmp::Reverse(nearness(candidate, target)));
    for candidate in candidates {
        let said = say(candidate, target);
        if !had.contains(&said) {
            had.push(said);
        }
    }
    let more = had.len().saturating_sub(NAMED_INSTEAD);
    had.truncate(NAMED_INSTEAD);
    let page = format!("the page {:?} ({})", main.title, main.url);
    let mut sentence = match (had.is_empty(), more) {
        (true, _) => format!("{page} has nothing to click or fill in"),
        (false, 0) => format!("{page} has {}", had.join(", ")),
        (false, more) => format!("{page} has {} and {more} more", had.join(", ")),
    };
    if (target.text.is_some() || had.is_empty()) && !main.text.is_empty() {
        sentence.push_str(&format!("; it reads {:?}", main.text));
    }
    Ok(sentence)
}

fn say(candidate: &Candidate, target: &Target) -> String {
    let Candidate { role, name, label, placeholder, test_id } = candidate;
    if target.test_id.is_some() && !test_id.is_empty() {
        return format!("test id {test_id:?}");
    }
    if target.label.is_some() && !label.is_empty() {
        return format!("field labelled {label:?}");
    }
    if target.placeholder.is_some() && !placeholder.is_empty() {
        return format!("placeholder {placeholder:?}");
    }
    if name.is_empty() { format!("{role} without a name") } else { format!("{role} {name:?}") }
}

/// How near a candidate comes to what was looked for; more is nearer.
fn nearness(candidate: &Candidate, target: &Target) -> usize {
    let pairs = [
        (&candidate.name, &target.name),
        (&candidate.name, &target.text),
        (&candidate.label, &target.label),
        (&candidate.placeholder, &target.placeholder),
        (&candidate.test_id, &target.test_id),
    ];
    let words: usize = pairs.iter().filter_map(|(has, wanted)| Some(alike(has, wanted.as_ref()?))).sum();
    let role = usize::from(target.role.as_ref().is_some_and(|role| *role == candidate.role));
    words + 40 * role
}

/// Letter pairs that two texts share, in per cent of what both have (Dice's coefficient).
fn alike(a: &str, b: &str) -> usize {
    let pairs = |text: &str| {
        let letters: Vec<char> = text.to_lowercase().chars().collect();
        letters.windows(2).map(|pair| (pair[0], pair[1])).collect::<Vec<_>>()
    };
    let (a, mut b) = (pairs(a), pairs(b));
    let total = a.len() + b.len();
    let mut shared: usize = 0;
    for pair in a {
        if let Some(index) = b.iter().position(|other| *other == pair) {
            b.swap_remove(index);
            shared += 2;
        }
    }
    (shared * 100).checked_div(total).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_candidate_has_the_role_and_most_of_the_letters() {
        let candidate = |role: &str, name: &str| Candidate {
            role: role.into(),
            name: name.into(),
            label: String::new(),
            placeholder: String::new(),
            test_id: String::new(),
        };
        let target = Target { role: Some("button".into()), name: Some("Downlaod".into()), ..Target::default() };
        let mut candidates = [
            candidate("link", "Help"),
            candidate("button", "Save"),
            candidate("link", "Downloads"),
            candidate("button", "Download"),
        ];
        candidates.sort_by_key(|candidate| std::cmp::Reverse(nearness(candidate, &target)));
        let names: Vec<_> = candidates.iter().map(|candidate| say(candidate, &target)).collect();
        assert_eq!(names[0], "button \"Download\"");
        assert_eq!(names[3], "link \"Help\"");
    }
}
