//! Key names, and what Chromium has to be told of each: as if typed on a US keyboard.

use serde_json::{Map, Value, json};

/// A key with the modifiers held with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chord {
    modifiers: Vec<Key>,
    key: Key,
}

/// One key as CDP names it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    key: String,
    code: String,
    /// Windows virtual key code.
    vk: u32,
    /// What it types; empty for a key that types nothing.
    text: String,
}

const ALT: u32 = 1;
const CONTROL: u32 = 2;
const META: u32 = 4;
const SHIFT: u32 = 8;

#[rustfmt::skip]
const NAMED: &[(&str, &str, &str, u32, &str)] = &[
    // said, key, code, virtual key, text
    ("enter", "Enter", "Enter", 13, "\r"), ("return", "Enter", "Enter", 13, "\r"),
    ("tab", "Tab", "Tab", 9, ""), ("space", " ", "Space", 32, " "),
    ("backspace", "Backspace", "Backspace", 8, ""), ("delete", "Delete", "Delete", 46, ""), ("insert", "Insert", "Insert", 45, ""),
    ("escape", "Escape", "Escape", 27, ""), ("esc", "Escape", "Escape", 27, ""),
    ("arrowleft", "ArrowLeft", "ArrowLeft", 37, ""), ("arrowup", "ArrowUp", "ArrowUp", 38, ""),
    ("arrowright", "ArrowRight", "ArrowRight", 39, ""), ("arrowdown", "ArrowDown", "ArrowDown", 40, ""),
    ("left", "ArrowLeft", "ArrowLeft", 37, ""), ("up", "ArrowUp", "ArrowUp", 38, ""),
    ("right", "ArrowRight", "ArrowRight", 39, ""), ("down", "ArrowDown", "ArrowDown", 40, ""),
    ("home", "Home", "Home", 36, ""), ("end", "End", "End", 35, ""),
    ("pageup", "PageUp", "PageUp", 33, ""), ("pagedown", "PageDown", "PageDown", 34, ""),
    ("control", "Control", "ControlLeft", 17, ""), ("ctrl", "Control", "ControlLeft", 17, ""),
    ("shift", "Shift", "ShiftLeft", 16, ""), ("alt", "Alt", "AltLeft", 18, ""),
    ("meta", "Meta", "MetaLeft", 91, ""), ("cmd", "Meta", "MetaLeft", 91, ""), ("command", "Meta", "MetaLeft", 91, ""),
    ("contextmenu", "ContextMenu", "ContextMenu", 93, ""), ("plus", "+", "Equal", 187, "+"),
];

#[rustfmt::skip]
const SIGNS: &[(char, char, &str, u32)] = &[
    // plain, with shift, code, virtual key
    ('1', '!', "Digit1", 49), ('2', '@', "Digit2", 50), ('3', '#', "Digit3", 51), ('4', '$', "Digit4", 52), ('5', '%', "Digit5", 53),
    ('6', '^', "Digit6", 54), ('7', '&', "Digit7", 55), ('8', '*', "Digit8", 56), ('9', '(', "Digit9", 57), ('0', ')', "Digit0", 48),
    ('-', '_', "Minus", 189), ('=', '+', "Equal", 187), ('[', '{', "BracketLeft", 219), (']', '}', "BracketRight", 221),
    ('\\', '|', "Backslash", 220), (';', ':', "Semicolon", 186), ('\'', '"', "Quote", 222), (',', '<', "Comma", 188),
    ('.', '>', "Period", 190), ('/', '?', "Slash", 191), ('`', '~', "Backquote", 192), (' ', ' ', "Space", 32),
];

impl Chord {
    /// Reads `Enter`, `a`, `Control+Shift+K`, `Control++`.
    ///
    /// # Errors
    ///
    /// The part that names no key.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (head, last) = match text.strip_suffix("++") {
            Some(head) => (head, "+"),
            None => text
                .rsplit_once('+')
                .map_or(("", text), |(head, last)| if last.is_empty() { ("", "+") } else { (head, last) }),
        };
        let mut modifiers = Vec::new();
        for said in head.split('+').filter(|part| !part.is_empty()) {
            let key = Key::named(said.trim()).filter(|key| key.modifier() != 0).ok_or_else(|| said.to_owned())?;
            modifiers.push(key);
        }
        let key = Key::of(if last == " " { last } else { last.trim() }).ok_or_else(|| last.to_owned())?;
        Ok(Self { modifiers, key })
    }

    /// Returns the parameters of `Input.dispatchKeyEvent`, in order: modifiers down, the key down and up, modifiers up.
    /// What is absent is left out: Chromium refuses an explicit null.
    pub fn events(&self) -> Vec<Value> {
        let mut held = 0;
        let mut events = Vec::new();
        for modifier in &self.modifiers {
            held |= modifier.modifier();
            events.push(modifier.event("rawKeyDown", held, ""));
        }
        let own = self.key.modifier();
        // Control, Alt and Meta make a shortcut of the key; Shift alone still types.
        let types = held & (CONTROL | ALT | META) == 0;
        let text = if types { self.key.text_with(held) } else { String::new() };
        let key = if held & SHIFT != 0 { self.key.shifted() } else { self.key.clone() };
        events.push(key.event(if text.is_empty() { "rawKeyDown" } else { "keyDown" }, held | own, &text));
        events.push(key.event("keyUp", held, ""));
        for modifier in self.modifiers.iter().rev() {
            held &= !modifier.modifier();
            events.push(modifier.event("keyUp", held, ""));
        }
        events
    }
}

