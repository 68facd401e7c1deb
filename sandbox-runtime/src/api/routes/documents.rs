//! Conversions of documents.

use axum::Json;
use axum::extract::State;
use sandbox_core::SandboxId;
use sandbox_core::document::ConvertFile;
use sandbox_core::model::Artifact;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ApiError, Refusals};
use crate::api::extract::{Body, InPath};
use crate::service::Converted;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(convert))
}

/// What came of a conversion.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Conversion {
    /// The result in the workspace; of several pages, the first.
    path: String,
    /// Every file that was made: more than one for a PDF of several pages that becomes pictures.
    paths: Vec<String>,
    /// The result, kept after the sandbox ends.
    artifact: Artifact,
    duration_ms: u64,
}

impl From<Converted> for Conversion {
    fn from(Converted { paths, artifact, duration_ms }: Converted) -> Self {
        Self { path: paths.first().cloned().unwrap_or_default(), paths, artifact, duration_ms }
    }
}

/// Converts a document in the workspace. HTML, Markdown, office files, CSV and images become PDF; Markdown and HTML become DOCX
/// and come from it; a PDF becomes PNG, a file for each page, or text. Takes at most two minutes.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/documents/convert", tag = "outputs", operation_id = "convertDocument",
    params(("id" = String, Path)), request_body = ConvertFile, responses((status = 200, body = Conversion), Refusals))]
async fn convert(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Body(file): Body<ConvertFile>,
) -> Result<Json<Conversion>, ApiError> {
    Ok(Json(api.service().convert(&id, file).await?.into()))
}
