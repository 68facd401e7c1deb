//! The active tab as a set of frames, and the page script in each.
//!
//! Owns asking the script in the frames' isolated worlds and mapping points of a frame to the tab.
//! Frames of the same process share their parent's session; frames of other processes have one of their own.

use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use serde_json::{Value, json};

use super::error::BrowserError;
use super::pipe::{CallError, Pass, Pipe};
use super::tab::Tab;
use super::world::{FrameSession, PAGE_SCRIPT, World};

/// Frames of one tab that are looked at; advertisements can bring hundreds.
const MAX_FRAMES: usize = 100;
/// How long one frame may take to answer a question; a frame that hangs does not hang the others.
const FRAME_DEADLINE: Duration = Duration::from_secs(5);

/// The active tab, seen under one right.
pub struct Page<'a> {
    pipe: &'a Pipe,
    world: &'a World,
    pub pass: Pass,
    pub tab: Tab,
    sessions: Vec<FrameSession>,
}

/// One document in the tab.
#[derive(Clone, Debug)]
pub struct Frame {
    pub session: String,
    pub id: String,
    /// The isolated world of this document.
    context: i64,
    /// Its lasting name: another process gives the same number to another document.
    unique: String,
    parent: Option<String>,
}

impl Frame {
    /// Returns the number of the page script's world in this document.
    pub fn context(&self) -> i64 {
        self.context
    }
}

impl<'a> Page<'a> {
    /// Takes the tab in front.
    pub fn active(pipe: &'a Pipe, world: &'a World, pass: Pass) -> Result<Self, BrowserError> {
        let state = world.state();
        let tab = state.active().cloned().ok_or(BrowserError::NoPage)?;
        if tab.crashed {
            return Err(BrowserError::Crashed);
        }
        let sessions = state.sessions_of(&tab);
        Ok(Self { pipe, world, pass, tab, sessions })
    }

    /// Takes a tab by its record.
    pub fn of(pipe: &'a Pipe, world: &'a World, tab: Tab, pass: Pass) -> Self {
        let sessions = world.state().sessions_of(&tab);
        Self { pipe, world, pass, tab, sessions }
    }

    /// Whether no frame of the tab lives in another process.
    pub fn is_one_process(&self) -> bool {
        self.sessions.len() == 1
    }

    /// Sends a command to the tab's own session.
    pub async fn call(&self, method: &str, params: Value) -> Result<Value, CallError> {
        self.pipe.call(&self.pass, Some(&self.tab.session), method, params).await
    }

    /// Lists the frames, the tab's main frame first, each before those inside it.
    ///
    /// # Errors
    ///
    /// If the main frame cannot be asked. Another frame that goes away meanwhile is left out.
    pub async fn frames(&self) -> Result<Vec<Frame>, CallError> {
        let trees = self.sessions.iter().map(|session| async move {
            let tree = self.pipe.call_within(
                FRAME_DEADLINE,
                &self.pass,
                Some(&session.session),
                "Page.getFrameTree",
                json!({}),
            );
            let mut documents = Vec::new();
            flatten(&tree.await?["frameTree"], session.parent_frame.as_deref(), &mut documents);
            Ok::<_, CallError>(
                documents.into_iter().map(|(id, parent)| (session.session.clone(), id, parent)).collect(),
            )
        });
        let mut documents: Vec<(String, String, Option<String>)> = Vec::new();
        for (index, tree) in join_all(trees).await.into_iter().enumerate() {
            match tree {
                Ok(mut frames) => documents.append(&mut frames),
                Err(error) if index == 0 || !error.is_passing() => return Err(error),
                Err(_) => {}
            }
        }
        // A frame that moved to a process of its own is told by both for a moment; its own session is right.
        let owned: Vec<String> = self.sessions.iter().skip(1).map(|session| session.root.clone()).collect();
        let is_stale = |session: &str, id: &str| {
            owned.iter().any(|root| root == id)
                && !self.sessions.iter().any(|own| own.session == session && own.root == id)
        };
        documents.retain(|(session, id, _)| !is_stale(session, id));
        documents.truncate(MAX_FRAMES);
        let worlds = documents.into_iter().map(|(session, id, parent)| async move {
            let params = json!({ "frameId": id, "worldName": self.world.script_world });
            let method = "Page.createIsolatedWorld";
            let made = self.pipe.call_within(FRAME_DEADLINE, &self.pass, Some(&session), method, params);
            let context = made.await?["executionContextId"].as_i64().unwrap_or_default();
            let state = self.world.state();
            let Some(known) = state.documents.context(&session, context).filter(|known| known.frame == id) else {
                let (method, message) = (method.to_owned(), "the document went away".to_owned());
                return Err(CallError::Failed { method, code: 0, message });
            };
            Ok(Frame { session, id, context, unique: known.unique.clone(), parent })
        });
        let mut frames = Vec::new();
        for (index, frame) in join_all(worlds).await.into_iter().enumerate() {
            match frame {
                Ok(frame) => frames.push(frame),
                Err(error @ (CallError::Refused(_) | CallError::Closed)) => return Err(error),
                Err(error) if index == 0 => return Err(error),
                Err(_) => {}
            }
        }
        Ok(frames)
    }

