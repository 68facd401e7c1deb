//! A site of the test's own on loopback; pages tell it what happened to them by fetching `/told?…`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::get;
use tokio::task::JoinHandle;

use crate::wait::{LIMIT, eventually};

pub struct Site {
    pub address: std::net::SocketAddr,
    told: Arc<Mutex<BTreeMap<String, String>>>,
    server: JoinHandle<()>,
}

impl Site {
    /// Serves pages by path, and whatever else `more` has.
    pub async fn serve(pages: &[(&'static str, &'static str)], more: Router) -> Self {
        let told: Arc<Mutex<BTreeMap<String, String>>> = Arc::default();
        let telling = told.clone();
        let mut router = more.route(
            "/told",
            get(move |Query(words): Query<BTreeMap<String, String>>| async move {
                telling.lock().expect("no panic while told").extend(words);
                StatusCode::NO_CONTENT
            }),
        );
        for (path, page) in pages {
            let page = *page;
            router = router.route(path, get(move || async move { Html(page) }));
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("the site serves");
        });
        Self { address, told, server }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Waits until a page told this value under this name.
    pub async fn told(&self, name: &str) -> String {
        eventually(&format!("a page tells {name}"), || {
            std::future::ready(self.told.lock().expect("no panic while told").get(name).cloned())
        })
        .await
    }

    /// Forgets what pages told under this name: what comes next is new.
    pub fn forget(&self, name: &str) {
        self.told.lock().expect("no panic while told").remove(name);
    }

    /// Whether a page told something under this name.
    pub fn was_told(&self, name: &str) -> bool {
        self.told.lock().expect("no panic while told").contains_key(name)
    }

    pub async fn told_that(&self, name: &str, value: &str) {
        let last = || self.told.lock().expect("no panic while told").get(name).cloned();
        let told = tokio::time::timeout(LIMIT, async {
            while last().as_deref() != Some(value) {
                tokio::time::sleep(Duration::from_millis(40)).await;
            }
        });
        assert!(told.await.is_ok(), "a page should tell {name} = {value}; its last word is {:?}", last());
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.abort();
    }
}
