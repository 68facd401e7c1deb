//! Which refusals an operation can answer with, told from what it is: each status on its own in the document.

use axum::http::Method;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::{ContentBuilder, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, Type};

use crate::api::once;

/// What is known of an operation beside its own lines.
pub struct Place<'a> {
    pub path: &'a str,
    pub method: Method,
    /// Whether it wants a token.
    pub guarded: bool,
}

/// Puts a response for each status into the operation, where it has none of its own.
pub fn describe(operation: &mut Operation, place: &Place<'_>) {
    for (status, description) in statuses(operation, place) {
        let refusal = || RefOr::T(refusal(status, description));
        operation.responses.responses.entry(status.to_string()).or_insert_with(refusal);
    }
}

fn statuses(operation: &Operation, place: &Place<'_>) -> Vec<(u16, &'static str)> {
    let parameters: Vec<&Parameter> = operation.parameters.iter().flatten().filter_map(in_place).collect();
    let has = |wanted: ParameterIn| parameters.iter().any(|parameter| parameter.parameter_in == wanted);
    let takes_body = operation.request_body.is_some();
    let changes = place.method != Method::GET;
    let waits = parameters.iter().any(|parameter| parameter.name == "waitFor");
    let creates = place.method == Method::POST && once::CREATING.contains(&place.path);
    let has_ranges = operation.responses.responses.contains_key("206");
    // A path names something, and what it names has a state.
    let names = has(ParameterIn::Path);
    let all = [
        (true, 400, "`invalid`: something of the request does not fit"),
        (true, 401, "`unauthorized`: there is no token or ticket, or it is not known"),
        (true, 403, "`forbidden`: another host or origin, or not what the token is for"),
        (names, 404, "`notFound`: there is no such thing"),
        (waits, 408, "`timeout`: it was not reached in time"),
        (
            changes || names,
            409,
            "`conflict`, `heldByPerson`, `waitingForPerson`, `heldByOther`, `staleLease`: not in this state",
        ),
        (takes_body, 413, "`tooLarge`: the body is too long"),
        (takes_body, 415, "`unsupportedMediaType`: the body is of another kind"),
        (has_ranges, 416, "`invalid`: the range lies beyond the end"),
        (creates, 422, "`idempotencyMismatch`: the key was used for another body"),
        (true, 429, "`overloaded`: too much at once; try again after `Retry-After` seconds"),
        (true, 500, "`internal`: a mistake of the runtime; the cause is in its log"),
        (true, 503, "`unavailable`: this machine cannot do it now"),
    ];
    let open_to_all = !place.guarded && !names && !takes_body;
    let wants_nothing = |status: u16| open_to_all && status == 401;
    let kept = all.into_iter().filter(|(applies, status, _)| *applies && !wants_nothing(*status));
    kept.map(|(_, status, description)| (status, description)).collect()
}

fn in_place(parameter: &RefOr<Parameter>) -> Option<&Parameter> {
    match parameter {
        RefOr::T(parameter) => Some(parameter),
        // Ours are all written where they are used.
        RefOr::Ref(_) => None,
    }
}

fn refusal(status: u16, description: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorBody"))).build();
    let response = ResponseBuilder::new().description(description).content("application/json", content);
    if status != 429 {
        return response.build();
    }
    let seconds = ObjectBuilder::new().schema_type(Type::Integer).build();
    response.header("Retry-After", HeaderBuilder::new().schema(Some(seconds)).build()).build()
}