    /// Evaluates an expression of the page script in a frame and returns its value, awaiting a promise.
    pub async fn ask(&self, frame: &Frame, expression: &str) -> Result<Value, CallError> {
        let guarded = format!("typeof baton === 'object' ? ({expression}) : '{MISSING}'");
        let value = self.evaluate(frame, &guarded, true).await?["value"].take();
        if value != MISSING {
            return Ok(value);
        }
        // The document was there before we were.
        self.evaluate(frame, PAGE_SCRIPT, true).await?;
        Ok(self.evaluate(frame, &guarded, true).await?["value"].take())
    }

    /// Evaluates an expression to an object of the page, and returns its id.
    pub async fn object(&self, frame: &Frame, expression: &str) -> Result<Option<String>, CallError> {
        let object = self.evaluate(frame, expression, false).await?;
        Ok(object["objectId"].as_str().map(str::to_owned))
    }

    /// Calls a function in the page script's world of a frame. The argument is in no script's source, so that it may be secret.
    pub async fn call_in(&self, frame: &Frame, function: &str, argument: Value) -> Result<Value, CallError> {
        let params = json!({
            "functionDeclaration": function,
            "uniqueContextId": frame.unique,
            "arguments": [{ "value": argument }],
            "returnByValue": true,
            "awaitPromise": true,
        });
        let (session, method) = (Some(frame.session.as_str()), "Runtime.callFunctionOn");
        let mut reply = self.pipe.call_within(FRAME_DEADLINE, &self.pass, session, method, params).await?;
        if reply.get("exceptionDetails").is_some() {
            // What it threw may say what it was given.
            let message = "the page script threw".to_owned();
            return Err(CallError::Failed { method: method.to_owned(), code: THREW, message });
        }
        Ok(reply["result"]["value"].take())
    }

    /// Asks every frame at once; `None` where a frame went away or hangs.
    ///
    /// # Errors
    ///
    /// If the main frame cannot be asked, or the right is gone.
    pub async fn ask_all(&self, frames: &[Frame], expression: &str) -> Result<Vec<Option<Value>>, CallError> {
        let answers = join_all(frames.iter().map(|frame| self.ask(frame, expression))).await;
        let mut values = Vec::new();
        for (index, answer) in answers.into_iter().enumerate() {
            match answer {
                Ok(value) => values.push(Some(value)),
                Err(error @ (CallError::Refused(_) | CallError::Closed)) => return Err(error),
                Err(error) if index == 0 => return Err(error),
                Err(_) => values.push(None),
            }
        }
        Ok(values)
    }

    /// Maps a point of a frame to the tab; `Ok(Err(why))` when something lies over the frame there.
    /// `needs` is `click`, `look`, or `map` for the place alone.
    pub async fn to_tab(
        &self,
        frames: &[Frame],
        frame: &Frame,
        point: (f64, f64),
        needs: &str,
    ) -> Result<Result<(f64, f64), String>, CallError> {
        let mut point = point;
        let mut inner = frame;
        while let Some(parent) = &inner.parent {
            let Some(outer) = frames.iter().find(|frame| frame.id == *parent) else {
                return Ok(Err("its frame went away".to_owned()));
            };
            let arguments = json!([{ "value": point.0 }, { "value": point.1 }, { "value": needs }]);
            let through = "function (x, y, needs) { return baton.through(this, x, y, needs) }";
            let mapped = self.ask_owner(outer, inner, through, arguments).await?;
            if let Some(why) = mapped["why"].as_str() {
                return Ok(Err(why.to_owned()));
            }
            let (Some(x), Some(y)) = (mapped["x"].as_f64(), mapped["y"].as_f64()) else {
                return Ok(Err("its frame has no place on the page".to_owned()));
            };
            point = (x, y);
            inner = outer;
        }
        Ok(Ok(point))
    }

