//! Events in the OpenAPI document: a schema for each type, and the union of them all.

use std::borrow::Cow;

use serde_json::json;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{
    AllOfBuilder, Discriminator, KnownFormat, Object, ObjectBuilder, OneOfBuilder, Ref, RefOr, Schema, SchemaFormat,
    Type,
};
use utoipa::{PartialSchema, ToSchema};

use super::table::{self, PayloadVisitor};
use super::{Event, EventType};
use crate::model::Actor;
use crate::{EventId, SandboxId, TaskId};

const ENVELOPE: &str = "EventEnvelope";
const UNKNOWN: &str = "UnknownEvent";

/// What a webhook is sent for an event of one type.
pub struct Message {
    pub event_type: EventType,
    pub summary: String,
    pub body: Schema,
}

impl PartialSchema for Event {
    fn schema() -> RefOr<Schema> {
        let written = || EventType::ALL.iter().filter(|event_type| event_type.is_written());
        let known = written().map(|event_type| (event_type.as_str(), reference(&event_name(*event_type)).ref_location));
        let all = OneOfBuilder::new()
            .description(Some(
                "Something that happened, as it is stored: committed before it is published, numbered without gaps per \
                 sandbox. More types may come: leave out what you do not know.",
            ))
            .discriminator(Some(Discriminator::with_mapping("type", known)));
        let all = written().fold(all, |all, event_type| all.item(reference(&event_name(*event_type))));
        Schema::OneOf(all.item(reference(UNKNOWN)).build()).into()
    }
}

impl PartialSchema for EventType {
    fn schema() -> RefOr<Schema> {
        let names = EventType::ALL.iter().map(|event_type| event_type.as_str());
        let all = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).enum_values(Some(names));
        Schema::Object(all.description(Some("The type of an event.")).build()).into()
    }
}

impl ToSchema for EventType {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("EventType")
    }
}

impl ToSchema for Event {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Event")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        collect::<Actor>(schemas);
        collect::<EventId>(schemas);
        collect::<SandboxId>(schemas);
        collect::<TaskId>(schemas);
        collect::<EventType>(schemas);
        schemas.push((ENVELOPE.to_owned(), Schema::Object(envelope()).into()));
        table::visit_payloads(&mut Described(schemas));
        schemas.push((UNKNOWN.to_owned(), Schema::AllOf(unknown()).into()));
    }
}

/// Collects the schemas of the events.
struct Described<'a>(&'a mut Vec<(String, RefOr<Schema>)>);

impl PayloadVisitor for Described<'_> {
    /// Adds the schema of one type of event, of its payload, and of what that names.
    fn visit<P: ToSchema>(&mut self, event_type: EventType) {
        collect::<P>(self.0);
        let own = ObjectBuilder::new()
            .property("type", constant(event_type))
            .property("data", reference(&P::name()))
            .required("type")
            .required("data")
            .build();
        let event = AllOfBuilder::new().description(description_of::<P>()).item(reference(ENVELOPE)).item(own).build();
        self.0.push((event_name(event_type), Schema::AllOf(event).into()));
    }
}

/// Returns what webhooks are sent, one message for each type that is written.
pub fn messages() -> Vec<Message> {
    let mut schemas = Vec::new();
    Event::schemas(&mut schemas);
    let words = |name: &str| match schemas.iter().find(|(known, _)| known == name) {
        Some((_, RefOr::T(Schema::AllOf(event)))) => event.description.clone().unwrap_or_default(),
        Some(_) | None => String::new(),
    };
    let written = EventType::ALL.iter().copied().filter(|event_type| event_type.is_written());
    written
        .map(|event_type| Message {
            event_type,
            summary: words(&event_name(event_type)),
            body: message_body(event_type),
        })
        .collect()
}

fn message_body(event_type: EventType) -> Schema {
    let metadata = ObjectBuilder::new()
        .description(Some("The `metadata` of the event's task."))
        .additional_properties(Some(anything()))
        .build();
    let own = ObjectBuilder::new()
        .property("data", reference(&payload_name(event_type)))
        .required("data")
        .property("metadata", metadata)
        .build();
    let data = AllOfBuilder::new().item(reference(ENVELOPE)).item(own).build();
    let timestamp = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .description(Some("When the event happened."))
        .build();
    let body = ObjectBuilder::new()
        .property("type", constant(event_type))
        .property("timestamp", timestamp)
        .property("data", Schema::AllOf(data))
        .required("type")
        .required("timestamp")
        .required("data")
        .build();
    Schema::Object(body)
}

/// What events of every type have.
fn envelope() -> Object {
    let integer = |format, words: &str| {
        let number = ObjectBuilder::new().schema_type(Type::Integer).format(Some(SchemaFormat::KnownFormat(format)));
        number.description(Some(words)).build()
    };
    ObjectBuilder::new()
        .property("id", reference(&EventId::name()))
        .property("sandboxId", reference(&SandboxId::name()))
        .property("taskId", reference(&TaskId::name()))
        .property("seq", integer(KnownFormat::Int64, "From 1, without gaps, per sandbox."))
        .property("by", reference(&Actor::name()))
        .property("at", integer(KnownFormat::Int64, "Milliseconds since the Unix epoch."))
        .required("id")
        .required("sandboxId")
        .required("seq")
        .required("by")
        .required("at")
        .build()
}

/// An event of any type that is not described: so that exactly one member of the union fits each event.
fn unknown() -> utoipa::openapi::AllOf {
    let known: Vec<&str> =
        EventType::ALL.iter().filter(|known| known.is_written()).map(|known| known.as_str()).collect();
    let other = Extensions::from_iter([("not".to_owned(), json!({ "enum": known }))]);
    let kind = ObjectBuilder::new().schema_type(Type::String).extensions(Some(other)).build();
    let own =
        ObjectBuilder::new().property("type", kind).required("type").property("data", anything()).required("data");
    AllOfBuilder::new()
        .description(Some("An event of a type that this document does not describe."))
        .item(reference(ENVELOPE))
        .item(own.build())
        .build()
}

fn anything() -> Schema {
    Schema::Object(ObjectBuilder::new().schema_type(SchemaType::AnyValue).build())
}

fn constant(event_type: EventType) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some([event_type.as_str()])).build()
}

fn payload_name(event_type: EventType) -> String {
    format!("{event_type:?}")
}

fn event_name(event_type: EventType) -> String {
    format!("{event_type:?}Event")
}

fn reference(name: &str) -> Ref {
    Ref::from_schema_name(name)
}

fn collect<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

fn description_of<T: PartialSchema>() -> Option<String> {
    match T::schema() {
        RefOr::T(Schema::Object(object)) => object.description,
        RefOr::T(_) | RefOr::Ref(_) => None,
    }
}
