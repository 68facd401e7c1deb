//! A module that GTK loads into the room's Chromium: it tells GTK which button of a file chooser means yes.
//!
//! Chromium gives that button a response of its own (0), which GTK takes for no answer at all. So GTK lets Enter and a
//! double click press the only answer that it knows, which is Cancel. Here the button gets GTK's own response for yes: Enter,
//! a double click, and a folder that is to be opened do what they do in any program.
//!
//! Built by `build.rs` into a library of its own, without Rust's standard library; GTK's functions are those that Chromium
//! has loaded.

#![no_std]

use core::ffi::{CStr, c_char, c_int, c_uint, c_ulong, c_void};

/// What Chromium answers with, and GTK's `GTK_RESPONSE_ACCEPT`.
const CHROMIUM_ACCEPTS: c_int = 0;
const ACCEPT: c_int = -3;

/// Where GTK keeps the response of a dialog's button: the data is a structure that begins with it.
const RESPONSE: &CStr = c"gtk-dialog-response-data";

/// An object of GLib.
type Object = *mut c_void;
/// `GType`.
type Type = usize;

/// The beginning of a `GValue` that holds an object.
#[repr(C)]
struct Value {
    kind: Type,
    object: Object,
}

type Hook = extern "C" fn(hint: *mut c_void, n_values: c_uint, values: *const Value, data: *mut c_void) -> c_int;
type WidgetForResponse = extern "C" fn(dialog: Object, response: c_int) -> Object;
type GrabDefault = extern "C" fn(widget: Object);

unsafe extern "C" {
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
    fn dlopen(name: *const c_char, flags: c_int) -> *mut c_void;
}

const RTLD_LAZY: c_int = 1;
const RTLD_NOLOAD: c_int = 4;

/// Returns a function of a library that is loaded already.
fn loaded(library: &CStr, name: &CStr) -> Option<*mut c_void> {
    // SAFETY: both strings end with NUL; a library that is not loaded gives null, of which nothing is asked.
    let found = unsafe {
        let library = dlopen(library.as_ptr(), RTLD_LAZY | RTLD_NOLOAD);
        if library.is_null() { library } else { dlsym(library, name.as_ptr()) }
    };
    (!found.is_null()).then_some(found)
}

/// A function of GTK or GLib under its C type.
macro_rules! function {
    ($library:expr, $name:expr, $type:ty) => {
        // SAFETY: the type is the one that the library declares.
        loaded($library, $name).map(|found| unsafe { core::mem::transmute::<*mut c_void, $type>(found) })
    };
}

const GTK: &CStr = c"libgtk-3.so.0";
const GOBJECT: &CStr = c"libgobject-2.0.so.0";

/// Called by GTK when it has loaded this module.
#[unsafe(no_mangle)]
pub extern "C" fn gtk_module_init(_: *mut c_int, _: *mut *mut *mut c_char) {
    let Some(widget) = function!(GTK, c"gtk_widget_get_type", extern "C" fn() -> Type) else { return };
    let Some(lookup) = function!(GOBJECT, c"g_signal_lookup", extern "C" fn(*const c_char, Type) -> c_uint) else {
        return;
    };
    type AddHook = extern "C" fn(c_uint, c_uint, Hook, *mut c_void, *mut c_void) -> c_ulong;
    let Some(add_hook) = function!(GOBJECT, c"g_signal_add_emission_hook", AddHook) else { return };
    let mapped = lookup(c"map".as_ptr(), widget());
    add_hook(mapped, 0, on_map, core::ptr::null_mut(), core::ptr::null_mut());
}

/// A widget comes onto the screen. Returns that the hook stays.
extern "C" fn on_map(_: *mut c_void, n_values: c_uint, values: *const Value, _: *mut c_void) -> c_int {
    if n_values > 0 {
        // SAFETY: the first value of a signal is the object that emits it.
        mend(unsafe { (*values).object });
    }
    1
}

/// Gives the button for yes of a file chooser the response for yes, and makes it the one that Enter presses.
fn mend(widget: Object) -> Option<()> {
    let chooser = function!(GTK, c"gtk_file_chooser_dialog_get_type", extern "C" fn() -> Type)?;
    let is_a = function!(GOBJECT, c"g_type_check_instance_is_a", extern "C" fn(Object, Type) -> c_int)?;
    if is_a(widget, chooser()) == 0 {
        return None;
    }
    let button_of = function!(GTK, c"gtk_dialog_get_widget_for_response", WidgetForResponse)?;
    let button = button_of(widget, CHROMIUM_ACCEPTS);
    if button.is_null() || !button_of(widget, ACCEPT).is_null() {
        return None;
    }
    let data_of = function!(GOBJECT, c"g_object_get_data", extern "C" fn(Object, *const c_char) -> *mut c_int)?;
    let response = data_of(button, RESPONSE.as_ptr());
    if response.is_null() {
        return None;
    }
    // SAFETY: GTK found the button by this number a moment ago, so it lies here; the thread is GTK's only one.
    unsafe { *response = ACCEPT };
    function!(GTK, c"gtk_widget_grab_default", GrabDefault)?(button);
    Some(())
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
