//! What the web view needs to know of the display before GTK starts.

/// Turns WebKit's DMABUF renderer off where there is no GPU: there it costs 43–67 ms of CPU on any repaint, and its
/// stand-in 3–15 ms. With a GPU it stays as it is; a choice that the environment has made stays too.
pub fn choose_renderer() {
    const SWITCH: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
    if cfg!(target_os = "linux") && std::env::var_os(SWITCH).is_none() && !has_render_node() {
        // SAFETY: called first in `main`, before any other thread exists.
        unsafe { std::env::set_var(SWITCH, "1") };
    }
}

/// Whether there is a display to open a window on.
pub fn is_there() -> bool {
    let named = |variable: &str| std::env::var_os(variable).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || named("DISPLAY") || named("WAYLAND_DISPLAY")
}

fn has_render_node() -> bool {
    let Ok(nodes) = std::fs::read_dir("/dev/dri") else { return false };
    nodes.flatten().any(|node| node.file_name().to_string_lossy().starts_with("renderD"))
}
