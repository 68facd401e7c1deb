//! Which keycode types what. Pure: the X server's map comes in as a table, changes to it go out as [`Press::binds`].
//!
//! What a person's key means is said by its `key`, whatever the layout: `z` on a German keyboard is a z. If the room's
//! map (US) has that character on the same key, that key is pressed. Otherwise a spare keycode is given the character on
//! all of its levels, so that it does not matter which of Shift and AltGr are down. A spare keycode keeps its character
//! as long as others are older. Only inert keycodes are spare: see [`is_inert`].

use std::collections::HashMap;

/// Values of DOM `key` whose effect the person's own keyboard works out: what comes of them arrives as a character.
const NOT_KEYS: [&str; 7] = ["AltGraph", "CapsLock", "Compose", "Dead", "NumLock", "Process", "Unidentified"];

/// Keycodes (evdev's number + 8) that mean no key at all to Chromium: in its table of keycodes (`dom_code_data.inc`, and
/// the US table of `DefaultKeyboardCodeFromHardwareKeycode`) they have neither a DOM code nor a Windows key code. The others
/// without a keysym are media and launcher keys: Chromium acts on some, and gives pages the names of all.
const INERT: [std::ops::RangeInclusive<Keycode>; 19] = [
    120..=120,
    147..=147,
    149..=149,
    153..=162,
    165..=165,
    168..=168,
    170..=170,
    177..=178,
    182..=186,
    189..=189,
    208..=208,
    210..=211,
    213..=214,
    217..=217,
    219..=224,
    226..=230,
    234..=234,
    236..=238,
    242..=255,
];

/// Whether pressing a keycode has no effect but its keysym.
fn is_inert(keycode: Keycode) -> bool {
    INERT.iter().any(|run| run.contains(&keycode))
}

/// An X keycode.
pub type Keycode = u8;
/// An X keysym.
pub type Keysym = u32;

/// `NoSymbol`.
const NONE: Keysym = 0;
/// Keysyms beyond Latin-1 are the code point with this added (X protocol, appendix A).
const UNICODE: Keysym = 0x0100_0000;
/// Keysyms of the XFree86 vendor: media and launcher keys, which a room does not need.
const VENDOR: Keysym = 0x1008_0000;

/// How to bring something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Press {
    pub keycode: Keycode,
    /// Whether Shift has to be down for it.
    pub shift: bool,
    /// The keysym that the keycode has to be given first.
    pub binds: Option<Keysym>,
    /// Whether the keycode is a spare one, whose character may change.
    pub lent: bool,
}

/// The map as it is, with what was added.
#[derive(Clone, Debug)]
pub struct Keymap {
    /// First and second level of each keycode, from `first`.
    levels: Vec<[Keysym; 2]>,
    first: Keycode,
    /// Spare keycodes, the one used longest ago first.
    spare: Vec<(Keycode, Keysym)>,
    by_keysym: HashMap<Keysym, (Keycode, bool)>,
}

impl Keymap {
    /// Reads the server's table: `per_keycode` keysyms for each keycode from `first`.
    pub fn new(first: Keycode, per_keycode: usize, keysyms: &[Keysym]) -> Self {
        let level = |all: &[Keysym], at: usize| all.get(at).copied().unwrap_or(NONE);
        let levels: Vec<[Keysym; 2]> =
            keysyms.chunks(per_keycode.max(1)).map(|all| [level(all, 0), level(all, 1)]).collect();
        let (mut spare, mut by_keysym) = (Vec::new(), HashMap::new());
        for (keycode, all) in (first..=u8::MAX).zip(keysyms.chunks(per_keycode.max(1))) {
            if all.iter().all(|keysym| *keysym == NONE || *keysym & 0xFFFF_0000 == VENDOR) {
                if is_inert(keycode) {
                    spare.push((keycode, NONE));
                }
                continue;
            }
            for (keysym, shift) in [(level(all, 0), false), (level(all, 1), true)] {
                if keysym != NONE {
                    by_keysym.entry(keysym).or_insert((keycode, shift));
                }
            }
        }
        Self { levels, first, spare, by_keysym }
    }

