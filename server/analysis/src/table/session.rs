//! The table `sessions`: a row a session.

use super::column::{Date, table};

table! {
    /// One visitor's logs with no gap of over 30 minutes between them, over at most 24 hours.
    "sessions" SessionRow SessionBatch

    /// Id of the service.
    service: String;
    /// The service's id and the id of the session's first log, joined by `:`.
    session_id: String;
    /// The visitor.
    user_key: String;
    /// The owner's own name of the visitor, the last one said in the session.
    user_id: Option<String>;
    /// Time of the first log: UTC, milliseconds since 1970.
    start_ms: i64;
    /// Time of the last log: UTC, milliseconds since 1970.
    end_ms: i64;
    /// Last minus first log, milliseconds; 0 with a single one.
    duration_ms: i64;
    /// Hour of `start_ms` in the service's time zone; `2026-11-25T13`.
    hour: String;
    /// Day of `start_ms` in the service's time zone.
    day: Date;
    /// The Monday of `day`'s week.
    week: Date;
    /// The first of `day`'s month.
    month: Date;
    /// Number of logs.
    events: i64;
    /// Number of views.
    views: i64;
    /// Number of clicks.
    clicks: i64;
    /// Number of rage clicks.
    rage: i64;
    /// Number of dead clicks.
    dead: i64;
    /// Number of the owner's own events.
    custom: i64;
    /// Milliseconds engaged: of its leaves; where none came, 10 s × (distinct 10-second stretches with a log − 1) + 5 s.
    engaged_ms: i64;
    /// One view, no click or event of the owner's, and less than 10 s engaged.
    is_bounce: bool;
    /// Page of the first view.
    entry_page: Option<String>;
    /// Page of the last view.
    exit_page: Option<String>;
    /// As in `events`.
    device: String;
    /// As in `events`.
    browser: String;
    /// As in `events`.
    browser_version: Option<String>;
    /// As in `events`.
    os: String;
    /// As in `events`.
    bot: Option<String>;
    /// As in `events`.
    channel: String;
    /// As in `events`.
    source: Option<String>;
    /// As in `events`.
    utm_medium: Option<String>;
    /// As in `events`.
    utm_campaign: Option<String>;
    /// As in `events`.
    country: Option<String>;
    /// As in `events`.
    language: Option<String>;
    /// Referrer of the first view.
    referrer: Option<String>;
}
