//! The main job on web applications that nobody here wrote: the demo portal is not the only site that works.

use baton_tests::{Baton, Viewer, WebApp, assert_kept_nowhere, eventually};
use serde_json::{Value, json};

/// Typed by the person, and to be found nowhere afterwards; a form encodes some of it.
const PASSWORD: &str = "correct-horse+canary/6619";

/// A sandbox on the application, and a person at the wheel because the playbook asked for one.
struct Scene {
    baton: Baton,
    sandbox: String,
    task: String,
    viewer: Viewer,
}

impl Scene {
    async fn open(app: &WebApp, playbook: &str) -> Self {
        let baton = Baton::start().await;
        let sandbox = baton.ready_sandbox(json!({ "network": { "allowPrivate": [app.host] } })).await;
        let started = baton.post(&format!("/sandboxes/{sandbox}/tasks"), json!({ "playbook": playbook })).await;
        let task = started["taskId"].as_str().expect("a task has an id").to_owned();
        baton.until(&format!("/tasks/{task}"), "/status", "waiting").await;
        let viewer = Viewer::connect(&baton, &sandbox).await;
        viewer.take().await;
        viewer.still_picture().await;
        Self { baton, sandbox, task, viewer }
    }

    /// Types the password where the cursor is, sends it, and hands back when the next page is there.
    async fn enter_password_and_hand_back(&self) {
        self.viewer.text(PASSWORD).await;
        let before = self.viewer.still_picture().await;
        self.viewer.key("Enter", "Enter").await;
        eventually("the next page is there", || {
            std::future::ready(self.viewer.seen(|seen| (seen.picture != before).then_some(())))
        })
        .await;
        self.viewer.still_picture().await;
        self.viewer.hand_back(Some("signed in")).await;
    }

    /// Waits for the end of the task, which asked only once; returns the receipt of the person's time.
    async fn receipt_of_the_completed_task(&self) -> Value {
        self.baton.until(&format!("/tasks/{}", self.task), "/status", "completed").await;
        let handoffs = self.baton.get("/handoffs").await;
        assert_eq!(handoffs["data"].as_array().map(Vec::len), Some(1), "a person is asked once: {handoffs}");
        let receipt = handoffs["data"][0]["receipt"].clone();
        assert_eq!(receipt["signedInChanged"], json!(["127.0.0.1"]), "{receipt}");
        assert_eq!((&receipt["untilMet"], &receipt["note"]), (&json!(true), &json!("signed in")), "{receipt}");
        receipt
    }

    /// Returns what an artifact holds.
    async fn saved(&self, name: &str) -> Value {
        let artifacts = self.baton.get(&format!("/sandboxes/{}/artifacts", self.sandbox)).await;
        let all = artifacts["data"].as_array().expect("a list");
        let artifact = all.iter().find(|artifact| artifact["name"] == name).expect("the file is an artifact");
        let key = artifact["key"].as_str().expect("a key");
        let content = self.baton.bytes(&format!("/artifacts/{key}/content")).await;
        serde_json::from_slice(&content).expect("the file is JSON")
    }
}

