//! Where the agent's side points, for whoever looks on: drawn by the viewer, never in the page.

use sandbox_core::action::Target;
use sandbox_core::viewer::{Aim, AimBox, Screen};
use serde_json::Value;

/// Longest name of an element that is told.
const LONGEST_NAME: usize = 80;

/// Returns the aim of an action at an element that was found. `words` is the element's name in the last look.
pub(super) fn at_element(
    (x, y): (f64, f64),
    covers: Option<[f64; 4]>,
    target: &Target,
    words: Option<String>,
    action: &str,
) -> Aim {
    let names = [&target.name, &target.label, &target.text, &target.placeholder];
    let named = names.into_iter().flatten().find(|name| !name.is_empty()).cloned();
    Aim {
        x: whole(x),
        y: whole(y),
        page: UNKNOWN,
        target: covers.map(|[left, top, right, bottom]| AimBox {
            left: whole(left),
            top: whole(top),
            width: whole(right - left),
            height: whole(bottom - top),
        }),
        action: Some(action.to_owned()),
        name: named.or(words).map(|name| sandbox_core::plain_name(&name).chars().take(LONGEST_NAME).collect()),
        pressed: action != "hover",
    }
}

/// Returns the aim of a program's own `Input.dispatchMouseEvent`, if its parameters are those.
pub(super) fn of_mouse_event(params: &str) -> Option<Aim> {
    let params: Value = serde_json::from_str(params).ok()?;
    let pressed = match params["type"].as_str()? {
        "mousePressed" => true,
        "mouseMoved" => false,
        _ => return None,
    };
    let (x, y) = (whole(params["x"].as_f64()?), whole(params["y"].as_f64()?));
    Some(Aim { x, y, page: UNKNOWN, target: None, action: None, name: None, pressed })
}

/// Filled in later, where the page's size is known.
const UNKNOWN: Screen = Screen { width: 0, height: 0 };

fn whole(pixels: f64) -> i32 {
    // Saturates, and a number that is none becomes 0.
    pixels.round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(params: &str, expected: Option<(i32, i32, bool)>) {
        assert_eq!(of_mouse_event(params).map(|aim| (aim.x, aim.y, aim.pressed)), expected, "{params}");
    }

    #[test]
    fn a_programs_pointer_is_seen_and_what_is_none_is_not() {
        check(r#"{"type":"mouseMoved","x":10.6,"y":20}"#, Some((11, 20, false)));
        check(r#"{"type":"mousePressed","x":10,"y":-20,"button":"left"}"#, Some((10, -20, true)));
        check(r#"{"type":"mouseReleased","x":10,"y":20}"#, None);
        check(r#"{"type":"mouseMoved","x":"10"}"#, None);
        check("nonsense", None);
    }
}
