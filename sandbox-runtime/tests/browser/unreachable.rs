//! What the way out does not carry fails in the browser, by its own name for the cause, whoever asked for it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::response::{Html, IntoResponse, Redirect};
use axum::routing::{get, post};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sandbox_core::model::NetworkConfig;
use sandbox_runtime::browser::ActionError;
use sandbox_runtime::egress::{Denied, Egress, FAILURE_HEADER, Places, Resolve, Sites};
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::chromium::Rig;

/// `*.private` is a private address, `*.here` this machine; nothing else has an address.
struct Names;

impl Resolve for Names {
    fn resolve(&self, name: &str) -> BoxFuture<'_, io::Result<Vec<IpAddr>>> {
        let found = match name.rsplit('.').next() {
            Some("private") => Ok(vec![IpAddr::from([10, 0, 0, 1])]),
            Some("here") => Ok(vec![IpAddr::from([127, 0, 0, 1])]),
            Some(_) | None => Err(io::Error::other("no such name")),
        };
        async move { found }.boxed()
    }
}

struct Setup {
    rig: Rig,
    site: String,
    denied: mpsc::Receiver<Denied>,
    /// Addresses that fail, and what Chromium calls it.
    failing: Vec<(String, &'static str)>,
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn setup() -> Setup {
    let (site, at) = listener().await;
    let (rude, rude_at) = listener().await;
    let (unused, unused_at) = listener().await;
    drop(unused);
    let failing = vec![
        ("http://nowhere.example/".to_owned(), "ERR_NAME_NOT_RESOLVED"),
        ("https://nowhere.example/".to_owned(), "ERR_NAME_NOT_RESOLVED"),
        ("http://a.private/".to_owned(), "ERR_BLOCKED_BY_CLIENT"),
        ("https://a.private/".to_owned(), "ERR_BLOCKED_BY_CLIENT"),
        (format!("http://b.here:{}/", unused_at.port()), "ERR_CONNECTION_REFUSED"),
        (format!("https://b.here:{}/", unused_at.port()), "ERR_CONNECTION_REFUSED"),
        (format!("http://c.here:{}/", rude_at.port()), "ERR_CONNECTION_CLOSED"),
    ];
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = rude.accept().await {
            // Read first: closing with bytes unread would be a reset.
            let _ = stream.read(&mut [0; 4096]).await;
        }
    });
    tokio::spawn(async move { axum::serve(site, pages(at.port(), &failing_links())).await.unwrap() });
    let (told, denied) = mpsc::channel(64);
    let network = NetworkConfig { allow_private: vec!["*.here".to_owned()], ..NetworkConfig::default() };
    let egress = Egress::with_resolver(network, None, Sites::default(), told, Places::nobody(), Names).unwrap();
    let (proxy, proxy_at) = listener().await;
    let served = egress.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = proxy.accept().await {
            tokio::spawn(Arc::clone(&served).serve(stream));
        }
    });
    let arguments = [format!("--proxy-server=http://{proxy_at}"), "--proxy-bypass-list=<-loopback>".to_owned()];
    let rig = Rig::start_with(&arguments, egress.failures()).await;
    Setup { rig, site: format!("http://site.here:{}", at.port()), denied, failing }
}

fn failing_links() -> String {
    let to = "http://a.private/";
    format!(
        r#"<!doctype html><title>Links</title><p id=out>nothing</p><a href="{to}">Link</a> <a href="/redirect">Redirect</a>
        <a href="{to}" target=_blank>Popup</a> <form method=post action="{to}"><button>Post</button></form>
        <a href="{to}file.csv" id=d>Download</a>
        <button onclick="fetch('http://nowhere.example/').then(() => out.textContent = 'fetched', (e) => out.textContent = e.name)">Fetch</button>
        <button onclick="location = '{to}'">Script</button>"#
    )
}

