//! A log: its fields, their order and their kinds, said once.

use crate::json::{ObjectWriter, Push};
use crate::limits::*;
use alloc::string::String;

/// What a field may hold.
///
/// The reader checks it; docs and tests read it from [`Field::kind`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A text of at most so many bytes of UTF-8, in a certain form.
    Text(usize, Form),
    /// A number; `null` where the sender doesn't know it.
    Number,
    /// A whole number, ±[`WHOLE_MAX`].
    Whole,
    /// A whole number, 0 to [`WHOLE_MAX`].
    Count,
    /// `true` or `false`.
    Flag,
    /// An object of at most so many bytes of JSON, with at most so many values, none of them an object or array.
    Scalars(usize, usize),
    /// An object of at most so many bytes of JSON.
    Object(usize),
}

/// What a text must look like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    /// Anything.
    Any,
    /// At least one character.
    NotEmpty,
    /// Letters, digits, `.`, `_` and `-`, at least one.
    Id,
    /// ISO 8601 in UTC, ending in `Z`.
    Instant,
    /// Three capital letters (ISO 4217).
    Currency,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

const fn text(bytes_max: usize) -> Kind {
    Kind::Text(bytes_max, Form::Any)
}

const fn word(words: &'static [&'static str]) -> Kind {
    Kind::Text(NAME_BYTES_MAX, Form::OneOf(words))
}

/// The values of `type`: what kind of thing happened.
pub const TYPES: &[&str] = &["view", "click", "leave", "rage", "dead", "move", "custom", "exposure"];

/// The value of `key_kind` that leaves it to the collector to make `user_key`, anew each day.
pub const DAILY_KEY: &str = "daily";

/// The JSON text of an object, compact, on one line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Json(pub(crate) String);

