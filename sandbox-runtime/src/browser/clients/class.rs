//! What a command of the debugging protocol does, by its name: the table that the gate goes by for outside clients.
//!
//! A name that no line covers acts. Each method of the protocol that our types know, with its class, stands in
//! `methods.txt`, which a test holds current.

/// What an outside client's command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Concerns only the client's connection: reveals nothing of a page and does nothing to it. Always passes.
    Neutral,
    /// Looks at a page.
    Look,
    /// Configures what the client's session receives, or how the page appears to it.
    Prepare,
    /// Releases what waits for the client, such as a request that it intercepted. Never waits itself.
    LetGo,
    /// Acts: goes out under the agent side's lease and counts as an action in flight.
    Act,
    /// Never done for a client, and why.
    Refused(&'static str),
}

/// Methods that are looked up by their whole name, before any rule.
const NAMED: &[(&[&str], Class)] = &[
    (
        &[
            "Browser.getVersion",
            "DOM.discardSearchResults",
            "IO.close",
            "Page.screencastFrameAck",
            "Page.setLifecycleEventsEnabled",
            "Page.stopScreencast",
            "Runtime.releaseObject",
            "Runtime.releaseObjectGroup",
            "Schema.getDomains",
            "SystemInfo.getInfo",
            "Target.attachToBrowserTarget",
            "Target.attachToTarget",
            "Target.autoAttachRelated",
            "Target.detachFromTarget",
            "Target.getBrowserContexts",
            "Target.setAutoAttach",
            "Target.setDiscoverTargets",
        ],
        Class::Neutral,
    ),
    (
        &[
            "CSS.startRuleUsageTracking",
            "CSS.stopRuleUsageTracking",
            "CSS.trackComputedStyleUpdates",
            "IO.read",
            "Network.streamResourceContent",
            "Page.startScreencast",
            "Runtime.globalLexicalScopeNames",
            "Tracing.end",
            "Tracing.start",
        ],
        Class::Look,
    ),
    (
        &[
            "Browser.setDownloadBehavior",
            "Fetch.enable",
            "Page.addScriptToEvaluateOnLoad",
            "Page.addScriptToEvaluateOnNewDocument",
            "Page.createIsolatedWorld",
            "Page.removeScriptToEvaluateOnLoad",
            "Page.removeScriptToEvaluateOnNewDocument",
            "Runtime.addBinding",
            "Runtime.removeBinding",
        ],
        Class::Prepare,
    ),
    (
        &[
            "Debugger.resume",
            "Fetch.continueRequest",
            "Fetch.continueResponse",
            "Fetch.continueWithAuth",
            "Fetch.disable",
            "Fetch.failRequest",
            "Fetch.fulfillRequest",
            "Network.continueInterceptedRequest",
            "Runtime.runIfWaitingForDebugger",
        ],
        Class::LetGo,
    ),
    // Named like settings, but they change the page or the machine.
    (
        &[
            "Debugger.setReturnValue",
            "Debugger.setScriptSource",
            "Debugger.setVariableValue",
            "Network.setCookie",
            "Network.setCookies",
            "Page.setDocumentContent",
            "Page.setWebLifecycleState",
        ],
        Class::Act,
    ),
    (&["Browser.close"], Class::Refused("the browser belongs to its sandbox: disconnect, or end the sandbox")),
    (
        &["Browser.crash", "Browser.crashGpuProcess", "Page.crash"],
        Class::Refused("crashing the browser of a sandbox is not done for anyone"),
    ),
    (
        &["Browser.executeBrowserCommand", "Browser.setDockTile", "Target.openDevTools"],
        Class::Refused("this would open the browser's own windows over the page"),
    ),
    (&["Input.setIgnoreInputEvents"], Class::Refused("input is never taken from the person")),
    (
        &["Target.exposeDevToolsProtocol", "Target.setRemoteLocations"],
        Class::Refused("a page must not get hold of the debugging protocol"),
    ),
    (
        &["Target.sendMessageToTarget"],
        Class::Refused("sessions are flat here: attach with flatten: true and send to its sessionId"),
    ),
];

/// Domains in which nothing is done for a client.
const CLOSED: &[(&str, &str)] = &[
    ("Extensions", "extensions are not installed through the debugging protocol"),
    ("PWA", "applications are not installed through the debugging protocol"),
    (
        "Security",
        "how certificates are checked is not changed for anyone: leave out ignoreHTTPSErrors, acceptInsecureCerts",
    ),
    ("Tethering", "no port of the sandbox is opened to the outside"),
];

/// Domains that tell a client more when they are enabled, and do nothing else by it.
const TELLING: &[&str] = &[
    "Accessibility",
    "Animation",
    "Audits",
    "Autofill",
    "CSS",
    "Console",
    "DOM",
    "DOMSnapshot",
    "DOMStorage",
    "Debugger",
    "HeapProfiler",
    "IndexedDB",
    "Inspector",
    "LayerTree",
    "Log",
    "Media",
    "Network",
    "Overlay",
    "Page",
    "Performance",
    "PerformanceTimeline",
    "Preload",
    "Profiler",
    "Runtime",
    "Security",
    "ServiceWorker",
    "WebAudio",
];

/// Domains that only look.
const LOOKING: &[&str] = &["Accessibility", "Audits", "DOMSnapshot", "HeapProfiler", "Performance", "Profiler"];

/// Domains whose settings belong to the client's own session.
const SETTLING: &[&str] = &[
    "CSS",
    "DOMDebugger",
    "Debugger",
    "Emulation",
    "EventBreakpoints",
    "Log",
    "Network",
    "Overlay",
    "Page",
    "Runtime",
];

