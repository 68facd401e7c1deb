//! Which keycode types what. Pure: the X server's map comes in as a table, changes to it go out as [`Press::binds`].
//!
//! What a person's key means is said by its `key`, whatever the layout: `z` on a German keyboard is a z. If the room's
//! map (US) has that character on the same key, that key is pressed. Otherwise a spare keycode is given the character on
//! all of its levels, so that it does not matter which of Shift and AltGr are down. A spare keycode keeps its character
//! as long as others are older: a program that has not yet looked at the changed map must not see it changed again.

use std::collections::HashMap;

/// Values of DOM `key` whose effect the person's own keyboard works out: what comes of them arrives as a character.
const NOT_KEYS: [&str; 7] = ["AltGraph", "CapsLock", "Compose", "Dead", "NumLock", "Process", "Unidentified"];

/// Lower and upper case of what keyboards of Europe have beyond US ones; given a keycode before any program has looked.
const PREPARED: &[&str] = &[
    "äÄ", "öÖ", "üÜ", "ßẞ", "éÉ", "èÈ", "êÊ", "ëË", "àÀ", "âÂ", "çÇ", "ñÑ", "áÁ", "íÍ", "óÓ", "úÚ", "ùÙ", "ûÛ", "îÎ",
    "ïÏ", "ôÔ", "œŒ", "æÆ", "åÅ", "øØ", "ãÃ", "õÕ", "ìÌ", "òÒ", "łŁ", "ąĄ", "ęĘ", "ćĆ", "śŚ", "żŻ", "źŹ", "ńŃ", "€£",
    "§°", "¿¡",
];
/// Keycodes on which Chromium acts whatever their keysym (back, forward, home page, reload), and one that it ignores.
const NEVER_SPARE: [Keycode; 5] = [8, 166, 167, 180, 181];
/// Spare keycodes that stay free for everything else.
const KEPT_FREE: usize = 24;

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
                if !NEVER_SPARE.contains(&keycode) {
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

    /// Takes spare keycodes for characters that are wanted often: their plain and their Shift level.
    pub fn prepare(&mut self) -> Vec<(Keycode, [Keysym; 2])> {
        let many = self.spare.len().saturating_sub(KEPT_FREE).min(PREPARED.len());
        let taken: Vec<(Keycode, Keysym)> = self.spare.drain(..many).collect();
        let prepare = |((keycode, _), pair): ((Keycode, Keysym), &&str)| {
            let mut both = pair.chars().map(keysym_of);
            let levels = [both.next().unwrap_or(NONE), both.next().unwrap_or(NONE)];
            self.levels[usize::from(keycode - self.first)] = levels;
            self.by_keysym.insert(levels[0], (keycode, false));
            self.by_keysym.insert(levels[1], (keycode, true));
            (keycode, levels)
        };
        taken.into_iter().zip(PREPARED).map(prepare).collect()
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
            return at_place.or_else(named).map(|keycode| Press { keycode, shift, binds: None });
        };
        let keysym = keysym_of(character);
        if let Some(keycode) = at_place
            && (self.level(keycode, shift) == keysym || code.starts_with("Numpad"))
        {
            return Some(Press { keycode, shift, binds: None });
        }
        if shortcut {
            // Ctrl with a letter: by the letter if the map has it, else (another script) by the place.
            let lower = keysym_of(character.to_lowercase().next().unwrap_or(character));
            let known = self.by_keysym.get(&lower).map(|(keycode, _)| *keycode);
            return known.or(at_place).map(|keycode| Press { keycode, shift, binds: None });
        }
        match self.by_keysym.get(&keysym) {
            Some(&(keycode, needs)) if needs == shift => Some(Press { keycode, shift, binds: None }),
            Some(_) | None => self.spare_for(keysym).map(|(keycode, binds)| Press { keycode, shift, binds }),
        }
    }

    /// The key that types a character when nothing else is down, if one does.
    pub fn character(&self, character: char) -> Option<Press> {
        let keysym = match character {
            '\n' | '\r' => 0xFF0D,
            '\t' => 0xFF09,
            character => keysym_of(character),
        };
        self.by_keysym.get(&keysym).map(|&(keycode, shift)| Press { keycode, shift, binds: None })
    }

    /// Whether a character is typed without changing the map.
    pub fn has(&self, character: char) -> bool {
        self.character(character).is_some()
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
    fn spare_for(&mut self, keysym: Keysym) -> Option<(Keycode, Option<Keysym>)> {
        let has = self.spare.iter().position(|(_, bound)| *bound == keysym);
        let place = has.or(if self.spare.is_empty() { None } else { Some(0) })?;
        let (keycode, _) = self.spare.remove(place);
        self.spare.push((keycode, keysym));
        Some((keycode, if has.is_some() { None } else { Some(keysym) }))
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

    /// A small US map: letters a, z, q, the digit 7, slash, Shift, Enter; then three spare keycodes and a media key.
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
        Keymap::new(10, 2, &keys.concat())
    }

    fn check(code: &str, key: &str, shift: bool, expected: (Keycode, Option<Keysym>)) {
        let press = us().key(code, key, shift, false).unwrap();
        assert_eq!((press.keycode, press.binds), expected, "{code} {key}");
    }

    #[test]
    fn a_key_that_the_map_has_at_its_place_is_pressed_there() {
        check("KeyA", "a", false, (10, None));
        check("KeyA", "A", true, (10, None));
        check("Digit7", "7", false, (13, None));
        check("Enter", "Enter", false, (16, None));
        check("ShiftLeft", "Shift", true, (15, None));
    }

    #[test]
    fn another_layout_types_what_its_key_says() {
        check("KeyY", "z", false, (11, None));
        check("KeyQ", "a", false, (10, None));
    }

    #[test]
    fn a_character_at_another_level_gets_a_spare_keycode() {
        check("Digit7", "/", true, (18, Some(0x2F)));
        check("KeyA", "A", false, (18, Some(0x41)));
    }

    #[test]
    fn any_unicode_character_gets_a_spare_keycode() {
        check("Semicolon", "ö", false, (18, Some(0xF6)));
        check("", "漢", false, (18, Some(0x0100_6F22)));
        check("", "😀", false, (18, Some(0x0101_F600)));
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
            [(18, true), (19, true), (20, true), (18, false), (19, true),]
        );
    }

    #[test]
    fn shortcuts_go_by_the_letter_and_in_another_script_by_the_place() {
        let press = |code, key| us().key(code, key, false, true).unwrap().keycode;
        assert_eq!(press("KeyQ", "a"), 10);
        assert_eq!(press("KeyA", "ф"), 10);
    }

    #[test]
    fn prepared_characters_are_there_with_and_without_shift() {
        let mut map = Keymap::new(10, 2, &[0; 2 * (KEPT_FREE + 2)]);
        assert_eq!(map.prepare(), [(10, [0xE4, 0xC4]), (11, [0xF6, 0xD6])]);
        assert!(map.has('Ö') && !map.has('é'));
        assert_eq!(map.key("Quote", "Ö", true, false), Some(Press { keycode: 11, shift: true, binds: None }));
    }

    #[test]
    fn keycodes_on_which_the_browser_acts_are_not_spare() {
        let mut map = Keymap::new(165, 2, &[0; 2 * 4]);
        assert_eq!([(); 3].map(|()| map.spare_for(0x61).map(|(keycode, _)| keycode)), [Some(165); 3]);
        assert_eq!(
            ["b", "c"].map(|key| map.key("", key, false, false).map(|press| press.keycode)),
            [Some(168), Some(165)]
        );
    }

    #[test]
    fn dead_keys_and_unknown_names_press_nothing() {
        assert_eq!(us().key("KeyA", "Dead", false, false), None);
        assert_eq!(us().key("", "Unidentified", false, false), None);
    }
}
