//! Measures the live view beside its floor and its peer, in one run, by the method of the project's performance page.
//!
//! ```text
//!   live [selftest] [click] [flow] [exact] [start] [take] [exec] [agent]     all of them without a name
//! ```
//!
//! Prints one table a part and writes `target/measured.json`. A figure is a ratio within one run.

mod agent;
mod chromium;
mod cost;
mod pages;
mod parts;
mod peer;
mod probe;
mod subjects;
mod table;

use anyhow::Result;

/// The page's size; the peer's window has the same.
pub const PAGE_SIZE: (u32, u32) = (1280, 720);
/// Our viewer page shows the browser's bars above the page and its own bar below: large enough not to scale.
pub const VIEW_SIZE: (u32, u32) = (1440, 960);
pub const WINDOW_SIZE: (u32, u32) = (1920, 1200);

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let [first, page, fault] = words.as_slice()
        && first == "peer"
    {
        return peer::serve(page, fault);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(measure(&words))
}

async fn measure(words: &[String]) -> Result<()> {
    let wants = |part: &str| words.is_empty() || words.iter().any(|word| word == part);
    let mut measured = table::Measured::default();
    if wants("selftest") {
        parts::selftest(&mut measured).await?;
    }
    if wants("click") {
        parts::click(&mut measured).await?;
    }
    if wants("flow") {
        parts::flow(&mut measured).await?;
    }
    if wants("exact") {
        parts::exact(&mut measured).await?;
    }
    if wants("start") {
        parts::start(&mut measured).await?;
    }
    if wants("take") {
        parts::take(&mut measured).await?;
    }
    if wants("exec") {
        parts::exec(&mut measured).await?;
    }
    if wants("agent") {
        agent::measure(&mut measured).await?;
    }
    measured.keep(&baton_tests::repository().join("target/measured.json"))
}