    /// The key for one pressed by a person, with `shift` down or not; `shortcut` while Ctrl, Alt or Meta is down.
    pub fn key(&mut self, code: &str, key: &str, shift: bool, shortcut: bool) -> Option<Press> {
        if NOT_KEYS.contains(&key) {
            return None;
        }
        let at_place = keysym_of_code(code).and_then(|keysym| self.by_keysym.get(&keysym)).map(|(keycode, _)| *keycode);
        let Some(character) = single(key) else {
            // A key with a name: where it is, or what it is called if it is nowhere.
            let named = || self.by_keysym.get(&keysym_of_name(key)?).map(|(keycode, _)| *keycode);
            return at_place.or_else(named).map(|keycode| Press::of_map(keycode, shift));
        };
        let keysym = keysym_of(character);
        if let Some(keycode) = at_place
            && (self.level(keycode, shift) == keysym || code.starts_with("Numpad"))
        {
            return Some(Press::of_map(keycode, shift));
        }
        if shortcut {
            // Ctrl with a letter: by the letter if the map has it, else (another script) by the place.
            let lower = keysym_of(character.to_lowercase().next().unwrap_or(character));
            let known = self.by_keysym.get(&lower).map(|(keycode, _)| *keycode);
            return known.or(at_place).map(|keycode| Press::of_map(keycode, shift));
        }
        match self.by_keysym.get(&keysym) {
            Some(&(keycode, needs)) if needs == shift => Some(Press::of_map(keycode, shift)),
            Some(_) | None => self.lend(keysym, shift),
        }
    }

    /// The key that types a character when nothing else is down.
    pub fn character(&mut self, character: char) -> Option<Press> {
        let keysym = match character {
            '\n' | '\r' => 0xFF0D,
            '\t' => 0xFF09,
            character => keysym_of(character),
        };
        match self.by_keysym.get(&keysym) {
            Some(&(keycode, shift)) => Some(Press::of_map(keycode, shift)),
            None => self.lend(keysym, false),
        }
    }

    /// The keycode of a keysym of the map itself.
    pub fn keycode(&self, keysym: Keysym) -> Option<Keycode> {
        self.by_keysym.get(&keysym).map(|(keycode, _)| *keycode)
    }

    fn level(&self, keycode: Keycode, shift: bool) -> Keysym {
        let [plain, shifted] = self.levels[usize::from(keycode - self.first)];
        if shift && shifted != NONE { shifted } else { plain }
    }

    /// The spare keycode that has the keysym, or the one used longest ago.
    fn lend(&mut self, keysym: Keysym, shift: bool) -> Option<Press> {
        let has = self.spare.iter().position(|(_, bound)| *bound == keysym);
        let place = has.or(if self.spare.is_empty() { None } else { Some(0) })?;
        let (keycode, _) = self.spare.remove(place);
        self.spare.push((keycode, keysym));
        Some(Press { keycode, shift, binds: if has.is_some() { None } else { Some(keysym) }, lent: true })
    }
}

impl Press {
    fn of_map(keycode: Keycode, shift: bool) -> Self {
        Self { keycode, shift, binds: None, lent: false }
    }
}

/// The keysym of a character.
pub fn keysym_of(character: char) -> Keysym {
    match u32::from(character) {
        latin @ (0x20..=0x7E | 0xA0..=0xFF) => latin,
        other => UNICODE | other,
    }
}

fn single(key: &str) -> Option<char> {
    let mut characters = key.chars();
    let first = characters.next()?;
    characters.next().is_none().then_some(first)
}

/// The keysym that a US keyboard has at the place of a DOM `code`, without Shift.
pub fn keysym_of_code(code: &str) -> Option<Keysym> {
    if let Some(letter) = code.strip_prefix("Key").and_then(single) {
        return Some(keysym_of(letter.to_ascii_lowercase()));
    }
    if let Some(digit) = code.strip_prefix("Digit").and_then(single) {
        return Some(keysym_of(digit));
    }
    if let Some(number) =
        code.strip_prefix('F').and_then(|number| number.parse::<u32>().ok()).filter(|n| (1..=24).contains(n))
    {
        return Some(0xFFBE + number - 1);
    }
    Some(match code {
        "Minus" => 0x2D,
        "Equal" => 0x3D,
        "BracketLeft" => 0x5B,
        "BracketRight" => 0x5D,
        "Backslash" => 0x5C,
        "Semicolon" => 0x3B,
        "Quote" => 0x27,
        "Backquote" => 0x60,
        "Comma" => 0x2C,
        "Period" => 0x2E,
        "Slash" => 0x2F,
        "IntlBackslash" => 0x3C,
        "Space" => 0x20,
        "ShiftLeft" => 0xFFE1,
        "ShiftRight" => 0xFFE2,
        "ControlLeft" => 0xFFE3,
        "ControlRight" => 0xFFE4,
        "AltLeft" => 0xFFE9,
        "AltRight" => 0xFFEA,
        "MetaLeft" => 0xFFEB,
        "MetaRight" => 0xFFEC,
        "NumpadEnter" => 0xFF8D,
        "NumpadMultiply" => 0xFFAA,
        "NumpadAdd" => 0xFFAB,
        "NumpadSubtract" => 0xFFAD,
        "NumpadDivide" => 0xFFAF,
        other => return keysym_of_name(other),
    })
}

