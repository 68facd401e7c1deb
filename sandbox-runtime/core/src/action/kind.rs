//! The table of the actions: what is known of each before its arguments are.

use serde::de::MapAccess;

use super::Action;

/// What is known of an action by its name alone.
#[derive(Debug, PartialEq, Eq)]
pub struct ActionKind {
    /// The name as a playbook writes it.
    pub name: &'static str,
    /// It may bring another document by itself.
    pub leads_elsewhere: bool,
    /// It may make a page ask something: a confirm, a prompt, whether to leave.
    pub brings_dialog: bool,
    /// A dialog that stands does not hinder it: it shows what is there, answers it, or goes to another tab.
    pub ignores_dialog: bool,
    /// It aims at something that the model saw earlier, or at whatever page is there.
    pub acts_on_seen: bool,
    /// What it tells is all that there is to know after it.
    pub shows_itself: bool,
    /// A playbook that was saved from a task waits for the address that it led to.
    pub expects_address: bool,
}

/// A kind of which nothing is known but its name.
const fn named(name: &'static str) -> ActionKind {
    ActionKind {
        name,
        leads_elsewhere: false,
        brings_dialog: false,
        ignores_dialog: false,
        acts_on_seen: false,
        shows_itself: false,
        expects_address: false,
    }
}

/// Reads the arguments of an action: those that are all optional may also be left out.
macro_rules! arguments {
    (required, $map:ident) => {
        $map.next_value()
    };
    (optional, $map:ident) => {
        $map.next_value::<Option<_>>().map(Option::unwrap_or_default)
    };
}

macro_rules! actions {
    ($($variant:ident $name:literal $arguments:ident [$($fact:ident),*];)*) => {
        impl Action {
            /// Every action's name, as a playbook writes it.
            pub const NAMES: &[&str] = &[$($name),*];

            /// Returns what is known of the action by its name alone.
            pub fn kind(&self) -> &'static ActionKind {
                match self {
                    $(Self::$variant(_) => {
                        const KIND: ActionKind = ActionKind { $($fact: true,)* ..named($name) };
                        &KIND
                    })*
                }
            }

            /// Reads the arguments of the action of that name, which come next in the map; `None` if there is no such action.
            pub(crate) fn read<'de, A: MapAccess<'de>>(name: &str, map: &mut A) -> Option<Result<Self, A::Error>> {
                Some(match name {
                    $($name => arguments!($arguments, map).map(Self::$variant),)*
                    _ => return None,
                })
            }
        }
    };
}

actions! {
    Navigate "navigate" required [leads_elsewhere, brings_dialog];
    Back "back" optional [leads_elsewhere, brings_dialog, acts_on_seen];
    Forward "forward" optional [leads_elsewhere, brings_dialog, acts_on_seen];
    Reload "reload" optional [leads_elsewhere, brings_dialog, acts_on_seen];
    Click "click" required [leads_elsewhere, brings_dialog, acts_on_seen, expects_address];
    DoubleClick "doubleClick" required [leads_elsewhere, brings_dialog, acts_on_seen, expects_address];
    Hover "hover" required [acts_on_seen];
    Drag "drag" required [leads_elsewhere, brings_dialog, acts_on_seen];
    Type "type" required [leads_elsewhere, brings_dialog, acts_on_seen];
    Press "press" required [leads_elsewhere, brings_dialog, acts_on_seen, expects_address];
    Select "select" required [leads_elsewhere, brings_dialog, acts_on_seen, expects_address];
    Scroll "scroll" required [acts_on_seen];
    WaitFor "waitFor" required [];
    Expect "expect" required [];
    Extract "extract" required [acts_on_seen, shows_itself];
    Download "download" required [brings_dialog, acts_on_seen];
    Upload "upload" required [leads_elsewhere, brings_dialog, acts_on_seen];
    SignIn "signIn" optional [leads_elsewhere, brings_dialog];
    Tabs "tabs" optional [ignores_dialog, shows_itself];
    NewTab "newTab" optional [leads_elsewhere, brings_dialog];
    ActivateTab "activateTab" required [ignores_dialog];
    CloseTab "closeTab" required [brings_dialog, acts_on_seen];
    Dialog "dialog" required [ignores_dialog, expects_address];
    Screenshot "screenshot" optional [ignores_dialog, shows_itself];
    Look "look" optional [ignores_dialog, acts_on_seen, shows_itself];
    Find "find" required [ignores_dialog, shows_itself];
}
