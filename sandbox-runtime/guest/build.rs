//! Builds the module that GTK loads into the room's browser (see `gtk/module.rs`): a library of its own, which the guest
//! carries and writes out.

use std::path::PathBuf;
use std::process::Command;

const SOURCE: &str = "gtk/module.rs";

fn main() {
    println!("cargo:rerun-if-changed={SOURCE}");
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"));
    let library = PathBuf::from(variable("OUT_DIR")).join("gtk_module.so");
    let built = Command::new(variable("RUSTC"))
        .args(["--edition", "2024", "--crate-type", "cdylib", "--crate-name", "baton_gtk"])
        .args(["--target", &variable("TARGET")])
        .args(["-C", "panic=abort", "-C", "opt-level=z", "-C", "strip=symbols"])
        // GTK unloads its modules when its settings change, and the hook would be gone with it.
        .args(["-C", "link-arg=-Wl,-z,nodelete"])
        .arg("-o")
        .arg(&library)
        .arg(SOURCE)
        .status();
    assert!(built.is_ok_and(|status| status.success()), "build {SOURCE}");
}
