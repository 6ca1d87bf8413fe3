use proptest::prelude::*;

use super::*;

const DAY: &str = "2026-11-25";
const NOON: &str = "2026-11-25T12:00:00.000Z";
const SENT: Envelope<'static> =
    Envelope { message_id: "5fea7756-0ea4-451a-a703-a558b933e274", sent_at: Timestamp::constant(1_795_608_000, 0) };
const ORIGINAL: &str = "2015-12-22T06:19:03.366Z|VkdzNVRsRlZVa1JVTURWUFVsVk9WVk5WT1U4PQ|tR2VQSYNNXJwbBQLijmR|http://site.com/index.html|http://site.com/page.html|110|400|1120|Mozilla/5.0 (Macintosh)|2";

fn day() -> Day {
    DAY.parse().unwrap()
}

fn line(value: &str) -> String {
    let text = serde_json::to_string(value).unwrap();
    format!("{{\"link\":{text},\"received_at\":\"{NOON}\"}}\n")
}

fn unpack_all(messages: &[String]) -> String {
    let unpacked = messages.iter().map(|message| unpack(message, SENT).unwrap());
    unpacked.inspect(|unpacked| assert_eq!(unpacked.day, day())).map(|unpacked| unpacked.lines).collect()
}

/// SQS's own words: #x9, #xA, #xD, #x20 to #xD7FF, #xE000 to #xFFFD, #x10000 to #x10FFFF.
fn is_taken(c: char) -> bool {
    let code = u32::from(c);
    [9, 10, 13].contains(&code)
        || (0x20..=0xd7ff).contains(&code)
        || (0xe000..=0xfffd).contains(&code)
        || code >= 0x10000
}

proptest! {
    #[test]
    fn what_was_packed_is_unpacked(values in prop::collection::vec(".{0,200}", 1..40)) {
        let lines: String = values.iter().map(|value| line(value)).collect();
        let messages = pack(day(), &lines);
        prop_assert_eq!(messages.len(), 1);
        prop_assert!(messages[0].chars().all(is_taken));
        let unpacked = unpack(&messages[0], SENT).unwrap();
        prop_assert_eq!(unpacked.n_logs, values.len() as u64);
        prop_assert_eq!(unpacked.oldest, NOON.parse().unwrap());
        prop_assert_eq!(unpacked.lines, lines);
    }

    #[test]
    fn text_of_any_kind_does_no_harm(text in "(logdig [0-2] (2026-11-25|x) [0-9]{1,3} [0-9]{1,9} (plain|zstd|x)\n)?.{0,300}") {
        if let Ok(unpacked) = unpack(&text, SENT) {
            prop_assert!(unpacked.lines.ends_with('\n'));
        }
    }

    #[test]
    fn a_message_with_one_wrong_byte_is_refused_or_says_the_same(at in 0..1000_usize, byte in 0x20..0x7f_u8) {
        let lines: String = (0..20).map(|n| line(&format!("http://site.com/{n}"))).collect();
        let message = pack(day(), &lines).remove(0);
        let mut bytes = message.clone().into_bytes();
        // The lines, not the head: that one could be changed into another true one.
        let head = message.find('\n').unwrap() + 1;
        let at = head + at % (bytes.len() - head);
        bytes[at] = byte;
        if let Ok(unpacked) = unpack(std::str::from_utf8(&bytes).unwrap(), SENT) {
            prop_assert_eq!(unpacked.lines, lines);
        }
    }
}

/// Lines that nothing makes shorter: letters and digits of a xorshift generator.
fn dense_line(seed: &mut u64, n_chars: usize, end: &str) -> String {
    let mut char = || {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[(*seed >> 20) as usize & 63])
    };
    line(&((0..n_chars).map(|_| char()).collect::<String>() + end))
}

#[test]
fn any_amount_becomes_messages_that_sqs_takes() {
    for end in ["", "\u{fffe}", "\u{ffff}", "\u{7f}", "\u{1f600}"] {
        let mut seed = 42;
        let lines: String = (0..60).map(|_| dense_line(&mut seed, 60_000, end)).collect();
        let messages = pack(day(), &lines);
        assert!((4..=8).contains(&messages.len()), "{} messages", messages.len());
        for message in &messages {
            assert!(message.len() <= MESSAGE_BYTES_MAX && message.chars().all(is_taken), "{} bytes", message.len());
        }
        assert_eq!(unpack_all(&messages), lines);
    }
}

#[test]
fn packs_where_that_pays() {
    let click = |n: usize| line(&format!("http://site.com/a/page/of/some/length?n={n}"));
    let one = pack(day(), &click(1)).remove(0);
    assert!(one.starts_with("logdig 1 2026-11-25 1 ") && one.contains(" plain\n{"), "{one}");
    let many: String = (0..1000).map(click).collect();
    let packed = pack(day(), &many).remove(0);
    assert!(packed.contains(" zstd\n") && packed.len() < many.len() / 5, "{} of {}", packed.len(), many.len());
    let refused_character = pack(day(), &line("\u{fffe}")).remove(0);
    assert!(refused_character.contains(" zstd\n"), "{refused_character}");
}

