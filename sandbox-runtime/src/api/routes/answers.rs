//! What an operation answers when it succeeds, in words: each response of the document needs a description.
//!
//! Also sets the schema of bodies that are bytes, which the generator describes as lists of numbers.

use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{KnownFormat, SchemaFormat};
use utoipa::openapi::{Content, ObjectBuilder, Ref, RefOr, Response, Schema, Type};

/// Describes each response that has no words of its own, and the schemas of binary bodies.
pub fn describe(operation: &mut Operation) {
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        body.content.iter_mut().for_each(|(kind, content)| set_binary(kind, content));
    }
    for (status, response) in &mut operation.responses.responses {
        // Ours are all written where they are used.
        let RefOr::T(response) = response else { continue };
        response.content.iter_mut().for_each(|(kind, content)| set_binary(kind, content));
        if response.description.is_empty() {
            response.description = words(status, response);
        }
    }
}

fn set_binary(kind: &str, content: &mut RefOr<Content>) {
    let RefOr::T(content) = content else { return };
    if is_binary(kind) {
        let format = SchemaFormat::KnownFormat(KnownFormat::Binary);
        content.schema = Some(ObjectBuilder::new().schema_type(Type::String).format(Some(format)).build().into());
    }
}

fn is_binary(kind: &str) -> bool {
    matches!(kind, "application/octet-stream" | "application/zip" | "*/*") || kind.starts_with("image/")
}

fn words(status: &str, response: &Response) -> String {
    let begin = match status {
        "201" => "Created.",
        "202" => "Accepted.",
        "206" => "The part that `Range` asked for.",
        _ => "Done.",
    };
    let mut bodies: Vec<String> = response.content.iter().map(|(kind, content)| body(kind, content)).collect();
    bodies.dedup();
    match bodies.is_empty() {
        true => format!("{begin} There is no body."),
        false => format!("{begin} The body is {}.", bodies.join(", or ")),
    }
}

fn body(kind: &str, content: &RefOr<Content>) -> String {
    match kind {
        "application/json" => json(content),
        "application/sdp" => "an SDP answer".to_owned(),
        "application/yaml" => "YAML".to_owned(),
        "application/zip" => "a zip file".to_owned(),
        "text/event-stream" => "a stream of server-sent events".to_owned(),
        kind if kind.starts_with("image/") => "a picture".to_owned(),
        kind if is_binary(kind) => "the content of the file".to_owned(),
        kind => format!("`{kind}`"),
    }
}

fn json(content: &RefOr<Content>) -> String {
    let RefOr::T(content) = content else { return "JSON".to_owned() };
    match &content.schema {
        Some(RefOr::Ref(reference)) => named(reference),
        Some(RefOr::T(Schema::Array(_))) => "a JSON list".to_owned(),
        Some(RefOr::T(_)) | None => "JSON".to_owned(),
    }
}

fn named(reference: &Ref) -> String {
    let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
    match name.strip_prefix("Page_") {
        Some(item) => format!("a page of `{item}` objects"),
        None if name.starts_with(['A', 'E', 'I', 'O', 'U']) => format!("an `{name}`"),
        None => format!("a `{name}`"),
    }
}
