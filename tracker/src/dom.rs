//! The browser, as far as we use it: `web-sys` where it costs no more than our own declaration, else ours.
//!
//! `web-sys` truncates `pageX` to whole pixels and wraps the window's measures in `Result`; ours are plain numbers.

use alloc::string::String;
use logdig_shared::limits::URL_BYTES_MAX;
use wasm_bindgen::prelude::*;
use web_sys::{Document, DomRect, Element};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = document)]
    pub static DOCUMENT: Document;
    #[wasm_bindgen(thread_local_v2, js_name = self)]
    pub static WINDOW: Window;

    pub type Window;
    #[wasm_bindgen(method, getter, js_name = scrollX)]
    pub fn scroll_x(this: &Window) -> f64;
    #[wasm_bindgen(method, getter, js_name = scrollY)]
    pub fn scroll_y(this: &Window) -> f64;
    #[wasm_bindgen(method, getter, js_name = innerWidth)]
    pub fn inner_width(this: &Window) -> f64;
    #[wasm_bindgen(method, getter, js_name = innerHeight)]
    pub fn inner_height(this: &Window) -> f64;
    #[wasm_bindgen(method, getter, js_name = devicePixelRatio)]
    pub fn device_pixel_ratio(this: &Window) -> f64;
    #[wasm_bindgen(method, getter)]
    pub fn screen(this: &Window) -> Screen;
    #[wasm_bindgen(method, catch, getter, js_name = localStorage)]
    pub fn local_storage(this: &Window) -> Result<web_sys::Storage, JsValue>;
    #[wasm_bindgen(method, js_name = getComputedStyle)]
    pub fn computed_style(this: &Window, element: &Element) -> Style;

    pub type Screen;
    #[wasm_bindgen(method, getter)]
    pub fn width(this: &Screen) -> f64;
    #[wasm_bindgen(method, getter)]
    pub fn height(this: &Screen) -> f64;

    pub type Style;
    #[wasm_bindgen(method, getter)]
    pub fn position(this: &Style) -> String;

    /// A click: a `PointerEvent` in browsers of today, a `MouseEvent` without `pointerType` in older ones.
    pub type Click;
    #[wasm_bindgen(method, getter, js_name = pageX)]
    pub fn page_x(this: &Click) -> f64;
    #[wasm_bindgen(method, getter, js_name = pageY)]
    pub fn page_y(this: &Click) -> f64;
    #[wasm_bindgen(method, getter)]
    pub fn detail(this: &Click) -> f64;
    #[wasm_bindgen(method, getter, js_name = isTrusted)]
    pub fn is_trusted(this: &Click) -> bool;
    #[wasm_bindgen(method, getter, js_name = timeStamp)]
    pub fn time_stamp(this: &Click) -> f64;
    #[wasm_bindgen(method, getter, js_name = pointerType)]
    pub fn pointer_type(this: &Click) -> Option<String>;

    /// Where a link leads, with the page's address applied; another object on SVG links.
    pub type Link;
    #[wasm_bindgen(method, getter)]
    pub fn href(this: &Link) -> JsValue;

    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    pub fn now() -> f64;
    /// Milliseconds since the document began; setting the clock does not touch it.
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    pub fn uptime() -> f64;
    #[wasm_bindgen(js_namespace = Math, js_name = random)]
    pub fn chance() -> f64;
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    pub fn fill_random(bytes: &mut [u8]);

    #[wasm_bindgen(thread_local_v2, js_name = location)]
    pub static LOCATION: Location;
    pub type Location;
    #[wasm_bindgen(method, getter, js_name = href)]
    pub fn address(this: &Location) -> String;

    #[wasm_bindgen(thread_local_v2, js_name = navigator)]
    pub static NAVIGATOR: Navigator;
    pub type Navigator;
    #[wasm_bindgen(method, getter, js_name = userAgent)]
    pub fn user_agent(this: &Navigator) -> String;
    #[wasm_bindgen(method, getter)]
    pub fn language(this: &Navigator) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    pub fn webdriver(this: &Navigator) -> Option<bool>;
}

#[wasm_bindgen(module = "/js/page.mjs")]
extern "C" {
    pub fn hold_locks();
    pub fn release_locks();
    pub fn has_locks() -> bool;
    /// Takes a document's lock if nobody has it, then calls `adopt`.
    pub fn try_lock(document: &str);
    pub fn send(server: &str, body: &str, flight: u32);
    pub fn outlives_page() -> bool;
    pub fn beacon(server: &str, body: &str) -> bool;
    /// An instant as ISO 8601 in UTC; `ms` since 1970.
    pub fn iso(ms: f64) -> String;
    pub fn flush_later(ms: f64);
    pub fn time_zone() -> Option<String>;
    /// The element that an element's shadow root hangs on.
    pub fn host(element: &Element) -> Option<Element>;
}

/// The address of the page, as long as a log may hold.
pub fn address() -> String {
    cut(LOCATION.with(Location::address), URL_BYTES_MAX)
}

/// Where the visit came from, as the browser tells it.
pub fn referrer() -> String {
    DOCUMENT.with(Document::referrer)
}

/// The browser's User-Agent.
pub fn user_agent() -> String {
    NAVIGATOR.with(Navigator::user_agent)
}

/// How far the page is scrolled, right and down.
pub fn scroll() -> (f64, f64) {
    WINDOW.with(|window| (window.scroll_x(), window.scroll_y()))
}

/// The centre of a box, in the page.
pub fn centre(rect: &DomRect) -> (f64, f64) {
    let (x, y) = scroll();
    (rect.x() + x + rect.width() / 2.0, rect.y() + y + rect.height() / 2.0)
}

/// A tag's name as people write it: HTML's come in capitals.
pub fn lower(mut text: String) -> String {
    text.make_ascii_lowercase();
    text
}

/// A text of at most so many bytes.
pub fn cut(mut text: String, bytes_max: usize) -> String {
    if text.len() > bytes_max {
        let mut end = bytes_max;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    text
}
