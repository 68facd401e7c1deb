//! Tasks: starting, watching, cancelling.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures_util::StreamExt;
use sandbox_core::event::Event;
use sandbox_core::model::{Actor, Page, Task, TaskRequest, TaskStatus};
use sandbox_core::{EventId, SandboxId, TaskId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ApiError, Refusals};
use crate::api::extract::{Body, InPath, Query};
use crate::api::following::{self, Told};
use crate::api::guard::Caller;
use crate::api::lists::{limited, page};
use crate::store::{EventFilter, TaskFilter};

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(start))
        .routes(routes!(prompt))
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(playbook))
        .routes(routes!(cancel))
        .routes(routes!(write))
        .routes(routes!(listen))
        .routes(routes!(events))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Started {
    task_id: TaskId,
}

/// A message for the agent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Message {
    text: String,
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    sandbox_id: Option<String>,
    status: Option<TaskStatus>,
    /// Words, or parts of words, of the task.
    q: Option<String>,
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EventsQuery {
    /// Only events after this one, named by `id` or `seq`.
    after: Option<String>,
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// The same as `after`: `nextCursor` of the previous page.
    cursor: Option<String>,
}

/// Starts a task from a `prompt` or a `playbook`. Returns at once.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/tasks", tag = "tasks and handoff", operation_id = "promptAsync",
    params(("id" = String, Path)), request_body = TaskRequest, responses((status = 202, body = Started), Refusals))]
async fn start(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Body(request): Body<TaskRequest>,
) -> Result<(StatusCode, Json<Started>), ApiError> {
    let task_id = api.service().start_task(&id, request).await?;
    Ok((StatusCode::ACCEPTED, Json(Started { task_id })))
}

/// Starts a task and returns when it has ended. If the connection is closed, the task continues.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/prompt", tag = "tasks and handoff", operation_id = "prompt",
    params(("id" = String, Path)), request_body = TaskRequest, responses((status = 200, body = Task), Refusals))]
async fn prompt(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Body(request): Body<TaskRequest>,
) -> Result<Json<Task>, ApiError> {
    let task_id = api.service().start_task(&id, request).await?;
    Ok(Json(api.service().task_ended(&task_id).await?))
}

/// Lists tasks, newest first.
#[utoipa::path(get, path = "/v1/tasks", tag = "tasks and handoff", operation_id = "listTasks", params(ListQuery),
    responses((status = 200, body = Page<Task>), Refusals))]
async fn list(State(api): State<Api>, Query(query): Query<ListQuery>) -> Result<Json<Page<Task>>, ApiError> {
    let filter = TaskFilter { sandbox_id: query.sandbox_id.map(SandboxId), status: query.status, q: query.q };
    Ok(Json(api.service().store().tasks(filter, page(query.limit, query.cursor)?).await?))
}

/// Returns one task.
#[utoipa::path(get, path = "/v1/tasks/{taskId}", tag = "tasks and handoff", operation_id = "getTask",
    params(("taskId" = String, Path)), responses((status = 200, body = Task), Refusals))]
async fn get(State(api): State<Api>, InPath(id): InPath<TaskId>) -> Result<Json<Task>, ApiError> {
    Ok(Json(api.service().task(&id).await?))
}

/// Returns a task that is over as a playbook, which does the same without a model. What was typed becomes parameters; what
/// was typed into a field for a password or a code has no default, and what a person did is asked for again.
#[utoipa::path(get, path = "/v1/tasks/{taskId}/playbook", tag = "tasks and handoff", operation_id = "getTaskPlaybook",
    params(("taskId" = String, Path)),
    responses((status = 200, body = String, content_type = "application/yaml"), Refusals))]
async fn playbook(State(api): State<Api>, InPath(id): InPath<TaskId>) -> Result<Response, ApiError> {
    let text = api.service().saved_playbook(&id).await?;
    Ok(([(header::CONTENT_TYPE, "application/yaml")], text).into_response())
}

/// Cancels a task that has not ended.
#[utoipa::path(post, path = "/v1/tasks/{taskId}/cancel", tag = "tasks and handoff", operation_id = "cancelTask",
    params(("taskId" = String, Path)), responses((status = 200, body = Task), Refusals))]
async fn cancel(State(api): State<Api>, InPath(id): InPath<TaskId>) -> Result<Json<Task>, ApiError> {
    Ok(Json(api.service().cancel_task(&id).await?))
}

/// Sends the agent a message, in any state of the task. The agent reads it before its next step.
#[utoipa::path(post, path = "/v1/tasks/{taskId}/messages", tag = "tasks and handoff", operation_id = "writeToTask",
    params(("taskId" = String, Path)), request_body = Message, responses((status = 200, body = Task), Refusals))]
async fn write(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    InPath(id): InPath<TaskId>,
    Body(message): Body<Message>,
) -> Result<Json<Task>, ApiError> {
    let by = match caller {
        Caller::Interface => Actor::Person,
        Caller::Program => Actor::Api,
    };
    Ok(Json(api.service().write_to_task(&id, message.text, by).await?))
}

/// Streams the model's output for a task as server-sent events `text`. A WebSocket request gets one message for each.
/// The stream is not stored: each step's event holds the whole text.
#[utoipa::path(get, path = "/v1/tasks/{taskId}/speech", tag = "tasks and handoff", operation_id = "followSpeech",
    params(("taskId" = String, Path)),
    responses((status = 200, body = String, content_type = "text/event-stream"),
        (status = 101, description = "WebSocket: each text message is `{ text }`"), Refusals))]
async fn listen(State(api): State<Api>, InPath(id): InPath<TaskId>, request: Request) -> Result<Response, ApiError> {
    let words = api.service().speech(&id).await?.take_until(api.closing().clone().cancelled_owned());
    let told = words.map(|text| {
        let data = serde_json::json!({ "text": text }).to_string();
        Told { id: None, kind: "text".to_owned(), data }
    });
    following::answer(request, Box::pin(told)).await
}

/// Lists the events of a task, oldest first.
#[utoipa::path(get, path = "/v1/tasks/{taskId}/events", tag = "tasks and handoff", operation_id = "listTaskEvents",
    params(("taskId" = String, Path), EventsQuery), responses((status = 200, body = Page<Event>), Refusals))]
async fn events(
    State(api): State<Api>,
    InPath(id): InPath<TaskId>,
    Query(query): Query<EventsQuery>,
) -> Result<Json<Page<Event>>, ApiError> {
    let limit = limited(query.limit)?;
    // A task that does not exist is not one to which nothing happened.
    api.service().task(&id).await?;
    let after = query.cursor.or(query.after);
    let after_seq = after.as_ref().and_then(|after| after.parse::<u64>().ok());
    let mut filter = EventFilter { task_id: Some(id), ..EventFilter::default() };
    filter.after = after.filter(|_| after_seq.is_none()).map(EventId);
    let mut data: Vec<Event> = Vec::new();
    loop {
        let batch = api.service().store().events(filter.clone(), limit).await?;
        let Some(last) = batch.last() else { break };
        filter.after = Some(last.id.clone());
        let whole = batch.len() < limit;
        data.extend(batch.into_iter().filter(|event| after_seq.is_none_or(|seq| event.seq > seq)));
        if whole || data.len() >= limit {
            break;
        }
    }
    let more = data.len() >= limit;
    data.truncate(limit);
    let next_cursor = data.last().filter(|_| more).map(|event| event.id.to_string());
    Ok(Json(Page { data, next_cursor }))
}