/// The head of a message of one line, `text` with what it should hold.
fn message(head: &str, lines: &str) -> String {
    format!("logdig {head}\n{lines}")
}

#[test]
fn tells_why_a_message_cannot_be_read() {
    let good = line("x");
    let n = good.len();
    let bomb = {
        let zeros = zstd::bulk::compress(&vec![b' '; 100 << 20], 3).unwrap();
        BASE64.encode(zeros)
    };
    let other_day = good.replace("2026-11-25T", "2026-11-26T");
    #[rustfmt::skip]
    let cases = [
        (message(&format!("1 {DAY} 1 {n} plain"), &good), Ok(())),
        (message(&format!("2 {DAY} 1 {n} plain"), &good), Err("unsupported_version")),
        (message("2", ""), Err("unsupported_version")),
        (message("1", ""), Err("bad_head")),
        ("logdig ".to_owned(), Err("unsupported_version")),
        (message(&format!("1 2026-02-30 1 {n} plain"), &good), Err("bad_head")),
        (message(&format!("1 {DAY} -1 {n} plain"), &good), Err("bad_head")),
        (message(&format!("1 {DAY} 0 0 plain"), ""), Err("bad_head")),
        (message(&format!("1 {DAY} 1 {n}"), &good), Err("bad_head")),
        (message(&format!("1 {DAY} 1 {} plain", LINES_BYTES_MAX + 1), &good), Err("too_large")),
        (message(&format!("1 {DAY} 1 {} plain", u64::MAX), &good), Err("too_large")),
        (message(&format!("1 {DAY} 1 {} plain", n + 1), &good), Err("wrong_length")),
        (message(&format!("1 {DAY} 2 {n} plain"), &good), Err("wrong_length")),
        (message(&format!("1 {DAY} 1 {n} gzip"), &good), Err("bad_encoding")),
        (message(&format!("1 {DAY} 1 {n} zstd"), "####"), Err("bad_encoding")),
        (message(&format!("1 {DAY} 1 {n} zstd"), &BASE64.encode("no frame")), Err("bad_encoding")),
        (message(&format!("1 {DAY} 1 {n} zstd"), &bomb), Err("bad_encoding")),
        (message(&format!("1 {DAY} 1 {} plain", n - 1), good.trim_end()), Err("bad_line")),
        (message(&format!("1 {DAY} 1 {n} plain"), &other_day), Err("bad_line")),
        (message(&format!("1 {DAY} 1 3 plain"), "{}\n"), Err("bad_line")),
        (message(&format!("1 {DAY} 1 3 plain"), "a|\n"), Err("bad_line")),
        (String::new(), Err("not_a_log")),
        ("hello".to_owned(), Err("not_a_log")),
        ("{\"token\":".to_owned(), Err("not_a_log")),
        ("{}".to_owned(), Err("missing")),
        ("[]".to_owned(), Err("not_a_log")),
        (ORIGINAL.replace("2015-12", "2015-13"), Err("not_an_instant")),
    ];
    for (text, expected) in cases {
        let found = unpack(&text, SENT).map(|_| ()).map_err(|error| error.tag());
        assert_eq!(found, expected, "{}", text.chars().take(100).collect::<String>());
    }
}

/// Fields and example are those of the first LogDig's own description.
#[test]
fn reads_logs_of_the_original() {
    let json = r#"{"timestamp":"2015-12-22T06:19:03.366Z","token":"VkdzNVRsRlZVa1JVTURWUFVsVk9WVk5WT1U4PQ",
        "user_key":"tR2VQSYNNXJwbBQLijmR","current_page":"http://site.com/index.html",
        "link":"http://site.com/page.html","x":"110","y":400,"spent_milli_sec":"1120",
        "user_agent":"Mozilla/5.0 (Macintosh)","load_count":2}"#;
    for text in [ORIGINAL, json] {
        let unpacked = unpack(text, SENT).unwrap();
        let log = line::read(&unpacked.lines).unwrap().event;
        assert_eq!((unpacked.n_logs, unpacked.day.to_string().as_str()), (1, DAY));
        assert_eq!((unpacked.oldest, log.received_at.as_deref()), (SENT.sent_at, Some(NOON)));
        assert_eq!((log.id.as_deref(), log.id_by.as_deref()), (Some(SENT.message_id), Some("server")));
        assert_eq!(
            (&*log.link, log.x, log.y, log.load_count),
            ("http://site.com/page.html", Some(110.0), Some(400.0), 2)
        );
    }
}

#[test]
fn no_value_of_the_original_forges_a_line() {
    let text = ORIGINAL.replace("Mozilla/5.0 (Macintosh)", "M\n{}\n");
    let unpacked = unpack(&text, SENT).unwrap();
    assert_eq!(unpacked.lines.matches('\n').count(), 1);
    assert_eq!(line::read(&unpacked.lines).unwrap().event.user_agent, "M\n{}\n");
}