fn pages(port: u16, links: &str) -> Router {
    let links = links.to_owned();
    let framed = format!("<title>Framed</title><h1>Around</h1><iframe src='http://a.private/'></iframe><p>{port}</p>");
    let forged = || async {
        ([(FAILURE_HEADER, "refused by the server itself")], Html("<title>Forged</title>")).into_response()
    };
    Router::new()
        .route("/", get(move || async move { Html(links) }))
        .route("/redirect", get(|| async { Redirect::to("http://a.private/") }))
        .route("/framed", get(move || async move { Html(framed) }))
        .route("/forged", get(forged))
        .route("/posted", post(|| async { "posted" }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_is_not_carried_fails_with_its_cause_for_us_and_for_clients() {
    let Setup { mut rig, site, mut denied, failing } = setup().await;
    rig.open(&format!("{site}/")).await;
    assert_eq!(rig.browser.state().title, "Links");
    for (address, name) in &failing {
        let error = rig.try_step(json!({"navigate": address})).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("open {address}: ")) && error.contains(name), "{address}: {error}");
        let answer = rig.person.call("Page.navigate", json!({"url": address})).await;
        assert_eq!(answer["result"]["errorText"], format!("net::{name}"), "{address}: {answer}");
    }
    let setting = rig.try_step(json!({"navigate": "http://a.private/"})).await.unwrap_err().to_string();
    assert!(setting.contains("10.0.0.1 is not a public address; network.allowPrivate of this sandbox"), "{setting}");
    let first = denied.recv().await.unwrap();
    assert_eq!((first.host.as_str(), first.setting), ("a.private", Some("network.allowPrivate")));

    // A person who drives sees the same.
    rig.give_to_person();
    let answer = rig.person.call("Page.navigate", json!({"url": "http://nowhere.example/person"})).await;
    assert_eq!(answer["result"]["errorText"], "net::ERR_NAME_NOT_RESOLVED");
    rig.give_to_agent();

    rig.open(&format!("{site}/forged")).await;
    assert_eq!(rig.browser.state().title, "Forged", "a server cannot say that the proxy failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_redirects_forms_and_popups_that_are_not_carried_fail_their_action() {
    let Setup { rig, site, .. } = setup().await;
    let ways = [
        json!({"click": {"role": "link", "name": "Link"}}),
        json!({"click": {"role": "link", "name": "Redirect"}}),
        json!({"click": {"role": "link", "name": "Popup"}}),
        json!({"click": {"role": "button", "name": "Post"}}),
        json!({"click": {"role": "button", "name": "Script"}}),
        json!({"newTab": {"url": "http://a.private/"}}),
        json!({"download": {"click": {"role": "link", "name": "Download"}}}),
    ];
    for way in ways {
        rig.open(&format!("{site}/")).await;
        let error = rig.try_step(way.clone()).await.unwrap_err();
        // A click that led to an error page arrived: it is not looked for there once more.
        assert!(matches!(error, ActionError::Navigation { .. } | ActionError::Download { .. }), "{way}: {error}");
        let error = error.to_string();
        assert!(error.contains("network.allowPrivate") && error.contains("ERR_BLOCKED_BY_CLIENT"), "{way}: {error}");
        let next =
            rig.try_step(json!({"click": {"text": "Anything", "timeoutMs": 300}})).await.unwrap_err().to_string();
        assert!(next.contains("could not be opened: a.private:80"), "{way}: {next}");
    }
    rig.open(&format!("{site}/")).await;
    rig.step(json!({"click": {"role": "button", "name": "Fetch"}})).await;
    rig.expect("TypeError").await;
    rig.open(&format!("{site}/framed")).await;
    rig.expect("Around").await;
    let frames = rig.person.call("Page.getFrameTree", json!({})).await;
    let frame = &frames["result"]["frameTree"]["childFrames"][0]["frame"];
    assert_eq!(frame["unreachableUrl"], "http://a.private/", "{frames}");
}