    /// Returns which frame holds this one, and the number of its element there; `None` for the main frame.
    pub async fn owner(&self, frames: &[Frame], frame: &Frame) -> Option<(usize, u64)> {
        let parent = frame.parent.as_ref()?;
        let outer = frames.iter().position(|frame| frame.id == *parent)?;
        let number = "function () { return baton.numberOf(this) }";
        // A frame that goes away meanwhile stands nowhere.
        let number = self.ask_owner(&frames[outer], frame, number, json!([])).await.ok()?;
        Some((outer, number.as_u64()?))
    }

    /// Calls a function on the element of `outer` that holds the frame `inner`.
    async fn ask_owner(&self, outer: &Frame, inner: &Frame, function: &str, given: Value) -> Result<Value, CallError> {
        let session = Some(outer.session.as_str());
        let owner = self.pipe.call(&self.pass, session, "DOM.getFrameOwner", json!({ "frameId": inner.id })).await?;
        let node = json!({ "backendNodeId": owner["backendNodeId"], "executionContextId": outer.context });
        let element = self.pipe.call(&self.pass, session, "DOM.resolveNode", node).await?;
        let call = json!({
            "objectId": element["object"]["objectId"],
            "functionDeclaration": function,
            "arguments": given,
            "returnByValue": true,
        });
        let mut answer = self.pipe.call(&self.pass, session, "Runtime.callFunctionOn", call).await?;
        Ok(answer["result"]["value"].take())
    }

    /// Maps a rectangle (left, top, right, bottom) of a frame to the tab.
    pub async fn box_to_tab(&self, frames: &[Frame], frame: &Frame, corners: [f64; 4]) -> Result<[f64; 4], String> {
        let [left, top, right, bottom] = corners;
        let map = |point| self.to_tab(frames, frame, point, "map");
        let mapped = try_join_all([map((left, top)), map((right, bottom))]).await.map_err(|error| error.to_string())?;
        let [first, second] = mapped.try_into().map_err(|_| "a corner is missing".to_owned())?;
        let ((left, top), (right, bottom)) = (first?, second?);
        Ok([left, top, right, bottom])
    }

    async fn evaluate(&self, frame: &Frame, expression: &str, by_value: bool) -> Result<Value, CallError> {
        let params = json!({
            "expression": expression,
            "uniqueContextId": frame.unique,
            "returnByValue": by_value,
            "awaitPromise": by_value,
        });
        let call = self.pipe.call_within(FRAME_DEADLINE, &self.pass, Some(&frame.session), "Runtime.evaluate", params);
        let mut reply = match call.await {
            // A hanging frame is a frame that does not answer, not a browser that does not.
            Err(CallError::Deadline { method, .. }) => {
                let message = "the page does not answer".to_owned();
                return Err(CallError::Failed { method, code: 0, message });
            }
            other => other?,
        };
        if let Some(thrown) = reply.get("exceptionDetails") {
            let exception = &thrown["exception"];
            let message = exception["description"].as_str().or(thrown["text"].as_str()).unwrap_or("it threw");
            let message = message.lines().next().unwrap_or_default().to_owned();
            return Err(CallError::Failed { method: "Runtime.evaluate".to_owned(), code: THREW, message });
        }
        Ok(reply["result"].take())
    }
}

/// Code of a [`CallError::Failed`] that tells of an exception in the page script.
pub const THREW: i64 = 1;
/// What a document without the page script answers.
const MISSING: &str = "baton is missing";

/// Writes a value as an argument in an expression.
pub fn argument(value: &impl serde::Serialize) -> String {
    // U+2028 and U+2029 are fine in strings since ES2019: JSON is a subset of JavaScript.
    serde_json::to_string(value).expect("arguments are plain data")
}

fn flatten(tree: &Value, parent: Option<&str>, into: &mut Vec<(String, Option<String>)>) {
    let Some(id) = tree["frame"]["id"].as_str() else { return };
    into.push((id.to_owned(), parent.map(str::to_owned)));
    for child in tree["childFrames"].as_array().into_iter().flatten() {
        flatten(child, Some(id), into);
    }
}
