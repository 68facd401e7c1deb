//! What happens, as it happens: server-sent events for programs, the same over a WebSocket for pages.

use axum::Json;
use axum::extract::{Request, State};
use axum::response::Response;
use futures_util::{Stream, StreamExt};
use sandbox_core::event::{Event, EventType};
use sandbox_core::model::Page;
use sandbox_core::{EventId, SandboxId};
use serde::Deserialize;
use tokio::sync::broadcast::{self, error::RecvError};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ApiError, Refusals};
use crate::api::extract::{InPath, Query};
use crate::api::following::{self, Told};
use crate::api::lists::limited;
use crate::store::{EventFilter, Store};

/// Events that are read from history at once.
const BATCH: usize = 200;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(follow)).routes(routes!(of_sandbox))
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FollowQuery {
    sandbox_id: Option<String>,
    /// Event types, separated by commas.
    types: Option<String>,
    /// Start after the event with this id, like `Last-Event-ID`. Default: start with new events.
    after: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Event types, separated by commas.
    types: Option<String>,
    /// Only events after the event with this id.
    after: Option<String>,
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// The same as `after`: `nextCursor` of the previous page.
    cursor: Option<String>,
}

/// Follows events as server-sent events. A WebSocket request gets one event per message.
#[utoipa::path(get, path = "/v1/events", tag = "events", operation_id = "followEvents",
    params(FollowQuery, ("Last-Event-ID" = Option<String>, Header)),
    responses((status = 200, body = String, content_type = "text/event-stream"),
        (status = 101, description = "WebSocket: each text message is one `Event`"), Refusals))]
async fn follow(
    State(api): State<Api>,
    Query(query): Query<FollowQuery>,
    request: Request,
) -> Result<Response, ApiError> {
    let last_seen = request.headers().get("last-event-id").and_then(|value| value.to_str().ok()).map(str::trim);
    let after = last_seen.filter(|id| !id.is_empty()).map(str::to_owned).or(query.after);
    let mut filter = EventFilter {
        sandbox_id: query.sandbox_id.map(SandboxId),
        task_id: None,
        types: types(query.types.as_deref())?,
        after: after.map(EventId),
    };
    let store = api.service().store().clone();
    let published = store.subscribe();
    if filter.after.is_some() {
        // An id that is not in the history is refused now; later there would be no status left to say so.
        store.events(filter.clone(), 1).await?;
    } else {
        // What is new begins here: a reader that lags before it has seen anything loses nothing either.
        filter.after = store.newest_event().await?;
    }
    let closing = api.closing().clone();
    let events = followed(store, filter, published).take_until(closing.cancelled_owned());
    following::answer(request, Box::pin(events.map(|event| told(&event)))).await
}

/// Lists the events of a sandbox, oldest first.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/events", tag = "events", operation_id = "listSandboxEvents",
    params(("id" = String, Path), ListQuery), responses((status = 200, body = Page<Event>), Refusals))]
async fn of_sandbox(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Event>>, ApiError> {
    let limit = limited(query.limit)?;
    let types = types(query.types.as_deref())?;
    api.service().sandbox(&id).await?;
    let after = query.cursor.or(query.after).map(EventId);
    let filter = EventFilter { sandbox_id: Some(id), task_id: None, types, after };
    let data = api.service().store().events(filter, limit).await?;
    let next_cursor = data.last().filter(|_| data.len() == limit).map(|event| event.id.to_string());
    Ok(Json(Page { data, next_cursor }))
}

/// Reads `a,b`; an unknown type is refused, not ignored.
fn types(names: Option<&str>) -> Result<Vec<EventType>, ApiError> {
    let names = names.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
    names
        .map(|name| {
            let read = serde_json::from_value(serde_json::Value::String(name.to_owned()));
            read.map_err(|_| ApiError::invalid(format!("there is no event type `{name}`")))
        })
        .collect()
}

fn told(event: &Event) -> Told {
    // An event is plain data, which always has a JSON form.
    let data = serde_json::to_string(event).unwrap_or_default();
    Told { id: Some(event.id.to_string()), kind: event.data.kind().to_owned(), data }
}

/// Every event that the filter lets through, in the order of commits, none twice, none left out.
///
/// What is published only says that there is something new; what is sent is read from history after the last one sent, so
/// that a slow reader loses nothing.
fn followed(store: Store, filter: EventFilter, published: broadcast::Receiver<Event>) -> impl Stream<Item = Event> {
    let following = Following { store, filter, published, batch: Vec::new().into_iter(), may_have_more: true };
    futures_util::stream::unfold(following, |mut following| async move {
        let event = following.next().await?;
        Some((event, following))
    })
}

struct Following {
    store: Store,
    /// `after` is the last event sent, or the one to begin after; `None` for the beginning of the history.
    filter: EventFilter,
    published: broadcast::Receiver<Event>,
    batch: std::vec::IntoIter<Event>,
    may_have_more: bool,
}

impl Following {
    /// Returns the next event; `None` when the store is closed.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.batch.next() {
                self.filter.after = Some(event.id.clone());
                return Some(event);
            }
            if self.may_have_more {
                let batch = match self.store.events(self.filter.clone(), BATCH).await {
                    Ok(batch) => batch,
                    Err(error) => {
                        // The reader comes back with the last id it saw.
                        tracing::warn!(%error, "an event stream was cut off");
                        return None;
                    }
                };
                self.may_have_more = batch.len() == BATCH;
                self.batch = batch.into_iter();
                continue;
            }
            match self.published.recv().await {
                Ok(event) if !self.lets_through(&event) => {}
                Ok(_) | Err(RecvError::Lagged(_)) => self.may_have_more = true,
                Err(RecvError::Closed) => return None,
            }
        }
    }

    fn lets_through(&self, event: &Event) -> bool {
        let EventFilter { sandbox_id, task_id, types, after: _ } = &self.filter;
        sandbox_id.as_ref().is_none_or(|id| *id == event.sandbox_id)
            && task_id.as_ref().is_none_or(|id| Some(id) == event.task_id.as_ref())
            && (types.is_empty() || event.data.event_type().is_some_and(|kind| types.contains(&kind)))
    }
}
