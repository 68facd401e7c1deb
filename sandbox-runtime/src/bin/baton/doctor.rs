//! `baton doctor`: the checks of this machine, with or without a runtime.

use sandbox_core::model::Check;
use sandbox_runtime::sandbox::checks;
use serde_json::json;

use crate::exit;

pub async fn doctor(as_json: bool) -> anyhow::Result<u8> {
    let checks = checks::all().await;
    let usable = checks.iter().all(|check| check.ok || !check.required);
    match as_json {
        true => println!("{}", serde_json::to_string_pretty(&json!({ "ok": usable, "data": checks }))?),
        false => print!("{}", page(&checks, usable)),
    }
    Ok(if usable { exit::DONE } else { exit::FAILED })
}

fn page(checks: &[Check], usable: bool) -> String {
    let mut page = String::new();
    for check in checks {
        let sign = match (check.ok, check.required) {
            (true, _) => "ok     ",
            (false, true) => "MISSING",
            (false, false) => "limited",
        };
        page.push_str(&format!("{sign}  {}: {}\n", check.name, check.found));
        if let Some(fix) = check.fix.as_ref().filter(|_| !check.ok) {
            page.push_str(&format!("         mend it with: {fix}\n"));
        }
    }
    page.push_str(if usable {
        "\nThis machine can run sandboxes.\n"
    } else {
        "\nThis machine cannot run sandboxes yet.\n"
    });
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_comes_with_what_mends_it() {
        let check = |ok, required| Check {
            name: "bubblewrap".to_owned(),
            ok,
            required,
            found: "not installed".to_owned(),
            fix: Some("apt install bubblewrap".to_owned()),
        };
        let missing = page(&[check(false, true)], false);
        assert!(
            missing.contains("MISSING  bubblewrap: not installed\n         mend it with: apt install bubblewrap\n")
        );
        assert!(missing.ends_with("cannot run sandboxes yet.\n"));
        assert!(page(&[check(false, false)], true).contains("limited"));
        assert!(!page(&[check(true, true)], true).contains("mend"));
    }
}
