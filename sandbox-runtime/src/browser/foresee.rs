//! Looking at what an action would do, without doing it: the element's words, its form's method, destination and fields.

use std::time::Instant;

use sandbox_core::action::{Action, AnswerDialog, DialogAnswer, Target};
use sandbox_core::approval::judge::Foreseen;

use super::address::with_scheme;
use super::error::{ActionError, BrowserError};
use super::locate::{Needs, locate};
use super::page::Page;
use super::pipe::Pass;
use super::{Shared, dialogs, sign_in};

/// Returns what the action would do, or `None` for one that sends nothing anywhere by itself.
///
/// Waits for the action's target as the action itself would.
pub async fn foresee(
    shared: &Shared,
    pass: Pass,
    action: &Action,
    deadline: Instant,
) -> Result<Option<Foreseen>, ActionError> {
    let page_url = shared.place().0;
    if let Action::Dialog(answer) = action {
        return Ok(of_dialog(shared, page_url, answer));
    }
    if !matches!(pass, Pass::Look(_)) {
        dialogs::clear_standing(&shared.world, &shared.pipe, &pass).await?;
    }
    match action {
        Action::Navigate(navigate) => to(page_url, navigate.url()),
        Action::NewTab(tab) => tab.url.as_deref().map_or(Ok(None), |url| to(page_url, url)),
        Action::Click(_) | Action::DoubleClick(_) | Action::Download(_) => {
            let Some(target) = action.target() else { return Ok(None) };
            of_target(shared, pass, &target, Needs::Click, "foresee", deadline).await.map(Some)
        }
        Action::Press(press) if press.key().eq_ignore_ascii_case("enter") => match action.target() {
            Some(target) => of_target(shared, pass, &target, Needs::Look, "foreseeEnter", deadline).await.map(Some),
            None => of_focus(shared, pass).await.map(Some),
        },
        Action::SignIn(wanted) => sign_in::foresee(shared, pass, wanted, deadline).await,
        Action::Press(_)
        | Action::Back(_)
        | Action::Forward(_)
        | Action::Reload(_)
        | Action::Hover(_)
        | Action::Drag(_)
        | Action::Type(_)
        | Action::Select(_)
        | Action::Scroll(_)
        | Action::WaitFor(_)
        | Action::Expect(_)
        | Action::Extract(_)
        | Action::Upload(_)
        | Action::ActivateTab(_)
        | Action::CloseTab(_)
        | Action::Dialog(_)
        | Action::Tabs(_)
        | Action::Screenshot(_)
        | Action::Look(_)
        | Action::Find(_) => Ok(None),
    }
}

/// To accept what a page asks may be what cannot be undone; its words are the dialog's.
fn of_dialog(shared: &Shared, page: String, answer: &AnswerDialog) -> Option<Foreseen> {
    let standing = dialogs::Standing::find(&shared.world.state())?;
    let asks = answer.answer() == DialogAnswer::Accept && standing.dialog.kind != "alert";
    asks.then(|| Foreseen { words: standing.dialog.message, page, ..Foreseen::default() })
}

fn to(page: String, address: &str) -> Result<Option<Foreseen>, ActionError> {
    let destination = Some(with_scheme(address)?);
    let method = Some("GET".to_owned());
    Ok(Some(Foreseen { is_link: true, method, destination, page, ..Foreseen::default() }))
}

async fn of_target(
    shared: &Shared,
    pass: Pass,
    target: &Target,
    needs: Needs,
    question: &str,
    deadline: Instant,
) -> Result<Foreseen, ActionError> {
    let place = target.reference.as_ref().map(|reference| shared.named(reference)).transpose()?;
    let aim = (target, place.as_ref());
    let located = locate(&shared.pipe, &shared.world, &pass, aim, needs, deadline).await?;
    let page = Page::active(&shared.pipe, &shared.world, pass)?;
    let seen = page.ask(&located.frame, &format!("baton.{question}(baton.element({}))", located.handle)).await?;
    read(seen)
}

/// Enter goes to whatever has the focus, in whichever frame.
async fn of_focus(shared: &Shared, pass: Pass) -> Result<Foreseen, ActionError> {
    let page = Page::active(&shared.pipe, &shared.world, pass)?;
    let frames = page.frames().await?;
    let answers = page.ask_all(&frames, "baton.foreseeFocus()").await?;
    let focused = answers.into_iter().flatten().rfind(|seen| !seen.is_null());
    focused.map_or_else(|| Ok(Foreseen::default()), read)
}

fn read(seen: serde_json::Value) -> Result<Foreseen, ActionError> {
    serde_json::from_value(seen).map_err(|error| {
        let method = "Runtime.evaluate".to_owned();
        BrowserError::Call(super::CallError::Reply { method, cause: error.to_string() }).into()
    })
}

/// Says for each value whether a person typed it into a page that is open: the page script compares, and tells no value.
///
/// # Errors
///
/// The page cannot be asked; then nothing is known of any of them.
pub async fn typed_by_person(shared: &Shared, values: &[String]) -> Result<Vec<bool>, BrowserError> {
    let page = Page::active(&shared.pipe, &shared.world, Pass::Bookkeeping)?;
    let frames = page.frames().await?;
    let question = format!("baton.typedByPerson({})", super::page::argument(&values));
    let answers = page.ask_all(&frames, &question).await?;
    let mut typed = vec![false; values.len()];
    for answer in answers.into_iter().flatten() {
        let told: Vec<bool> = serde_json::from_value(answer).unwrap_or_else(|_| vec![true; values.len()]);
        typed.iter_mut().zip(told).for_each(|(typed, told)| *typed |= told);
    }
    Ok(typed)
}
