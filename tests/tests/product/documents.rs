//! Conversions of real documents, checked by opening what came of them.

use std::process::Command;

use baton_tests::Baton;
use serde_json::{Value, json};

const REPORT: &str =
    "# Invoices of October\n\n| No | Total |\n|---|---|\n| 1 | 41 |\n\nPaid in full. ![plot](plot.png)\n";

async fn put(baton: &Baton, sandbox: &str, path: &str, bytes: impl Into<reqwest::Body>) {
    let address = format!("{}/v1/sandboxes/{sandbox}/fs/write?path={path}", baton.url);
    let request = baton_tests::http_client().put(address).bearer_auth(&baton.token);
    let answer = request.header("content-type", "application/octet-stream").body(bytes).send().await;
    answer.and_then(reqwest::Response::error_for_status).expect("the file is written");
}

async fn convert(baton: &Baton, sandbox: &str, body: Value) -> Value {
    baton.post(&format!("/sandboxes/{sandbox}/documents/convert"), body).await
}

async fn file(baton: &Baton, sandbox: &str, path: &str) -> Vec<u8> {
    baton.bytes(&format!("/sandboxes/{sandbox}/fs/read?path={path}")).await
}

/// Opens a PDF with poppler on this side, and returns its number of pages and its text.
fn opened(pdf: &[u8]) -> (usize, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.pdf");
    std::fs::write(&path, pdf).expect("a new file");
    let said = |program: &str, args: &[&str]| {
        let ran = Command::new(program).args(args).output().unwrap_or_else(|error| panic!("{program}: {error}"));
        assert!(ran.status.success(), "{program}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8_lossy(&ran.stdout).into_owned()
    };
    let path = path.to_str().expect("plain text");
    let info = said("pdfinfo", &[path]);
    let pages = info.lines().find_map(|line| line.strip_prefix("Pages:")).expect("a number of pages").trim();
    (pages.parse().expect("a number"), said("pdftotext", &["-layout", path, "-"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_become_what_is_asked_for() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let plot = image::RgbaImage::from_pixel(60, 40, image::Rgba([200, 30, 30, 255]));
    let mut png = std::io::Cursor::new(Vec::new());
    plot.write_to(&mut png, image::ImageFormat::Png).expect("a picture");
    put(&baton, &sandbox, "docs/report%20one.md", REPORT).await;
    put(&baton, &sandbox, "docs/plot.png", png.into_inner()).await;
    put(&baton, &sandbox, "page.html", "<h1>Hello page</h1><div style='break-before:page'>second</div>").await;
    put(&baton, &sandbox, "table.csv", "name,total\nAda,41\n").await;

    // Markdown to PDF, by default beside it.
    let made = convert(&baton, &sandbox, json!({ "path": "docs/report one.md", "to": "pdf" })).await;
    assert_eq!(
        (&made["path"], &made["artifact"]["kind"]),
        (&json!("docs/report one.pdf"), &json!("document")),
        "{made}"
    );
    let (pages, text) = opened(&file(&baton, &sandbox, "docs/report%20one.pdf").await);
    assert!(pages == 1 && text.contains("Invoices of October") && text.contains("41"), "{pages}: {text}");
    let key = made["artifact"]["key"].as_str().expect("a key");
    assert_eq!(
        baton.bytes(&format!("/artifacts/{key}/content")).await,
        file(&baton, &sandbox, "docs/report%20one.pdf").await
    );

    // HTML to PDF of two pages, those to pictures and to text.
    convert(&baton, &sandbox, json!({ "path": "page.html", "to": "pdf", "output": "out/page.pdf" })).await;
    assert_eq!(opened(&file(&baton, &sandbox, "out/page.pdf").await).0, 2);
    let made = convert(&baton, &sandbox, json!({ "path": "out/page.pdf", "to": "png" })).await;
    assert_eq!(made["paths"], json!(["out/page-1.png", "out/page-2.png"]));
    assert!(file(&baton, &sandbox, "out/page-2.png").await.starts_with(b"\x89PNG"));
    convert(&baton, &sandbox, json!({ "path": "out/page.pdf", "to": "txt" })).await;
    assert!(String::from_utf8_lossy(&file(&baton, &sandbox, "out/page.txt").await).contains("Hello page"));

    // Markdown to DOCX and back, and by LibreOffice to PDF.
    convert(&baton, &sandbox, json!({ "path": "docs/report one.md", "to": "docx", "output": "a.docx" })).await;
    convert(&baton, &sandbox, json!({ "path": "a.docx", "to": "md", "output": "back.md" })).await;
    assert!(String::from_utf8_lossy(&file(&baton, &sandbox, "back.md").await).contains("# Invoices of October"));
    convert(&baton, &sandbox, json!({ "path": "a.docx", "to": "pdf" })).await;
    assert!(opened(&file(&baton, &sandbox, "a.pdf").await).1.contains("Paid in full"));
    convert(&baton, &sandbox, json!({ "path": "table.csv", "to": "pdf" })).await;
    assert!(opened(&file(&baton, &sandbox, "table.pdf").await).1.contains("Ada"));

    // Nothing is left of the runs.
    let left = baton.post(&format!("/sandboxes/{sandbox}/exec"), json!({ "command": "ls", "args": ["/tmp"] })).await;
    assert!(!left["stdout"].as_str().expect("text").contains("convert-"), "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_converted_is_refused_with_the_reason() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    put(&baton, &sandbox, "a.pdf", "this is no PDF").await;
    put(&baton, &sandbox, "a.zip", "x").await;
    let path = format!("/sandboxes/{sandbox}/documents/convert");
    for (body, words) in [
        (json!({ "path": "a.zip", "to": "pdf" }), "does not become"),
        (json!({ "path": "../a.md", "to": "pdf" }), "outside"),
        (json!({ "path": "a.pdf", "to": "txt", "output": "../x.txt" }), "outside"),
        (json!({ "path": "a.pdf", "to": "png" }), "convert the document"),
    ] {
        let (status, refusal) = baton.send("POST", &path, Some(body)).await;
        let message = refusal["error"]["message"].as_str().unwrap_or_default();
        assert!(status == 400 && message.contains(words), "{status} {refusal}");
    }
    let (status, _) = baton.send("POST", &path, Some(json!({ "path": "none.md", "to": "pdf" }))).await;
    assert_eq!(status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_playbook_converts_what_it_wrote() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let playbook = "name: Report\nsteps:\n  - write: { path: report.md, content: \"# Monthly report\" }\n  - convert: { path: report.md, to: pdf }\n  - artifact: { path: report.pdf, name: final.pdf }\n";
    let task = baton.post(&format!("/sandboxes/{sandbox}/tasks"), json!({ "playbook": playbook })).await;
    let over = baton.until_over(task["taskId"].as_str().expect("an id")).await;
    assert_eq!(over["status"], "completed", "{over}");
    assert!(opened(&file(&baton, &sandbox, "report.pdf").await).1.contains("Monthly report"));
}
