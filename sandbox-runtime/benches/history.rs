//! P15: a history of a million events. How fast it opens, appends, and finds.
//!
//! Run it with `cargo bench -p sandbox-runtime --bench history [-- EVENTS]`. It prints a table, and the
//! same as a line of JSON; nothing runs beside it.

use std::time::{Duration, Instant};

use sandbox_core::event::{AgentMessage, NewEvent};
use sandbox_core::model::*;
use sandbox_runtime::store::{Change, EventFilter, PageRequest, Store};

const EVENTS: usize = 1_000_000;
/// Events of one commit, as a busy sandbox brings them.
const BATCH: usize = 50;
/// Events of one task.
const TASK: usize = 500;
/// How often a page and a word are read.
const READS: usize = 200;

#[tokio::main]
async fn main() {
    let wanted = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(EVENTS);
    let home = tempfile::tempdir().expect("a folder");
    let store = Store::open(home.path()).expect("a new history");
    let appended = append(&store, wanted).await;
    drop(store);

    let begun = Instant::now();
    let store = Store::open(home.path()).expect("the history");
    let opened = begun.elapsed();

    let newest = format!("task_{}", (wanted - 1) / TASK);
    let (mut pages, mut words) = (Vec::new(), Vec::new());
    for n in 0..READS {
        let filter = EventFilter { task_id: Some(newest.as_str().into()), ..EventFilter::default() };
        pages.push(timed(store.events(filter, 100)).await);
        let q = format!("invoice {}", n * 97 % 5_000);
        words.push(timed(store.search(&q, PageRequest::default())).await);
    }
    let events_per_s = wanted as f64 / appended.as_secs_f64();
    let (open, page, search) = (ms(opened), ms(p95(&mut pages)), ms(p95(&mut words)));
    println!("| history of {wanted} events | |\n|---|---|");
    println!("| append, events committed a second, {BATCH} a commit | {events_per_s:.0} |");
    println!("| open | {open:.0} ms |");
    println!("| newest page of a task, p95 | {page:.2} ms |");
    println!("| search of two words, p95 | {search:.2} ms |");
    let figures = serde_json::json!({
        "events": wanted, "eventsPerS": events_per_s, "openMs": open, "pageP95Ms": page, "searchP95Ms": search,
    });
    println!("{figures}");
}

async fn append(store: &Store, wanted: usize) -> Duration {
    let begun = Instant::now();
    for first in (0..wanted).step_by(BATCH) {
        let events = (first..wanted.min(first + BATCH)).map(event).collect();
        store.commit(Change { events, ..Change::default() }).await.expect("room on the disk");
    }
    begun.elapsed()
}

fn event(n: usize) -> NewEvent {
    let task = n / TASK;
    NewEvent {
        sandbox_id: format!("sbx_{}", task / 20).as_str().into(),
        task_id: Some(format!("task_{task}").as_str().into()),
        by: Actor::Agent,
        at: i64::try_from(n).unwrap_or_default(),
        data: AgentMessage::new(format!(
            "Checked invoice {} of supplier {} and wrote {} down.",
            n % 5_000,
            n % 37,
            n * 31 % 90_000
        ))
        .into(),
    }
}

async fn timed<T, E: std::fmt::Debug>(asked: impl Future<Output = Result<T, E>>) -> Duration {
    let begun = Instant::now();
    asked.await.expect("an answer");
    begun.elapsed()
}

fn p95(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() * 95 / 100]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
