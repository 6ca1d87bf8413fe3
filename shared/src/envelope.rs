//! What the tracker sends: many logs in one text, nothing said twice.
//!
//! ```json
//! {"v":1,"sent_at":"2026-11-24T12:00:01.250Z","token":"…","user_key":"…","user_agent":"…","tracker":"0.1.0",
//!  "logs":[{"id":"…","seq":7,"type":"click"}]}
//! ```
//!
//! A field that stands beside `logs` holds for every log that does not say it itself.

use alloc::string::String;

/// The version of the envelope; a collector refuses one that it does not know.
pub const VERSION: u64 = 1;

/// Joins logs into an envelope.
///
/// `sent_at`: now by the sender's clock, ISO 8601. `common`: a JSON object of what holds for all logs.
/// `logs`: each a JSON object.
///
/// ```
/// let body = logdig_shared::envelope::write("2026-11-24T12:00:01.250Z", r#"{"token":"t"}"#, [r#"{"seq":7}"#]);
/// assert_eq!(body, r#"{"v":1,"sent_at":"2026-11-24T12:00:01.250Z","token":"t","logs":[{"seq":7}]}"#);
/// ```
pub fn write<Log: AsRef<str>>(sent_at: &str, common: &str, logs: impl IntoIterator<Item = Log>) -> String {
    let mut out = String::from(r#"{"v":1,"sent_at":""#);
    out.push_str(sent_at);
    out.push('"');
    let common = common.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
    if !common.is_empty() {
        out.push(',');
        out.push_str(common);
    }
    out.push_str(r#","logs":["#);
    for (nth, log) in logs.into_iter().enumerate() {
        if nth > 0 {
            out.push(',');
        }
        out.push_str(log.as_ref());
    }
    out.push_str("]}");
    out
}
