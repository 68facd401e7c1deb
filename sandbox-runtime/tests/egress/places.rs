//! New places: a person is asked once for each, programs wait for the answer, and a place that nobody opened hears nothing.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use sandbox_core::model::NetworkMode;
use sandbox_runtime::egress::PlaceAnswer;

use super::support::*;

fn hello() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

/// A sandbox that asks, with names that all lead to this machine.
async fn asking() -> Proxy {
    let setup = Setup::default().mode(NetworkMode::Ask).allow_private("127.0.0.0/8").allow("named.com");
    let hosts = ["named.com", "shop.com", "cdn.shop.com", "other.com", "third.com", "update.googleapis.com"];
    hosts.into_iter().fold(setup, |setup, host| setup.name(host, "127.0.0.1")).start().await
}

#[tokio::test]
async fn what_waits_for_a_new_place_goes_on_after_a_yes_and_is_refused_after_a_no() {
    let site = Destination::site(hello()).await;
    let port = site.port();
    let mut proxy = asking().await;
    let visit = |proxy: &Proxy, host: &str| proxy.get_later(format!("http://{host}:{port}/"));
    assert_eq!(visit(&proxy, "named.com").await.status, 200, "what is named is open");
    assert!(proxy.asked.try_recv().is_err());

    // Two hosts of one site, at once: one question, which opens both.
    let (one, two) = (tokio::spawn(visit(&proxy, "shop.com")), tokio::spawn(visit(&proxy, "cdn.shop.com")));
    let asked = proxy.next_asked().await;
    assert_eq!(asked.place.to_string(), format!("shop.com:{port}"));
    assert!(asked.address.starts_with("https://") && asked.address.contains("shop.com"), "{}", asked.address);
    assert_eq!(site.n_connections(), 1, "it hears nothing before the answer");
    let lines = asked.place.patterns();
    asked.answer.send(PlaceAnswer::Open(lines)).unwrap();
    assert_eq!((one.await.unwrap().status, two.await.unwrap().status), (200, 200));
    assert_eq!(visit(&proxy, "shop.com").await.status, 200, "the answer holds");
    assert!(proxy.asked.try_recv().is_err(), "one question for both");

    let waits = tokio::spawn(visit(&proxy, "other.com"));
    proxy.next_asked().await.answer.send(PlaceAnswer::Closed).unwrap();
    let refused = waits.await.unwrap();
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("a person said no"), "{}", refused.body);
    assert_eq!(visit(&proxy, "other.com").await.status, 403, "a no holds for a while, and is not asked again");
    assert_eq!(proxy.next_denied().await.reason, "a person said no to it");

    // Without an answer nothing is decided: the next one is asked again.
    let waits = tokio::spawn(visit(&proxy, "third.com"));
    drop(proxy.next_asked().await.answer);
    assert!(waits.await.unwrap().body.contains("nobody has said yet"));
    let waits = tokio::spawn(visit(&proxy, "third.com"));
    assert_eq!(proxy.next_asked().await.place.to_string(), format!("third.com:{port}"));
    waits.abort();

    // What Chromium wants for itself is nobody's question.
    assert_eq!(visit(&proxy, "update.googleapis.com").await.status, 403);
    assert!(proxy.asked.try_recv().is_err());
    assert_eq!(site.n_connections(), 4);
}

#[tokio::test]
async fn a_private_place_stays_closed_and_nobody_is_asked_about_an_address_of_one() {
    let site = Destination::site(hello()).await;
    let setup = Setup::default().mode(NetworkMode::Ask).name("inside.com", "127.0.0.1");
    let mut proxy = setup.start().await;
    for host in ["127.0.0.1", "localhost", "app.localhost"] {
        assert_eq!(proxy.get(&format!("http://{host}:{}/", site.port())).await.status, 403, "{host}");
    }
    assert!(proxy.asked.try_recv().is_err());
    let waits = tokio::spawn(proxy.get_later(format!("http://inside.com:{}/", site.port())));
    let asked = proxy.next_asked().await;
    let lines = asked.place.patterns();
    asked.answer.send(PlaceAnswer::Open(lines)).unwrap();
    let refused = waits.await.unwrap();
    assert!(refused.status == 403 && refused.body.contains("not a public address"), "{refused:?}");
    assert_eq!(site.n_connections(), 0);
}

#[tokio::test]
async fn an_answer_that_opens_less_than_the_place_leaves_the_rest_to_ask_about() {
    let site = Destination::site(hello()).await;
    let port = site.port();
    let mut proxy = asking().await;
    let visit = |host: &str| tokio::spawn(proxy.get_later(format!("http://{host}:{port}/")));
    let (named, other) = (visit("cdn.shop.com"), visit("shop.com"));
    let first = proxy.next_asked().await;
    first.answer.send(PlaceAnswer::Open(vec!["cdn.shop.com".to_owned()])).unwrap();
    assert_eq!(named.await.unwrap().status, 200);
    let second = proxy.next_asked().await;
    assert!(second.address.contains("//shop.com"), "{}", second.address);
    assert_eq!(site.n_connections(), 1);
    second.answer.send(PlaceAnswer::Closed).unwrap();
    assert!(other.await.unwrap().body.contains("a person said no"));
}

#[tokio::test]
async fn no_more_connections_wait_than_leave_room_for_the_others() {
    let site = Destination::site(hello()).await;
    let port = site.port();
    let mut proxy = asking().await;
    let visits: Vec<_> = (0..30).map(|_| tokio::spawn(proxy.get_later(format!("http://shop.com:{port}/")))).collect();
    let asked = proxy.next_asked().await;
    // Those that do not wait are refused before the answer.
    while visits.iter().filter(|visit| visit.is_finished()).count() < 6 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    asked.answer.send(PlaceAnswer::Open(vec!["shop.com".to_owned()])).unwrap();
    let mut statuses = Vec::new();
    for visit in visits {
        statuses.push(visit.await.unwrap().status);
    }
    let n_of = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((n_of(200), n_of(403)), (24, 6));
    assert!(proxy.asked.try_recv().is_err(), "one question");
}
