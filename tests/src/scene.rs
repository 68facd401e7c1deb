//! A runtime, a site of the test's own, and a sandbox that may reach it.

use axum::Router;
use serde_json::{Value, json};

use crate::baton::Baton;
use crate::debugger::Debugger;
use crate::site::Site;
use crate::viewer::Viewer;
use crate::wait::eventually;

pub struct Scene {
    pub baton: Baton,
    pub site: Site,
    pub sandbox: String,
}

impl Scene {
    /// Serves pages by path and what else `more` has; `config` is the sandbox's.
    pub async fn open(pages: &[(&'static str, &'static str)], more: Router, config: Value) -> Self {
        let (site, baton) = tokio::join!(Site::serve(pages, more), Baton::start());
        Self::at(baton, site, config).await
    }

    /// Makes a sandbox that may reach the site.
    pub async fn at(baton: Baton, site: Site, mut config: Value) -> Self {
        config["network"]["allowPrivate"] = json!([site.address.to_string()]);
        let sandbox = baton.ready_sandbox(config).await;
        Self { baton, site, sandbox }
    }

    /// Returns the path of a route of the sandbox.
    pub fn path(&self, rest: &str) -> String {
        format!("/sandboxes/{}{rest}", self.sandbox)
    }

    pub async fn debugger(&self) -> Debugger {
        Debugger::with_token(&self.baton, &self.path("/cdp")).await
    }

    /// Opens a page of the site.
    pub async fn navigate(&self, page: &str) {
        self.baton.post(&self.path("/preview/navigate"), json!({ "url": self.site.url(page) })).await;
    }

    /// A person takes control, without a live view.
    pub async fn take(&self) {
        self.baton.post(&self.path("/control/take"), json!({ "controller": "a person" })).await;
    }

    pub async fn release(&self) {
        self.release_with(json!({})).await;
    }

    /// The person hands back, and says what becomes of what they typed. Returns when programs see again.
    pub async fn release_with(&self, body: Value) {
        self.baton.post(&self.path("/control/release"), body).await;
        self.until_seen().await;
    }

    /// Waits until programs see the page.
    pub async fn until_seen(&self) {
        eventually("programs see again", || async {
            self.baton.get(&self.path("/preview")).await["blind"].eq(&json!(false)).then_some(())
        })
        .await;
    }

    /// A person takes control in a live view.
    pub async fn person(&self) -> Viewer {
        let viewer = Viewer::connect(&self.baton, &self.sandbox).await;
        viewer.take().await;
        viewer
    }

    /// Returns the history of the sandbox, from its beginning.
    pub async fn events(&self) -> Vec<Value> {
        let page = self.baton.get(&self.path("/events?limit=200")).await;
        page["data"].as_array().expect("a list").clone()
    }
}
