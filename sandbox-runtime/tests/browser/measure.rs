//! How long looks are, beside a plain dump of the accessibility tree. Run by hand:
//! `BATON_PAGES=/a/one.html:/b/two.html cargo test -p sandbox-runtime --test browser measure -- --ignored --nocapture`

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use sandbox_runtime::browser::Look;
use serde_json::json;

use crate::chromium::Rig;

/// Characters that count as one token.
const PER_TOKEN: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures: BATON_PAGES names HTML files, with a colon between them"]
async fn measure_looks_beside_a_plain_accessibility_tree() {
    let pages = std::env::var("BATON_PAGES").expect("BATON_PAGES names HTML files");
    let rig = Rig::start().await;
    println!("| Page | accessibility tree | look, whole | look | look again | ms |\n|---|---|---|---|---|---|");
    for path in pages.split(':') {
        let text = std::fs::read_to_string(path).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let app = Router::new().route("/", get(move || async move { Html(text) }));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        rig.open(&url).await;
        rig.person.call("Accessibility.enable", json!({})).await;
        let plain = rig.person.call("Accessibility.getFullAXTree", json!({})).await["result"].to_string();
        let whole = Look { max_chars: Some(usize::MAX), ..Look::default() };
        let whole = rig.browser.observe(&whole).await.unwrap().words();
        let began = std::time::Instant::now();
        let bounded = rig.browser.observe(&Look::default()).await.unwrap();
        let took = began.elapsed().as_millis();
        let tokens = |text: &str| text.chars().count() / PER_TOKEN;
        println!(
            "| {} | {} | {} | {} | {} | {took} |",
            bounded.title,
            tokens(&plain),
            tokens(&whole),
            tokens(&bounded.words()),
            tokens(&bounded.changes_in_words())
        );
    }
}
