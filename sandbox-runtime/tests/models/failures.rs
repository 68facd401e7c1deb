//! What is tried again, what is not, and whose words a person reads.

use std::sync::Arc;
use std::time::Duration;

use baton_tests::{Answer, ModelServer, Turn};
use sandbox_runtime::agent::models::{Delta, Message, Model, ModelErrorKind, Part, WireFormat};
use tokio::sync::Notify;

use super::{FORMATS, ask, fixture, greeting, model, request};

#[tokio::test]
async fn what_passes_is_tried_again_and_the_answer_begins_anew() {
    for format in FORMATS {
        let script: Vec<Vec<Turn>> = vec![
            vec![Answer::fails(429, "rate_limit_error", "slow down").header("retry-after", "0").into()],
            vec![Answer::fails(529, "overloaded_error", "Overloaded").into(), Answer::fails(500, "x", "oh").into()],
            vec![Answer::text("This is never heard to its end").cut().into()],
            vec![Answer::recorded("data: {\"broken\n\n").into()],
            vec![Answer::recorded("").into()],
        ];
        for failures in script {
            let n_failures = failures.len();
            let server = ModelServer::start(failures).await;
            server.push(Answer::text("Well."));
            let (reply, deltas) = ask(&model(&server, format), &greeting()).await;
            assert_eq!(reply.unwrap().text(), "Well.");
            assert_eq!(server.asked().len(), n_failures + 1);
            let last = deltas.iter().rposition(|delta| matches!(delta, Delta::Restarted { .. })).unwrap();
            let after: String = deltas[last + 1..]
                .iter()
                .map(|delta| match delta {
                    Delta::Text(text) => text.as_str(),
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(after, "Well.", "{format:?}");
        }
    }
}

#[tokio::test]
async fn errors_in_the_middle_of_a_stream_are_tried_again() {
    for (format, name) in
        [(WireFormat::Anthropic, "anthropic-overloaded.sse"), (WireFormat::OpenAi, "openrouter-error.sse")]
    {
        let server = ModelServer::start(vec![Answer::recorded(fixture(name)).into()]).await;
        server.push(Answer::text("Well."));
        let (reply, deltas) = ask(&model(&server, format), &greeting()).await;
        assert_eq!(reply.unwrap().text(), "Well.");
        let why = deltas.iter().find_map(|delta| match delta {
            Delta::Restarted { why, .. } => Some(why.as_str()),
            _ => None,
        });
        assert!(matches!(why, Some("Overloaded" | "Provider disconnected unexpectedly")), "{why:?}");
    }
}

#[tokio::test]
async fn the_last_error_says_the_provider_s_words_and_its_kind() {
    let check = async |answers: Vec<Answer>, kind, message: &str, n_asked| {
        for format in FORMATS {
            let server = ModelServer::start(answers.iter().cloned().map(Turn::from).collect()).await;
            let error = ask(&model(&server, format), &greeting()).await.0.unwrap_err();
            assert_eq!((error.kind, error.message.as_str()), (kind, message), "{format:?}");
            assert_eq!(server.asked().len(), n_asked, "{message}");
            let said = format!("{error} {error:?}");
            assert!(said.contains("some/model") && !said.contains("canary"), "{said}");
        }
    };
    let overloaded = || Answer::fails(529, "overloaded_error", "Overloaded");
    check(vec![overloaded(), overloaded(), overloaded()], ModelErrorKind::Overloaded, "Overloaded", 3).await;
    let auth = Answer::fails(401, "authentication_error", "invalid x-api-key");
    check(vec![auth], ModelErrorKind::Auth, "invalid x-api-key", 1).await;
    let unknown = Answer::fails(404, "not_found_error", "model: some/model");
    check(vec![unknown], ModelErrorKind::Refused, "model: some/model", 1).await;
    let long = Answer::fails(400, "context_length_exceeded", "too much");
    check(vec![long], ModelErrorKind::TooLong, "too much", 1).await;
    let later = Answer::fails(429, "rate_limit_error", "come back tomorrow").header("retry-after", "86400");
    check(vec![later], ModelErrorKind::RateLimited, "come back tomorrow", 1).await;
    let page = || Answer::whole(200, "text/html", "<html>Welcome</html>");
    let said = "this is no model's answer: <html>Welcome</html>";
    check(vec![page(), page(), page()], ModelErrorKind::Malformed, said, 3).await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let server = ModelServer::start(vec![]).await;
    let url = server.url();
    let model = model(&server, WireFormat::OpenAi);
    drop(server);
    let error = ask(&model, &greeting()).await.0.unwrap_err();
    let host = url.trim_start_matches("http://").trim_end_matches("/v1");
    assert_eq!(error.kind, ModelErrorKind::Network);
    assert!(error.message.starts_with(host), "{}", error.message);
}

#[tokio::test]
async fn the_wait_that_the_provider_asks_for_is_kept() {
    let refused = Answer::fails(429, "rate_limit_error", "slow down").header("retry-after-ms", "120");
    let server = ModelServer::start(vec![refused.into(), Answer::text("Well.").into()]).await;
    let (reply, deltas) = ask(&model(&server, WireFormat::OpenAi), &greeting()).await;
    assert_eq!(reply.unwrap().text(), "Well.");
    assert_eq!(deltas[0], Delta::Restarted { why: "slow down".to_owned(), after: Duration::from_millis(120) });
}

#[tokio::test]
async fn a_model_that_cannot_see_is_asked_in_words_from_then_on() {
    for format in FORMATS {
        let blind = Answer::fails(404, "not_found_error", "No endpoints found that support image input");
        let server = ModelServer::start(vec![blind.into()]).await;
        server.push(Answer::text("I cannot see."));
        server.push(Answer::text("Still not."));
        let model = model(&server, format);
        let shown = request(vec![Message::user(vec![Part::text("See?"), Part::image("image/png", &b"PNG"[..])])]);
        assert_eq!(ask(&model, &shown).await.0.unwrap().text(), "I cannot see.");
        assert_eq!(ask(&model, &shown).await.0.unwrap().text(), "Still not.");
        let with_pictures: Vec<bool> = server.asked().iter().map(|asked| asked.text().contains("base64")).collect();
        assert_eq!(with_pictures, [true, false, false], "{format:?}");
    }
}

#[tokio::test]
async fn the_newer_word_for_the_limit_is_used_where_the_older_is_refused() {
    let body = r#"{"error":{"message":"Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}"#;
    let server = ModelServer::start(vec![Answer::whole(400, "application/json", body).into()]).await;
    server.push(Answer::text("Well."));
    ask(&model(&server, WireFormat::OpenAi), &greeting()).await.0.unwrap();
    let asked = server.asked();
    assert_eq!(asked[0].body["max_tokens"], 1000);
    assert_eq!((asked[1].body.get("max_tokens"), &asked[1].body["max_completion_tokens"]), (None, &1000.into()));
}

#[tokio::test]
async fn a_request_that_is_dropped_is_called_off() {
    let until = Arc::new(Notify::new());
    let server = ModelServer::start(vec![Answer::text("too late").paused(until.clone()).into()]).await;
    let model = model(&server, WireFormat::OpenAi);
    let request = greeting();
    let mut heard = |_| {};
    let asking = model.reply(&request, &mut heard);
    let arrived = baton_tests::eventually("the request arrives", || {
        std::future::ready((!server.asked().is_empty()).then_some(()))
    });
    tokio::select! {
        reply = asking => panic!("{reply:?}"),
        () = arrived => {}
    }
    // The answer holds the other reference for as long as the connection stands.
    baton_tests::eventually("the connection is closed", || {
        std::future::ready((Arc::strong_count(&until) == 1).then_some(()))
    })
    .await;
}

#[tokio::test]
async fn keys_do_not_follow_a_redirect() {
    let other = ModelServer::start(vec![Answer::text("stolen").into()]).await;
    let to = format!("{}/chat/completions", other.url());
    let redirect = Answer::whole(307, "text/plain", "").header("location", to.clone());
    let server = ModelServer::start(vec![redirect.into()]).await;
    let error = ask(&model(&server, WireFormat::OpenAi), &greeting()).await.0.unwrap_err();
    assert_eq!(error.message, format!("the address leads on to {to}: use that one"));
    assert!(other.asked().is_empty());
}