/// The keysym of a named DOM `key`; for most named keys `code` is the same word.
fn keysym_of_name(key: &str) -> Option<Keysym> {
    Some(match key {
        "Enter" => 0xFF0D,
        "Tab" => 0xFF09,
        "Backspace" => 0xFF08,
        "Escape" => 0xFF1B,
        "Delete" => 0xFFFF,
        "Insert" => 0xFF63,
        "Home" => 0xFF50,
        "End" => 0xFF57,
        "PageUp" => 0xFF55,
        "PageDown" => 0xFF56,
        "ArrowLeft" => 0xFF51,
        "ArrowUp" => 0xFF52,
        "ArrowRight" => 0xFF53,
        "ArrowDown" => 0xFF54,
        "ContextMenu" => 0xFF67,
        "Pause" => 0xFF13,
        "PrintScreen" => 0xFF61,
        "Shift" => 0xFFE1,
        "Control" => 0xFFE3,
        "Alt" => 0xFFE9,
        "Meta" => 0xFFEB,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small US map from keycode 145: letters a, z, q, the digit 7, slash, Shift, Enter, y; then 153 to 155, which are spare.
    fn us() -> Keymap {
        let keys = [
            [0x61, 0x41],
            [0x7A, 0x5A],
            [0x71, 0x51],
            [0x37, 0x26],
            [0x2F, 0x3F],
            [0xFFE1, 0],
            [0xFF0D, 0],
            [0x79, 0x59],
            [0, 0],
            [0, 0],
            [0x1008_FF11, 0],
        ];
        Keymap::new(145, 2, &keys.concat())
    }

    fn check(code: &str, key: &str, shift: bool, expected: (Keycode, Option<Keysym>)) {
        let press = us().key(code, key, shift, false).unwrap();
        assert_eq!((press.keycode, press.binds), expected, "{code} {key}");
    }

    #[test]
    fn a_key_that_the_map_has_at_its_place_is_pressed_there() {
        check("KeyA", "a", false, (145, None));
        check("KeyA", "A", true, (145, None));
        check("Digit7", "7", false, (148, None));
        check("Enter", "Enter", false, (151, None));
        check("ShiftLeft", "Shift", true, (150, None));
    }

    #[test]
    fn another_layout_types_what_its_key_says() {
        check("KeyY", "z", false, (146, None));
        check("KeyQ", "a", false, (145, None));
    }

    #[test]
    fn a_character_at_another_level_gets_a_spare_keycode() {
        check("Digit7", "/", true, (153, Some(0x2F)));
        check("KeyA", "A", false, (153, Some(0x41)));
    }

    #[test]
    fn any_unicode_character_gets_a_spare_keycode() {
        check("Semicolon", "ö", false, (153, Some(0xF6)));
        check("", "漢", false, (153, Some(0x0100_6F22)));
        check("", "😀", false, (153, Some(0x0101_F600)));
    }

    #[test]
    fn a_spare_keycode_keeps_its_character_until_it_is_the_oldest() {
        let mut map = us();
        let press = |key| {
            let press = map.key("", key, false, false).unwrap();
            (press.keycode, press.binds.is_some())
        };
        assert_eq!(
            ["ä", "ö", "ü", "ä", "ß"].map(press),
            [(153, true), (154, true), (155, true), (153, false), (154, true)]
        );
    }

    #[test]
    fn shortcuts_go_by_the_letter_and_in_another_script_by_the_place() {
        let press = |code, key| us().key(code, key, false, true).unwrap().keycode;
        assert_eq!(press("KeyQ", "a"), 145);
        assert_eq!(press("KeyA", "ф"), 145);
    }

    #[test]
    fn only_keycodes_that_mean_nothing_to_the_browser_are_spare() {
        // Browser search, home page, F13, volume, copy: all without a keysym.
        for acted_on in [225, 180, 191, 121, 141] {
            assert!(!is_inert(acted_on), "{acted_on}");
            assert_eq!(Keymap::new(acted_on, 2, &[0; 2]).key("", "я", false, false), None);
        }
        let spare = Keymap::new(8, 1, &[0; 248]).spare;
        assert_eq!(spare.len(), 59);
    }

    #[test]
    fn a_character_that_no_key_has_is_lent_one() {
        let mut map = us();
        assert_eq!(map.character('a'), Some(Press::of_map(145, false)));
        assert_eq!(map.character('&'), Some(Press::of_map(148, true)));
        let lent = map.character('会').unwrap();
        assert_eq!((lent.keycode, lent.binds, lent.lent), (153, Some(0x0100_4F1A), true));
        assert_eq!(map.character('会').unwrap().binds, None);
    }

    #[test]
    fn dead_keys_and_unknown_names_press_nothing() {
        assert_eq!(us().key("KeyA", "Dead", false, false), None);
        assert_eq!(us().key("", "Unidentified", false, false), None);
    }
}
