//! `baton verify`: what a bundle says of itself, checked.

use std::path::PathBuf;

use anyhow::Context;
use sandbox_runtime::bundle;

use crate::exit;

/// Checks a bundle and says what was found. Needs no runtime.
pub async fn verify(path: PathBuf) -> anyhow::Result<u8> {
    let shown = path.display().to_string();
    let checked = tokio::task::spawn_blocking(move || bundle::verify(&path)).await?;
    let verdict = checked.with_context(|| shown.clone())?;
    println!("{}", verdict.title.replace(char::is_control, " "));
    println!("{} files, {} events", verdict.n_files, verdict.n_events);
    if verdict.faults.is_empty() {
        println!("whole: nothing was changed since it was made");
        if !verdict.chain.is_empty() {
            println!("chain {}", verdict.chain);
        }
        return Ok(exit::DONE);
    }
    for fault in &verdict.faults {
        println!("altered: {}", fault.replace(char::is_control, " "));
    }
    Ok(exit::FAILED)
}
