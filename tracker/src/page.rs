//! What a view tells of the page, the window and the browser.

use crate::dom::{self, DOCUMENT, NAVIGATOR, Screen, WINDOW};
use logdig_shared::{Field, json::ObjectWriter, limits::LOCALE_BYTES_MAX};
use web_sys::Document;

/// Writes what a view has beyond every log, its referrer left out.
pub fn write(object: &mut ObjectWriter<'_>) {
    NAVIGATOR.with(|navigator| {
        write_text(
            object,
            const { Field::language.as_str() },
            &navigator.language().unwrap_or_default(),
            LOCALE_BYTES_MAX,
        );
        write_text(
            object,
            const { Field::time_zone.as_str() },
            &dom::time_zone().unwrap_or_default(),
            LOCALE_BYTES_MAX,
        );
        let screen: Screen = WINDOW.with(dom::Window::screen);
        measure(object, const { Field::screen_w.as_str() }, screen.width());
        measure(object, const { Field::screen_h.as_str() }, screen.height());
        write_sizes(object);
        measure(object, const { Field::pixel_ratio.as_str() }, WINDOW.with(dom::Window::device_pixel_ratio));
        if navigator.webdriver() == Some(true) {
            object.json(const { Field::webdriver.as_str() }, "true");
        }
    });
}

/// Writes the sizes of window and document: what makes positions on different screens comparable.
pub fn write_sizes(object: &mut ObjectWriter<'_>) {
    WINDOW.with(|window| {
        measure(object, const { Field::viewport_w.as_str() }, window.inner_width());
        measure(object, const { Field::viewport_h.as_str() }, window.inner_height());
    });
    if let Some(root) = DOCUMENT.with(Document::document_element) {
        measure(object, const { Field::document_w.as_str() }, root.scroll_width().into());
        measure(object, const { Field::document_h.as_str() }, root.scroll_height().into());
    }
}

/// Writes a text where there is one, cut to its limit.
pub fn write_text(object: &mut ObjectWriter<'_>, name: &str, text: &str, bytes_max: usize) {
    if !text.is_empty() {
        object.text(name, &dom::cut(text.into(), bytes_max));
    }
}

/// Writes a measure: hundredths of a pixel are as fine as anybody looks.
pub fn measure(object: &mut ObjectWriter<'_>, name: &str, pixels: f64) {
    let half = if pixels < 0.0 { -0.5 } else { 0.5 };
    object.number(name, (pixels * 100.0 + half) as i64 as f64 / 100.0);
}
