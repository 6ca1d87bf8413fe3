//! A log as it rests in a file: one line, one flat JSON object, complete in itself.

use crate::{Event, json::ObjectWriter};
use alloc::string::String;

/// Writes a log and its newline to the end of a text.
///
/// No value can break the line: newlines, quotes and all control characters are escaped.
pub fn write(event: &Event, out: &mut String) {
    let mut object = ObjectWriter::new(out);
    event.write_fields(&mut object);
    object.end();
    out.push('\n');
}

#[cfg(feature = "read")]
pub use crate::read::read_stored as read;
