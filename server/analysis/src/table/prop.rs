//! The table `props`: a row a property of an owner's event.

use super::column::{Date, table};

table! {
    /// One property of one custom log; portable SQL can't look into JSON.
    "props" PropRow PropBatch

    /// Id of the service.
    service: String;
    /// Id of the log, as in `events`.
    id: String;
    /// As in `events`.
    ts_ms: i64;
    /// As in `events`.
    day: Date;
    /// Name of the event.
    name: String;
    /// Name of the property.
    key: String;
    /// Its value as text; `true`, `42`, `red`.
    text: Option<String>;
    /// Its value where it is a number.
    number: Option<f64>;
}