/// How names of methods begin that look.
const LOOKS: &[&str] = &[
    "can", "capture", "describe", "find", "get", "is", "print", "query", "request", "resolve", "search", "snapshot",
    "take",
];

/// How names of methods begin that settle something.
const SETTLES: &[&str] =
    &["clearDeviceMetrics", "clearGeo", "clearIdle", "emulate", "override", "remove", "reset", "set"];

/// Returns what a method does.
pub fn class(method: &str) -> Class {
    if let Some((_, class)) = NAMED.iter().find(|(names, _)| names.contains(&method)) {
        return *class;
    }
    let Some((domain, name)) = method.split_once('.') else { return Class::Act };
    if matches!(name, "enable" | "disable") && TELLING.contains(&domain) {
        return Class::Neutral;
    }
    if let Some((_, why)) = CLOSED.iter().find(|(closed, _)| *closed == domain) {
        return Class::Refused(why);
    }
    if LOOKING.contains(&domain) || begins_with(name, LOOKS) {
        return Class::Look;
    }
    if SETTLING.contains(&domain) && begins_with(name, SETTLES) {
        return Class::Prepare;
    }
    Class::Act
}

/// Whether a name begins with one of these words; `get` begins `getTitle`, and not `getaway`.
fn begins_with(name: &str, words: &[&str]) -> bool {
    words.iter().any(|word| {
        name.strip_prefix(word).is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_lowercase()))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Write;
    use std::path::Path;

    use super::*;

    fn word(class: Class) -> &'static str {
        match class {
            Class::Neutral => "neutral",
            Class::Look => "look",
            Class::Prepare => "prepare",
            Class::LetGo => "letGo",
            Class::Act => "act",
            Class::Refused(_) => "refused",
        }
    }

    #[test]
    fn each_kind_is_told_by_its_name() {
        let check = |class_wanted: &str, methods: &[&str]| {
            for method in methods {
                assert_eq!(word(class(method)), class_wanted, "{method}");
            }
        };
        check("neutral", &["Page.enable", "Network.disable", "Target.setAutoAttach", "Runtime.releaseObject"]);
        check("look", &["Page.captureScreenshot", "DOM.getDocument", "Target.getTargets", "Accessibility.queryAXTree"]);
        check("prepare", &["Emulation.setDeviceMetricsOverride", "Page.setInterceptFileChooserDialog"]);
        check("letGo", &["Fetch.continueRequest", "Runtime.runIfWaitingForDebugger"]);
        check("act", &["Input.dispatchMouseEvent", "Page.navigate", "Runtime.evaluate", "Runtime.callFunctionOn"]);
        check("refused", &["Browser.close", "Security.setIgnoreCertificateErrors", "Tethering.bind"]);
    }

    #[test]
    fn what_is_not_known_acts() {
        for method in [
            "",
            "nonsense",
            "Page.getaway",
            "Novelty.doSomething",
            "Novelty.enable",
            "FedCm.enable",
            "Page.navigate.twice",
            "page.Enable",
        ] {
            assert_eq!(class(method), Class::Act, "{method:?}");
        }
    }

    /// Reads the names of all methods from the protocol's own description, which lies beside our types of it.
    fn methods_of_the_protocol() -> BTreeSet<String> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let told = std::process::Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--offline", "--filter-platform"])
            .arg(format!("{}-unknown-linux-gnu", std::env::consts::ARCH))
            .arg("--manifest-path")
            .arg(manifest)
            .output()
            .expect("cargo runs");
        let metadata: serde_json::Value = serde_json::from_slice(&told.stdout).expect("cargo tells of the packages");
        let packages = metadata["packages"].as_array().expect("a list");
        let types = packages.iter().find(|package| package["name"] == "chromiumoxide_cdp").expect("we depend on it");
        let folder = Path::new(types["manifest_path"].as_str().expect("a path")).with_file_name("pdl");
        let mut files = vec![folder.join("js_protocol.pdl"), folder.join("browser_protocol.pdl")];
        let listed = std::fs::read_dir(folder.join("domains")).expect("the domains are described");
        files.extend(listed.map(|entry| entry.expect("a folder can be read").path()));
        let mut methods = BTreeSet::new();
        for file in files.iter().filter(|file| file.extension().is_some_and(|name| name == "pdl")) {
            let mut domain = String::new();
            for line in std::fs::read_to_string(file).expect("a description can be read").lines() {
                let words: Vec<&str> =
                    line.split_whitespace().filter(|word| !["experimental", "deprecated"].contains(word)).collect();
                match words.as_slice() {
                    ["domain", name] => domain = (*name).to_owned(),
                    ["command", name] => drop(methods.insert(format!("{domain}.{name}"))),
                    _ => {}
                }
            }
        }
        methods
    }

    /// `BATON_WRITE_METHODS=1 cargo test` writes the list anew; what changed is to be read.
    #[test]
    fn every_method_of_the_protocol_has_its_class_written_down() {
        let methods = methods_of_the_protocol();
        assert!(methods.len() > 600, "the protocol has {} methods", methods.len());
        let mut now = String::new();
        for method in &methods {
            writeln!(now, "{:<8} {method}", word(class(method))).expect("text can be written");
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/browser/clients/methods.txt");
        if std::env::var_os("BATON_WRITE_METHODS").is_some() {
            std::fs::write(&path, &now).expect("the list can be written");
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(written == now, "methods.txt is not current: BATON_WRITE_METHODS=1 writes it anew");
        // A name in the table that the protocol does not have is a slip of the pen.
        let named = NAMED.iter().flat_map(|(names, _)| names.iter());
        let unknown: Vec<_> = named.filter(|name| !methods.contains(**name)).collect();
        assert!(unknown.is_empty(), "the protocol has no {unknown:?}");
    }
}