impl Json {
    /// The JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Makes [`Event`] and [`Field`] from one table, so that the two can't part.
macro_rules! fields {
    ($( $(#[$doc:meta])* $name:ident: $type:ty = $kind:expr; )*) => {
        /// One log: a click, a page view, or another thing that a visitor did.
        ///
        /// The first ten fields are the original's and every log has them; the others stand only where they say
        /// something. Names are those of the wire, the stored line, SQL and charts, letter for letter.
        /// Measures are CSS pixels, counted from the left and upper edge of the document.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Event { $( $(#[$doc])* pub $name: $type, )* }

        /// The name of a field of [`Event`].
        #[expect(non_camel_case_types, reason = "names stay letter for letter, so that one search finds them all")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field { $( $(#[$doc])* $name, )* }

        impl Field {
            /// All fields, in the order of a stored line.
            pub const ALL: &'static [Field] = &[$(Field::$name),*];

            /// The field's name on the wire; e.g. `"spent_milli_sec"`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Field::$name => without_raw(stringify!($name)),)* }
            }

            /// What the field may hold.
            pub const fn kind(self) -> Kind {
                match self { $(Field::$name => $kind,)* }
            }
        }

        impl Event {
            /// Writes the fields that say something, in the table's order.
            pub(crate) fn write_fields(&self, object: &mut ObjectWriter<'_, impl Push>) {
                $( self.$name.write(Field::$name, object); )*
            }

            /// Takes one field from another log.
            #[cfg(feature = "read")]
            pub(crate) fn copy_field(&mut self, field: Field, from: &Event) {
                match field { $(Field::$name => self.$name.clone_from(&from.$name),)* }
            }

            /// Reads one field from what a sender wrote.
            #[cfg(feature = "read")]
            pub(crate) fn read_field(
                &mut self,
                field: Field,
                raw: crate::read::Raw<'_>,
            ) -> Result<(), crate::read::Reason> {
                match field { $(Field::$name => self.$name = crate::read::Readable::read(raw, field.kind())?,)* }
                Ok(())
            }
        }
    };
}

/// `r#type` is how Rust spells the name `type`.
const fn without_raw(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

fields! {
    /// When the log was made, by the visitor's clock: UTC, ISO 8601 with milliseconds; `2015-12-22T06:19:03.366Z`.
    timestamp: String = Kind::Text(TIMESTAMP_BYTES_MAX, Form::Instant);
    /// Which service (site) the log belongs to. Public: it stands in the page.
    token: String = Kind::Text(TOKEN_BYTES_MAX, Form::NotEmpty);
    /// Who: 20 random letters and digits, made once and kept in the browser; `tR2VQSYNNXJwbBQLijmR`. With the
    /// `key_kind` [`DAILY_KEY`] the collector makes it: empty until then.
    user_key: String = Kind::Text(USER_KEY_BYTES_MAX, Form::NotEmpty);
    /// The page on which it happened; `http://site.com/index.html`.
    current_page: String = text(URL_BYTES_MAX);
    /// Where the clicked link leads; for an element without `href` a description, `tag;class;id;name;data-reactid`;
    /// on a view the page itself.
    link: String = text(URL_BYTES_MAX);
    /// Where it happened, from the document's left edge. Source: `pageX`. `null` when unknown.
    x: Option<f64> = Kind::Number;
    /// Where it happened, from the document's upper edge. Source: `pageY`. `null` when unknown.
    y: Option<f64> = Kind::Number;
    /// Milliseconds since the tracker started in this document. Source: `performance.now()`, so setting the clock does
    /// not touch it; the original used the clock, so its logs may hold negative ones.
    spent_milli_sec: i64 = Kind::Whole;
    /// The browser's User-Agent.
    user_agent: String = text(USER_AGENT_BYTES_MAX);
    /// A counter kept in the browser from 0, raised by one on every page load and on every log made.
    load_count: i64 = Kind::Whole;

    /// Unique for ever: document id (96 random bits), a dot, `seq`. What repeats are told by.
    id: Option<String> = Kind::Text(ID_BYTES_MAX, Form::Id);
    /// Counts the logs of one document from 0: gives order, and gaps show loss.
    seq: Option<u64> = Kind::Count;
    /// `seq` of the view in which this log happened.
    view_seq: Option<u64> = Kind::Count;
    /// What happened; one of [`TYPES`]. Absent on logs of the original.
    r#type: Option<String> = word(TYPES);
    /// Version of the tracker; `0.1.0`.
    tracker: Option<String> = text(TRACKER_BYTES_MAX);
    /// [`DAILY_KEY`] where `user_key` is the collector's daily hash; absent where it is kept in the browser.
    key_kind: Option<String> = word(&[DAILY_KEY]);
    /// The owner's own name of the visitor.
    user_id: Option<String> = text(USER_ID_BYTES_MAX);
    /// Where the visit came from. Source: `document.referrer`. On views.
    referrer: Option<String> = text(URL_BYTES_MAX);
    /// The page's title, if asked for. On views.
    title: Option<String> = text(TITLE_BYTES_MAX);
    /// BCP 47; `ko-KR`. Source: `navigator.language`. On views.
    language: Option<String> = text(LOCALE_BYTES_MAX);
    /// IANA name; `Asia/Seoul`. Gives the country without an address. On views.
    time_zone: Option<String> = text(LOCALE_BYTES_MAX);
    /// Width of the screen. On views.
    screen_w: Option<f64> = Kind::Number;
    /// Height of the screen. On views.
    screen_h: Option<f64> = Kind::Number;
    /// Width of the window's inside. With the next three: what makes x, y of different screens comparable.
    viewport_w: Option<f64> = Kind::Number;
    /// Height of the window's inside.
    viewport_h: Option<f64> = Kind::Number;
    /// Width of the whole document.
    document_w: Option<f64> = Kind::Number;
    /// Height of the whole document.
    document_h: Option<f64> = Kind::Number;
    /// Device pixels to one CSS pixel. On views.
    pixel_ratio: Option<f64> = Kind::Number;
    /// How far the page was scrolled to the right; x minus this is the place in the window. On clicks.
    scroll_x: Option<f64> = Kind::Number;
    /// How far the page was scrolled down. On clicks.
    scroll_y: Option<f64> = Kind::Number;
    /// A short selector of the clicked element, with its index among equals. On clicks.
    element: Option<String> = text(ELEMENT_BYTES_MAX);
    /// Left edge of the clicked element's box in the page. On clicks.
    element_x: Option<f64> = Kind::Number;
    /// Upper edge of the clicked element's box in the page. On clicks.
    element_y: Option<f64> = Kind::Number;
    /// Width of the clicked element's box. On clicks.
    element_w: Option<f64> = Kind::Number;
    /// Height of the clicked element's box. On clicks.
    element_h: Option<f64> = Kind::Number;
    /// `true` where the element is fixed or sticky: its place in the window counts. On clicks.
    fixed: Option<bool> = Kind::Flag;
    /// What clicked. `key` is a press of Enter or Space; its place is the element's centre.
    pointer: Option<String> = word(&["mouse", "touch", "pen", "key"]);
    /// `false` where a script made the click.
    trusted: Option<bool> = Kind::Flag;
    /// `true` where the browser says that a program drives it. On views.
    webdriver: Option<bool> = Kind::Flag;
    /// Milliseconds that the view was visible and focused. On leaves.
    engaged_ms: Option<u64> = Kind::Count;
    /// The deepest point seen, percent of the document. On leaves.
    scroll_max: Option<f64> = Kind::Number;
    /// Largest contentful paint, milliseconds; this and the next four only if asked for. On leaves.
    lcp_ms: Option<f64> = Kind::Number;
    /// Interaction to next paint, milliseconds.
    inp_ms: Option<f64> = Kind::Number;
    /// Cumulative layout shift, a score.
    cls: Option<f64> = Kind::Number;
    /// First contentful paint, milliseconds.
    fcp_ms: Option<f64> = Kind::Number;
    /// Time to first byte, milliseconds.
    ttfb_ms: Option<f64> = Kind::Number;
    /// Rest positions of the pointer, compact. On moves.
    points: Option<String> = text(POINTS_BYTES_MAX);
    /// Name of the owner's own event. On custom logs, which must have one.
    name: Option<String> = Kind::Text(NAME_BYTES_MAX, Form::NotEmpty);
    /// Properties of the owner's own event: an object of scalars. On custom logs.
    props: Option<Json> = Kind::Scalars(PROPS_BYTES_MAX, PROPS_MAX);
    /// What the event is worth, revenue for one. On custom logs.
    value: Option<f64> = Kind::Number;
    /// ISO 4217; `KRW`. On custom logs.
    currency: Option<String> = Kind::Text(3, Form::Currency);
    /// Which experiment was met. On exposures, which must have one.
    experiment: Option<String> = Kind::Text(NAME_BYTES_MAX, Form::NotEmpty);
    /// Which variation was shown. On exposures, which must have one.
    variation: Option<String> = Kind::Text(NAME_BYTES_MAX, Form::NotEmpty);
    /// Fields that this version does not know, as they came.
    extra: Option<Json> = Kind::Object(EXTRA_BYTES_MAX);

    /// When the collector took the log in: UTC, ISO 8601 with milliseconds. Its date is the folder's.
    received_at: Option<String> = Kind::Text(TIMESTAMP_BYTES_MAX, Form::Instant);
    /// How long the log waited in the browser: `sent_at - timestamp` in milliseconds, both by the visitor's clock.
    queued_ms: Option<i64> = Kind::Whole;
    /// `server` where the sender gave no `id` and the collector made one.
    id_by: Option<String> = word(&["server"]);
}

impl Event {
    /// Whether `user_key` is the collector's to make.
    pub fn has_daily_key(&self) -> bool {
        self.key_kind.as_deref() == Some(DAILY_KEY)
    }
}

impl Field {
    /// Every log has these ten, also the original's.
    pub const REQUIRED: &'static [Field] = Field::ALL.split_at(10).0;

    /// Whether every log has this field.
    pub const fn is_required(self) -> bool {
        (self as usize) < Self::REQUIRED.len()
    }

    /// Whether the collector adds this field: a sender that brings it is refused.
    pub const fn is_servers(self) -> bool {
        matches!(self, Field::received_at | Field::queued_ms | Field::id_by)
    }
}

/// A type that a field of [`Event`] can have.
trait Writable {
    fn write(&self, field: Field, object: &mut ObjectWriter<'_, impl Push>);
}

impl Writable for String {
    fn write(&self, field: Field, object: &mut ObjectWriter<'_, impl Push>) {
        object.text(field.as_str(), self);
    }
}

impl Writable for i64 {
    fn write(&self, field: Field, object: &mut ObjectWriter<'_, impl Push>) {
        object.whole(field.as_str(), *self);
    }
}

impl Writable for u64 {
    fn write(&self, field: Field, object: &mut ObjectWriter<'_, impl Push>) {
        object.whole(field.as_str(), i64::try_from(*self).unwrap_or(i64::MAX));
    }
}

impl Writable for f64 {
    fn write(&self, field: Field, object: &mut ObjectWriter<'_, impl Push>) {
        object.number(field.as_str(), *self);
    }
}

impl Writable for bool {
    fn write(&self, field: Field, object: &mut ObjectWriter<'_, impl Push>) {
        object.json(field.as_str(), if *self { "true" } else { "false" });
    }
}

impl Writable for Json {
    fn write(&self, field: Field, object: &mut ObjectWriter<'_, impl Push>) {
        object.json(field.as_str(), &self.0);
    }
}

impl<T: Writable> Writable for Option<T> {
    fn write(&self, field: Field, object: &mut ObjectWriter<'_, impl Push>) {
        match self {
            Some(value) => value.write(field, object),
            None if field.is_required() => object.json(field.as_str(), "null"),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ten_come_first_in_the_originals_order() {
        let names: alloc::vec::Vec<_> = Field::REQUIRED.iter().map(|field| field.as_str()).collect();
        let original = "timestamp token user_key current_page link x y spent_milli_sec user_agent load_count";
        assert_eq!(names.join(" "), original);
    }

    #[test]
    fn a_raw_identifier_is_named_as_on_the_wire() {
        assert_eq!(Field::r#type.as_str(), "type");
    }

    #[test]
    fn the_collectors_fields_come_last() {
        let (_, last) = Field::ALL.split_at(Field::ALL.len() - 3);
        assert!(last.iter().all(|field| field.is_servers()));
        assert_eq!(Field::ALL.iter().filter(|field| field.is_servers()).count(), 3);
    }
}
