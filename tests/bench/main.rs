//! Measures the live view beside its floor and its peer, in one run, by the method of the project's performance page.
//!
//! ```text
//!   live [selftest] [press] [flow] [exact] [start] [take] [exec] [memory] [gate] [history] [agent]     all without a name
//! ```
//!
//! Prints one table a part, and one of the budgets, and writes `target/measured.json`. A figure is a ratio within one run.

mod agent;
mod budgets;
mod chromium;
mod cost;
mod exact;
mod flow;
mod gate;
mod pages;
mod peer;
mod presses;
mod probe;
mod room;
mod selftest;
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
        selftest::measure(&mut measured).await?;
    }
    if wants("press") {
        presses::measure(&mut measured).await?;
    }
    if wants("flow") {
        flow::measure(&mut measured).await?;
    }
    if wants("exact") {
        exact::measure(&mut measured).await?;
    }
    if wants("start") {
        room::start(&mut measured).await?;
    }
    if wants("take") {
        room::take(&mut measured).await?;
    }
    if wants("exec") {
        room::exec(&mut measured).await?;
    }
    if wants("memory") {
        room::memory(&mut measured).await?;
    }
    if wants("gate") {
        gate::measure(&mut measured).await?;
    }
    if wants("history")
        && let Some(figures) = std::env::var_os("BATON_BENCH_HISTORY")
    {
        // A benchmark of the runtime's own, which has the store at hand.
        measured.add("history", serde_json::from_slice::<serde_json::Value>(&std::fs::read(figures)?)?)?;
    }
    if wants("agent") {
        agent::measure(&mut measured).await?;
    }
    measured.keep(&baton_tests::repository().join("target/measured.json"))
}
