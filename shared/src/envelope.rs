//! What the tracker sends: many logs in one text, nothing said twice.
//!
//! ```json
//! {"v":1,"sent_at":"2026-11-24T12:00:01.250Z","token":"…","user_key":"…","user_agent":"…","tracker":"0.1.0",
//!  "logs":[{"id":"…","seq":7,"type":"click"}]}
//! ```
//!
//! A field that stands beside `logs` holds for every log that does not say it itself.

use crate::json::Push;

/// The version of the envelope; a collector refuses one that it does not know.
pub const VERSION: u64 = 1;

/// Writes an envelope, log by log.
///
/// ```
/// use logdig_shared::envelope::EnvelopeWriter;
///
/// let mut body = String::new();
/// let mut envelope = EnvelopeWriter::begin(&mut body, "2026-11-24T12:00:01.250Z", r#"{"token":"t"}"#);
/// envelope.next_log().push_str(r#"{"seq":7}"#);
/// envelope.end();
/// assert_eq!(body, r#"{"v":1,"sent_at":"2026-11-24T12:00:01.250Z","token":"t","logs":[{"seq":7}]}"#);
/// ```
#[derive(Debug)]
pub struct EnvelopeWriter<'a, Out: Push> {
    out: &'a mut Out,
    n_logs: usize,
}

impl<'a, Out: Push> EnvelopeWriter<'a, Out> {
    /// Begins an envelope. `sent_at`: now by the sender's clock, ISO 8601. `common`: a JSON object, not empty, of what
    /// holds for all logs.
    pub fn begin(out: &'a mut Out, sent_at: &str, common: &str) -> Self {
        out.push_str(r#"{"v":1,"sent_at":""#);
        out.push_str(sent_at);
        out.push_str("\",");
        // Not `strip_prefix('{')`: looking for a character would bring its encoder into the page.
        out.push_str(common.get(1..common.len().saturating_sub(1)).unwrap_or_default());
        out.push_str(r#","logs":["#);
        Self { out, n_logs: 0 }
    }

    /// Where the next log goes: one JSON object.
    pub fn next_log(&mut self) -> &mut Out {
        if self.n_logs > 0 {
            self.out.push_ascii(b',');
        }
        self.n_logs += 1;
        self.out
    }

    /// Closes the envelope.
    pub fn end(self) {
        self.out.push_str("]}");
    }
}
