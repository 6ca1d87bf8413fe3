//! Logs to send, written as a tracker or a program would write them.

use serde_json::{Value, json};

/// One complete log of today, as a program would send it.
pub fn log(token: &str, id: &str) -> Value {
    let mut log = original(token);
    log["id"] = json!(id);
    log["type"] = json!("click");
    log
}

/// The ten fields of the original and nothing else, numbers as numbers.
pub fn original(token: &str) -> Value {
    json!({
        "timestamp": "2026-11-24T12:00:00.000Z",
        "token": token,
        "user_key": "tR2VQSYNNXJwbBQLijmR",
        "current_page": "http://shop.test/index.html",
        "link": "http://shop.test/page.html",
        "x": 110,
        "y": 400,
        "spent_milli_sec": 1120,
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
        "load_count": 2,
    })
}

/// The envelope of the tracker around logs with these ids.
pub fn envelope(token: &str, ids: impl IntoIterator<Item = impl AsRef<str>>) -> Value {
    let logs = ids.into_iter().enumerate().map(|(seq, id)| {
        json!({
            "id": id.as_ref(),
            "seq": seq,
            "type": "click",
            "timestamp": "2026-11-24T12:00:00.000Z",
            "current_page": "http://shop.test/index.html",
            "link": "http://shop.test/page.html",
            "x": 110,
            "y": 400,
            "spent_milli_sec": 1120,
            "load_count": 2,
        })
    });
    json!({
        "v": 1,
        "sent_at": "2026-11-24T12:00:01.250Z",
        "token": token,
        "user_key": "tR2VQSYNNXJwbBQLijmR",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
        "tracker": "0.1.0",
        "logs": logs.collect::<Vec<_>>(),
    })
}

/// The body of the original tracker's form post, made by jQuery from the ten
/// fields: all of them text, percent-encoded, joined by `&`.
pub fn form(log: &Value) -> String {
    let fields = log.as_object().expect("a log is an object").iter();
    let pair = |(name, value): (&String, &Value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{name}={}", percent_encode(&text))
    };
    fields.map(pair).collect::<Vec<_>>().join("&")
}

/// As the browser's `encodeURIComponent` does it, with jQuery's `+` for a space.
pub fn percent_encode(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')' => {
            char::from(byte).to_string()
        }
        b' ' => "+".to_owned(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}