#[tokio::test]
async fn a_person_signs_in_to_djangos_admin_and_the_playbook_brings_back_its_users() {
    let app = WebApp::django_admin("ada", PASSWORD, &["grace", "edsger"]).await;
    let playbook = format!(
        "name: Who may do what
steps:
  - navigate: {admin}
  - handoff: {{ reason: custom, message: Log in to the admin, until: {{ url: '**/admin/' }} }}
  - click: {{ role: link, name: Groups }}
  - click: {{ role: link, name: Add group }}
  - type: {{ label: Name, text: Auditors }}
  - click: {{ role: button, name: Save }}
  - expect: {{ text: was added successfully }}
  - extract: {{ selector: '#result_list', to: groups.json }}
  - click: {{ role: link, name: Users }}
  - expect: {{ text: 3 users }}
  - extract: {{ selector: '#result_list', to: users.json }}
  - artifact: {{ path: groups.json }}
  - artifact: {{ path: users.json }}
",
        admin = app.url("/admin/")
    );
    let scene = Scene::open(&app, &playbook).await;

    // The page has put the cursor into the first field.
    scene.viewer.text("ada").await;
    scene.viewer.key("Tab", "Tab").await;
    scene.enter_password_and_hand_back().await;
    let receipt = scene.receipt_of_the_completed_task().await;
    assert_eq!(receipt["after"]["url"], app.url("/admin/"));
    assert_eq!(receipt["fieldsTouched"], json!(["Username", "Password"]));

    let users = scene.saved("users.json").await;
    let column = |rows: &Value, name: &str| {
        let rows = rows.as_array().expect("a table's rows").iter();
        rows.map(|row| row[name].as_str().expect("a cell of text").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(column(&users, "Username"), ["ada", "edsger", "grace"]);
    assert_eq!(column(&users, "Email address")[1], "edsger@office.example");
    assert_eq!(column(&scene.saved("groups.json").await, "Group"), ["Auditors"]);
    let logins = app.said().matches("POST /admin/login/").count();
    assert_eq!(logins, 1, "the playbook goes on in the person's session: {}", app.said());
    assert_kept_nowhere(&scene.baton, &scene.task, &[PASSWORD], "edsger@office.example").await;
}

#[tokio::test]
async fn a_person_signs_in_to_jupyterlab_and_the_playbook_runs_and_brings_back_a_notebook() {
    let notebook = json!({
        "nbformat": 4, "nbformat_minor": 5,
        "metadata": { "kernelspec": { "name": "python3", "display_name": "Python 3" } },
        "cells": [{ "id": "squares", "cell_type": "code", "metadata": {}, "execution_count": null, "outputs": [],
            "source": "print('sum of squares:', sum(n * n for n in range(101)))" }],
    });
    let app = WebApp::jupyter_lab(PASSWORD, "squares.ipynb", &notebook.to_string()).await;
    let playbook = format!(
        "name: Run the notebook
steps:
  - navigate: {lab}
  - handoff: {{ reason: custom, message: Log in to JupyterLab, until: {{ url: '**/lab**' }} }}
  - doubleClick: {{ role: listitem, name: squares.ipynb, timeoutMs: 60000 }}
  # Words are coloured as soon as the kernel has told its language.
  - waitFor: {{ selector: '.jp-CodeCell .cm-line > span', timeoutMs: 60000 }}
  - click: {{ role: menuitem, name: Run }}
  - click: {{ role: menuitem, name: Run All Cells }}
  - waitFor: {{ text: 'sum of squares: 338350', timeoutMs: 60000 }}
  - press: Control+S
  - waitFor: {{ selector: '{tab}:not(.jp-mod-dirty)' }}
  - click: {{ role: menuitem, name: File }}
  - download: {{ click: {{ role: menuitem, name: Download }}, to: squares.ipynb }}
  - artifact: {{ path: squares.ipynb }}
",
        lab = app.url("/lab"),
        tab = "#jp-main-dock-panel .lm-TabBar-tab.lm-mod-current",
    );
    let scene = Scene::open(&app, &playbook).await;

    scene.viewer.key("Tab", "Tab").await;
    scene.viewer.key("Tab", "Tab").await;
    scene.enter_password_and_hand_back().await;
    let receipt = scene.receipt_of_the_completed_task().await;
    assert_eq!(receipt["fieldsTouched"], json!(["Password"]));

    let saved = scene.saved("squares.ipynb").await;
    let output = &saved["cells"][0]["outputs"][0]["text"];
    assert_eq!(*output, json!(["sum of squares: 338350\n"]), "the kernel's own answer is in the file: {saved}");
    let logins = app.said().matches("POST /login").count();
    assert_eq!(logins, 1, "the playbook goes on in the person's session: {}", app.said());
    assert_kept_nowhere(&scene.baton, &scene.task, &[PASSWORD], "sum of squares").await;
}
