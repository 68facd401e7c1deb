//! Search over the history.

use axum::Json;
use axum::extract::State;
use sandbox_core::model::Page;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ApiError, Refusals};
use crate::api::extract::Query;
use crate::api::lists::page;
use crate::store::Hit;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(search))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SearchQuery {
    /// Words, or parts of words.
    q: Option<String>,
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    cursor: Option<String>,
}

/// Searches tasks and events by their words, newest first. An empty query finds nothing.
#[utoipa::path(get, path = "/v1/search", tag = "events", operation_id = "search", params(SearchQuery),
    responses((status = 200, body = Page<Hit>), Refusals))]
async fn search(State(api): State<Api>, Query(query): Query<SearchQuery>) -> Result<Json<Page<Hit>>, ApiError> {
    let page = page(query.limit, query.cursor)?;
    let Some(words) = query.q else { return Ok(Json(Page { data: Vec::new(), next_cursor: None })) };
    Ok(Json(api.service().store().search(&words, page).await?))
}
