//! The TypeScript client, built from `sdk/typescript`, against a real runtime; and the guides' programs that use it.

use std::process::Stdio;
use std::time::Duration;

use baton_tests::{Baton, Guide, Viewer, repository};
use tokio::process::Command;

/// For all of the client's own tests.
const LIMIT: Duration = Duration::from_secs(180);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_typescript_client_passes_its_own_tests() {
    let baton = Baton::start().await;
    let client = repository().join("sdk/typescript");
    assert!(client.join("dist").exists(), "the client is not built: run script/setup test");
    let tests = Command::new("node")
        .args(["--test", "tests/"])
        .current_dir(client)
        .env("BATON_HOME", baton.home())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let ran = tokio::time::timeout(LIMIT, tests).await.expect("the tests end in time").expect("node starts");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}");
    assert!(said.contains("# fail 0") && !said.contains("# pass 0"), "{said}");
}

#[tokio::test]
async fn the_types_of_the_client_are_those_of_the_document() {
    let checked = Command::new("node")
        .args(["scripts/types.mjs", "--check"])
        .current_dir(repository().join("sdk/typescript"))
        .output()
        .await
        .expect("node starts");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

/// Does what the guides ask of a person: takes the wheel, types the code, hands back.
async fn person(baton: &Baton) {
    let waiting = baton.until("/handoffs?status=pending", "/data/0/status", "pending").await;
    let sandbox = waiting["data"][0]["sandboxId"].as_str().expect("a sandbox").to_owned();
    let viewer = Viewer::connect(baton, &sandbox).await;
    viewer.take().await;
    viewer.still_picture().await;
    viewer.text("123456").await;
    viewer.key("Enter", "Enter").await;
    viewer.still_picture().await;
    viewer.hand_back(Some("signed in")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_typescript_guide_runs_as_printed() {
    let baton = Baton::start().await;
    let said = Guide::follow("typescript.md", &baton).await;
    assert!(said.contains("42") && said.contains("task completed: 3 lines"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_guide_runs_as_printed() {
    let baton = Baton::start().await;
    let said = Guide::follow("python.md", &baton).await;
    assert!(said.contains("42") && said.contains("kept report.txt, 3 bytes"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guide_to_a_person_in_the_loop_runs_as_printed() {
    let baton = Baton::start().await;
    let (said, ()) = tokio::join!(Guide::follow("person-in-the-loop.md", &baton), person(&baton));
    assert!(said.contains("open this: http://") && said.contains("signed in"), "{said}");
    assert!(said.contains("went on at http://portal.example/invoices"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mcp_guide_runs_as_printed() {
    let baton = Baton::start().await;
    let (said, ()) = tokio::join!(Guide::follow("mcp.md", &baton), person(&baton));
    assert!(said.contains("completed") && said.contains("heading \"Invoices\""), "{said}");
}
