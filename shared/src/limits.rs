//! Every cap that both ends must agree on.
//!
//! Texts are measured in bytes of UTF-8. The tracker cuts its texts to these lengths; the collector refuses what is
//! longer and says which field it was. What a limit is for stands beside it.

/// An ISO 8601 instant with milliseconds has 24 bytes; nanoseconds, which some programs send, have 30.
pub const TIMESTAMP_BYTES_MAX: usize = 32;
/// The original's tokens have 40 bytes, ours 32.
pub const TOKEN_BYTES_MAX: usize = 128;
/// The original's keys have 20 bytes; programs may bring a UUID or a hash of their own.
pub const USER_KEY_BYTES_MAX: usize = 64;
/// Addresses: `current_page`, `link`, `referrer`. Web servers commonly stop at 8 KiB for a whole request head.
pub const URL_BYTES_MAX: usize = 8 * 1024;
/// Browsers send 100 to 250 bytes, in-app browsers up to 600.
pub const USER_AGENT_BYTES_MAX: usize = 1024;
/// `id`: a document id of 16 characters, a dot and a number; or what a program brings.
pub const ID_BYTES_MAX: usize = 64;
/// `tracker`: a version.
pub const TRACKER_BYTES_MAX: usize = 16;
/// `user_id`: the owner's own name of a visitor.
pub const USER_ID_BYTES_MAX: usize = 128;
/// `title` of a page.
pub const TITLE_BYTES_MAX: usize = 256;
/// `language` (BCP 47) and `time_zone` (IANA): the longest in use have 35 and 32 bytes.
pub const LOCALE_BYTES_MAX: usize = 64;
/// `element`: a short selector.
pub const ELEMENT_BYTES_MAX: usize = 256;
/// `points` of a `move` log.
pub const POINTS_BYTES_MAX: usize = 2 * 1024;
/// `name`, `experiment`, `variation`: names that the owner gives.
pub const NAME_BYTES_MAX: usize = 64;
/// `props` of a `custom` log, as JSON text.
pub const PROPS_BYTES_MAX: usize = 2 * 1024;
/// How many values `props` may hold.
pub const PROPS_MAX: usize = 30;
/// `extra`: fields that this version does not know, as JSON text.
pub const EXTRA_BYTES_MAX: usize = 4 * 1024;
/// The largest whole number that JavaScript, JSON readers and Parquet all hold exactly: 2^53 - 1.
pub const WHOLE_MAX: i64 = (1 << 53) - 1;

/// One stored line with its newline. Every text at its limit fits; one whose every character must be escaped may not.
pub const LINE_BYTES_MAX: usize = 64 * 1024;
/// One request. A tracker sends at most [`SEND_BYTES_MAX`]; programs may send more at a time.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Logs in one request.
pub const LOGS_PER_REQUEST_MAX: usize = 10_000;
/// What an envelope says once may grow to in all of its logs together. A small body must not fill the disk.
pub const INHERITED_BYTES_MAX: usize = 8 * BODY_BYTES_MAX;

/// One POST of the tracker. All scripts of a page share 64 KiB for requests that outlive it, so we take a quarter.
pub const SEND_BYTES_MAX: usize = 16 * 1024;
/// Logs that a browser keeps for one site. The oldest go first.
pub const QUEUE_LOGS_MAX: usize = 2_000;
/// Characters that a browser keeps for one site, of the 5 Mi that it allows.
pub const QUEUE_CHARS_MAX: usize = 512 * 1024;

// The reader may hold a whole line in memory, and a line must fit into a request.
const _: () = assert!(LINE_BYTES_MAX <= BODY_BYTES_MAX && SEND_BYTES_MAX <= BODY_BYTES_MAX);
