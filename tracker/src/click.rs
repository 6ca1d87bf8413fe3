//! What a click hit: the link, a selector, the element's box.

use crate::{
    dom::{Click, Link, WINDOW, centre, cut, host, lower, scroll},
    page::measure,
};
use alloc::string::String;
use logdig_shared::{
    Field,
    json::{ObjectWriter, push_whole},
    limits::{ELEMENT_BYTES_MAX, URL_BYTES_MAX},
};
use wasm_bindgen::JsCast;
use web_sys::{DomRect, Element, HtmlElement};

/// The elements whose clicks are logged: the original's four, what it bound by attribute, and buttons by role.
const CLICKABLE: &str = "a,span,button,input,[href],[reactid],[data-reactid],[role=button]";
/// Nothing inside is logged.
const IGNORED: &str = "[data-logdig-ignore]";
/// How many elements a selector names at most.
const SELECTOR_DEPTH: usize = 4;

/// A click on something that is logged.
pub struct Hit {
    element: Element,
    rect: DomRect,
    pub link: String,
    pub x: f64,
    pub y: f64,
}

impl Hit {
    /// Finds what a click is about; `None` where that is not logged.
    pub fn find(event: &Click, target: &Element) -> Option<Self> {
        if closest(target, IGNORED).is_some() {
            return None;
        }
        let element = closest(target, CLICKABLE)?;
        let rect = element.get_bounding_client_rect();
        // A key or a script clicks nowhere: its place is the element's centre.
        let (x, y) = if event.detail() == 0.0 { centre(&rect) } else { (event.page_x(), event.page_y()) };
        let link = cut(link_of(&element), URL_BYTES_MAX);
        Some(Self { element, rect, link, x, y })
    }

    /// Writes what a click has beyond every log.
    pub fn write(&self, event: &Click, object: &mut ObjectWriter<'_>) {
        let (scroll_x, scroll_y) = scroll();
        measure(object, const { Field::scroll_x.as_str() }, scroll_x);
        measure(object, const { Field::scroll_y.as_str() }, scroll_y);
        object.text(const { Field::element.as_str() }, &cut(selector(&self.element), ELEMENT_BYTES_MAX));
        measure(object, const { Field::element_x.as_str() }, self.rect.x() + scroll_x);
        measure(object, const { Field::element_y.as_str() }, self.rect.y() + scroll_y);
        measure(object, const { Field::element_w.as_str() }, self.rect.width());
        measure(object, const { Field::element_h.as_str() }, self.rect.height());
        if is_fixed(&self.element) {
            object.json(const { Field::fixed.as_str() }, "true");
        }
        if !event.is_trusted() {
            object.json(const { Field::trusted.as_str() }, "false");
        } else if let Some(pointer) = pointer(event) {
            object.text(const { Field::pointer.as_str() }, &pointer);
        }
    }
}

/// The nearest element that matches, outwards through open shadow roots.
fn closest(from: &Element, selector: &str) -> Option<Element> {
    let mut at = from.clone();
    loop {
        if let Some(found) = at.closest(selector).ok()? {
            return Some(found);
        }
        // A shadow root's host, `undefined` at the document.
        at = host(&at)?;
    }
}

/// Where the element leads: its own or an outer link; else a description of it, as the original gave.
fn link_of(element: &Element) -> String {
    let Some(linked) = closest(element, "[href]") else { return description(element) };
    let resolved = linked.unchecked_ref::<Link>().href().as_string();
    resolved.or_else(|| linked.get_attribute("href")).unwrap_or_default()
}

/// `tag;class;id;name;data-reactid`
fn description(element: &Element) -> String {
    let mut text = lower(element.tag_name());
    for name in ["class", "id", "name"] {
        text.push(';');
        text.push_str(&element.get_attribute(name).unwrap_or_default());
    }
    text.push(';');
    let react_id = element.get_attribute("data-reactid").or_else(|| element.get_attribute("reactid"));
    text.push_str(&react_id.unwrap_or_default());
    text
}

/// A short CSS selector: ids and classes without digits, which are made up anew by many builds, and the index among
/// equals; e.g. `nav>a.buy:nth-of-type(2)`.
fn selector(element: &Element) -> String {
    let mut text = String::new();
    let mut at = Some(element.clone());
    for _ in 0..SELECTOR_DEPTH {
        let Some(part) = at else { break };
        let (own, is_unique) = selector_part(&part);
        text = if text.is_empty() { own } else { own + ">" + &text };
        if is_unique {
            break;
        }
        at = part.parent_element();
    }
    text
}

/// One step of a selector, and whether it needs no further step: it has an id or is the body.
fn selector_part(element: &Element) -> (String, bool) {
    let mut text = lower(element.tag_name());
    let id = element.id();
    if is_lasting(&id) {
        text.push('#');
        text.push_str(&id);
        return (text, true);
    }
    let is_body = text == "body";
    if let Some(class) =
        element.get_attribute("class").unwrap_or_default().split_ascii_whitespace().find(|class| is_lasting(class))
    {
        text.push('.');
        text.push_str(class);
    }
    push_index(&mut text, element);
    (text, is_body)
}

/// Adds which of its parent's children of that tag it is, from the second on.
fn push_index(text: &mut String, element: &Element) {
    let tag = element.tag_name();
    let mut index = 1;
    let mut before = element.previous_element_sibling();
    while let Some(sibling) = before {
        index += i64::from(sibling.tag_name() == tag);
        before = sibling.previous_element_sibling();
    }
    if index > 1 {
        text.push_str(":nth-of-type(");
        push_whole(text, index);
        text.push(')');
    }
}

/// A name that a selector can hold unescaped and that is not made up.
fn is_lasting(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-' || byte == b'_')
}

/// Whether the element keeps its place in the window: only positioned ancestors can, so only those are asked.
fn is_fixed(element: &Element) -> bool {
    let mut at = Some(element.clone());
    while let Some(part) = at {
        let position = WINDOW.with(|window| window.computed_style(&part).position());
        if position == "fixed" || position == "sticky" {
            return true;
        }
        at = part.unchecked_ref::<HtmlElement>().offset_parent();
    }
    false
}

fn pointer(event: &Click) -> Option<String> {
    if event.detail() == 0.0 {
        return Some("key".into());
    }
    event.pointer_type().filter(|pointer| matches!(&**pointer, "mouse" | "touch" | "pen"))
}
