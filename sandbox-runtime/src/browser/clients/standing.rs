//! Settings of outside clients that would hinder a person: intercepted requests and file choosers, another page size, pauses
//! of the debugger, recordings.
//!
//! Suspended when a person takes control, restored when they hand back.

use serde_json::Value;

use super::super::pipe::Pipe;

/// A setting that is lifted for a person.
struct Setting {
    on: &'static str,
    /// A parameter and its value with which the same method says that the setting is off.
    off_if: Option<(&'static str, &'static str)>,
    off: &'static str,
    off_params: &'static str,
    /// Whether it is laid again.
    comes_back: bool,
}

const fn setting(
    on: &'static str,
    off_if: Option<(&'static str, &'static str)>,
    off: (&'static str, &'static str),
) -> Setting {
    Setting { on, off_if, off: off.0, off_params: off.1, comes_back: true }
}

const fn recording(on: &'static str, off: &'static str) -> Setting {
    Setting { on, off_if: None, off, off_params: "{}", comes_back: false }
}

/// Makes a page believe that it is in front.
pub const FOCUS: &str = "Emulation.setFocusEmulationEnabled";

const SETTINGS: &[Setting] = &[
    setting(
        "Page.setInterceptFileChooserDialog",
        Some(("enabled", "false")),
        ("Page.setInterceptFileChooserDialog", r#"{"enabled":false}"#),
    ),
    setting("Emulation.setDeviceMetricsOverride", None, ("Emulation.clearDeviceMetricsOverride", "{}")),
    setting(
        "Emulation.setTouchEmulationEnabled",
        Some(("enabled", "false")),
        ("Emulation.setTouchEmulationEnabled", r#"{"enabled":false}"#),
    ),
    setting(FOCUS, Some(("enabled", "false")), (FOCUS, r#"{"enabled":false}"#)),
    setting(
        "Emulation.setEmitTouchEventsForMouse",
        Some(("enabled", "false")),
        ("Emulation.setEmitTouchEventsForMouse", r#"{"enabled":false}"#),
    ),
    setting(
        "Emulation.setScriptExecutionDisabled",
        Some(("value", "false")),
        ("Emulation.setScriptExecutionDisabled", r#"{"value":false}"#),
    ),
    setting("Emulation.setCPUThrottlingRate", Some(("rate", "1")), ("Emulation.setCPUThrottlingRate", r#"{"rate":1}"#)),
    setting("Input.setInterceptDrags", Some(("enabled", "false")), ("Input.setInterceptDrags", r#"{"enabled":false}"#)),
    setting("Overlay.setInspectMode", Some(("mode", "\"none\"")), ("Overlay.setInspectMode", r#"{"mode":"none"}"#)),
    setting("Debugger.enable", None, ("Debugger.setSkipAllPauses", r#"{"skip":true}"#)),
    setting("Fetch.enable", None, ("Fetch.disable", "{}")),
    setting("Page.startScreencast", None, ("Page.stopScreencast", "{}")),
    // Bodies that pass meanwhile are not collected: what is off forgets them. The rest below comes back with it.
    setting("Network.enable", None, ("Network.disable", "{}")),
    setting("Network.setExtraHTTPHeaders", None, ("", "")),
    setting("Network.setCacheDisabled", None, ("", "")),
    setting("Network.setBypassServiceWorker", None, ("", "")),
    setting("Network.emulateNetworkConditions", None, ("", "")),
    setting("Network.emulateNetworkConditionsByRule", None, ("", "")),
    setting("Network.overrideNetworkState", None, ("", "")),
    setting("Network.setBlockedURLs", None, ("", "")),
    // A recording must not hold what happened meanwhile.
    recording("CSS.startRuleUsageTracking", "CSS.stopRuleUsageTracking"),
    recording("HeapProfiler.startSampling", "HeapProfiler.stopSampling"),
    recording("HeapProfiler.startTrackingHeapObjects", "HeapProfiler.stopTrackingHeapObjects"),
    recording("Profiler.start", "Profiler.stop"),
    recording("Profiler.startPreciseCoverage", "Profiler.stopPreciseCoverage"),
    recording("Tracing.start", "Tracing.end"),
];

/// Methods that end a setting besides its own way of saying so.
const ENDS: &[(&str, &str)] = &[
    ("Emulation.clearDeviceMetricsOverride", "Emulation.setDeviceMetricsOverride"),
    ("Debugger.disable", "Debugger.enable"),
    ("Fetch.disable", "Fetch.enable"),
    ("Page.stopScreencast", "Page.startScreencast"),
    ("Network.disable", "Network.enable"),
    ("CSS.stopRuleUsageTracking", "CSS.startRuleUsageTracking"),
    ("HeapProfiler.stopSampling", "HeapProfiler.startSampling"),
    ("HeapProfiler.stopTrackingHeapObjects", "HeapProfiler.startTrackingHeapObjects"),
    ("Profiler.stop", "Profiler.start"),
    ("Profiler.stopPreciseCoverage", "Profiler.startPreciseCoverage"),
    ("Tracing.end", "Tracing.start"),
];

/// What one session has laid over its target, in order.
#[derive(Debug, Default)]
pub struct Standing {
    laid: Vec<(&'static str, Value)>,
}

impl Standing {
    /// Notes a command that was sent for the client.
    pub fn note(&mut self, method: &str, params: &str) {
        if let Some((_, on)) = ENDS.iter().find(|(end, _)| *end == method) {
            self.laid.retain(|(laid, _)| laid != on);
            if method == "Network.disable" {
                self.laid.retain(|(laid, _)| !laid.starts_with("Network."));
            }
            return;
        }
        let Some(setting) = SETTINGS.iter().find(|setting| setting.on == method) else { return };
        let params: Value = serde_json::from_str(params).unwrap_or_default();
        self.laid.retain(|(laid, _)| *laid != setting.on);
        let is_off = setting.off_if.is_some_and(|(name, value)| {
            let off: Value = serde_json::from_str(value).expect("the table holds JSON");
            params[name] == off
        });
        if !is_off {
            self.laid.push((setting.on, params));
        }
    }

    /// Whether the target is made to believe that it is in front.
    pub fn feigns_front(&self) -> bool {
        self.laid.iter().any(|(on, _)| *on == FOCUS)
    }

    /// Lifts everything from the session's target.
    pub fn lift(&mut self, pipe: &Pipe, session: &str) {
        for (on, _) in &self.laid {
            let setting = SETTINGS.iter().find(|setting| setting.on == *on).filter(|setting| !setting.off.is_empty());
            if let Some(setting) = setting {
                let params = serde_json::from_str(setting.off_params).expect("the table holds JSON");
                pipe.note(Some(session), setting.off, params);
            }
        }
        self.laid.retain(|(on, _)| SETTINGS.iter().any(|setting| setting.on == *on && setting.comes_back));
    }

    /// Lays everything again.
    pub fn lay_again(&self, pipe: &Pipe, session: &str) {
        for (on, params) in &self.laid {
            // The debugger stayed on; only its pauses were skipped.
            if *on == "Debugger.enable" {
                pipe.note(Some(session), "Debugger.setSkipAllPauses", serde_json::json!({ "skip": false }));
            } else {
                pipe.note(Some(session), on, params.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid(commands: &[(&str, &str)]) -> Vec<&'static str> {
        let mut standing = Standing::default();
        for (method, params) in commands {
            standing.note(method, params);
        }
        standing.laid.into_iter().map(|(method, _)| method).collect()
    }

    #[test]
    fn the_last_word_counts() {
        let chooser = "Page.setInterceptFileChooserDialog";
        assert_eq!(laid(&[(chooser, r#"{"enabled":true}"#)]), [chooser]);
        assert!(laid(&[(chooser, r#"{"enabled":true}"#), (chooser, r#"{"enabled": false}"#)]).is_empty());
        assert!(laid(&[("Fetch.enable", "{}"), ("Fetch.disable", "{}")]).is_empty());
        assert_eq!(laid(&[("Fetch.enable", "{}"), ("Fetch.enable", r#"{"patterns":[]}"#)]), ["Fetch.enable"]);
        let network = [("Network.enable", "{}"), ("Network.setCacheDisabled", r#"{"cacheDisabled":true}"#)];
        assert_eq!(laid(&network), ["Network.enable", "Network.setCacheDisabled"]);
        assert!(laid(&[network[0], network[1], ("Network.disable", "{}")]).is_empty());
        assert!(laid(&[("Page.navigate", "{}")]).is_empty());
    }

    #[test]
    fn each_line_of_the_table_is_json() {
        for setting in SETTINGS.iter().filter(|setting| !setting.off.is_empty()) {
            assert!(serde_json::from_str::<Value>(setting.off_params).is_ok(), "{}", setting.off);
        }
    }
}