impl Key {
    fn of(said: &str) -> Option<Self> {
        let mut letters = said.chars();
        if let (Some(letter), None) = (letters.next(), letters.next()) {
            return Some(Self::letter(letter));
        }
        Self::named(said).or_else(|| Self::function(said))
    }

    fn named(said: &str) -> Option<Self> {
        let said = said.to_ascii_lowercase();
        let (_, key, code, vk, text) = NAMED.iter().find(|(name, ..)| *name == said)?;
        Some(Self { key: (*key).into(), code: (*code).into(), vk: *vk, text: (*text).into() })
    }

    fn function(said: &str) -> Option<Self> {
        let number: u32 = said.strip_prefix(['F', 'f'])?.parse().ok()?;
        let name = format!("F{number}");
        (1..=12).contains(&number).then(|| Self {
            key: name.clone(),
            code: name,
            vk: 111 + number,
            text: String::new(),
        })
    }

    fn letter(letter: char) -> Self {
        let text = letter.to_string();
        if letter.is_ascii_alphabetic() {
            let upper = letter.to_ascii_uppercase();
            return Self { key: text.clone(), code: format!("Key{upper}"), vk: upper as u32, text };
        }
        let sign = SIGNS.iter().find(|(plain, shifted, ..)| *plain == letter || *shifted == letter);
        let (code, vk) = sign.map_or(("", 0), |(_, _, code, vk)| (*code, *vk));
        Self { key: text.clone(), code: code.into(), vk, text }
    }

    fn shifted(&self) -> Self {
        let mut letters = self.key.chars();
        let (Some(letter), None) = (letters.next(), letters.next()) else { return self.clone() };
        let upper = SIGNS
            .iter()
            .find(|(plain, ..)| *plain == letter)
            .map_or(letter.to_ascii_uppercase(), |(_, shifted, ..)| *shifted);
        Self { key: upper.to_string(), ..self.clone() }
    }

    fn text_with(&self, held: u32) -> String {
        if held & SHIFT != 0 && self.text.chars().count() == 1 && self.key == self.text {
            return self.shifted().key;
        }
        self.text.clone()
    }

    fn modifier(&self) -> u32 {
        match self.key.as_str() {
            "Alt" => ALT,
            "Control" => CONTROL,
            "Meta" => META,
            "Shift" => SHIFT,
            _ => 0,
        }
    }

    fn event(&self, kind: &str, modifiers: u32, text: &str) -> Value {
        let mut event = Map::new();
        event.insert("type".into(), kind.into());
        event.insert("key".into(), self.key.clone().into());
        if !self.code.is_empty() {
            event.insert("code".into(), self.code.clone().into());
        }
        event.insert("windowsVirtualKeyCode".into(), json!(self.vk));
        event.insert("modifiers".into(), json!(modifiers));
        if !text.is_empty() {
            event.insert("text".into(), text.into());
            event.insert("unmodifiedText".into(), text.into());
        }
        Value::Object(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(said: &str, expected: &[(&str, &str, u64, Option<&str>)]) {
        let events = Chord::parse(said).unwrap().events();
        let told: Vec<_> = events
            .iter()
            .map(|event| {
                assert!(event.as_object().unwrap().values().all(|value| !value.is_null()), "no explicit null: {event}");
                let word = |name: &str| event[name].as_str();
                (word("type").unwrap(), word("key").unwrap(), event["modifiers"].as_u64().unwrap(), word("text"))
            })
            .collect();
        assert_eq!(told, expected, "{said}");
    }

    #[test]
    fn a_key_goes_down_and_up_within_its_modifiers() {
        check("Enter", &[("keyDown", "Enter", 0, Some("\r")), ("keyUp", "Enter", 0, None)]);
        check("a", &[("keyDown", "a", 0, Some("a")), ("keyUp", "a", 0, None)]);
        check("ArrowDown", &[("rawKeyDown", "ArrowDown", 0, None), ("keyUp", "ArrowDown", 0, None)]);
        check(
            "Control+A",
            &[
                ("rawKeyDown", "Control", 2, None),
                ("rawKeyDown", "A", 2, None),
                ("keyUp", "A", 2, None),
                ("keyUp", "Control", 0, None),
            ],
        );
        check(
            "shift+1",
            &[
                ("rawKeyDown", "Shift", 8, None),
                ("keyDown", "!", 8, Some("!")),
                ("keyUp", "!", 8, None),
                ("keyUp", "Shift", 0, None),
            ],
        );
    }

    #[test]
    fn the_plus_sign_is_a_key_too() {
        assert_eq!(Chord::parse("+").unwrap().key.key, "+");
        let chord = Chord::parse("Control++").unwrap();
        assert_eq!((chord.key.key.as_str(), chord.modifiers.len()), ("+", 1));
    }

    #[test]
    fn what_names_no_key_is_said() {
        assert_eq!(Chord::parse("Entr"), Err("Entr".into()));
        assert_eq!(Chord::parse("Hyper+A"), Err("Hyper".into()));
        assert_eq!(Chord::parse("F13"), Err("F13".into()));
        assert_eq!(Chord::parse("F5").unwrap().key.vk, 116);
    }
}
