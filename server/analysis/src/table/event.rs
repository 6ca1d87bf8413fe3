//! The table `events`: a row a log.

use super::column::{Date, table};

table! {
    /// One log, with what is derived from it and from the session it belongs to.
    ///
    /// Columns that are fields of a log bear its names (`docs/WIRE.md`) and hold what it says. Measures are CSS pixels.
    "events" EventRow EventBatch

    /// Id of the service, from its token.
    service: String;
    /// The log's id; where it has none, one of the file's name and the line.
    id: String;
    /// When it happened: UTC, milliseconds since 1970. `received_at - queued_ms`, never after `received_at`; see "Time".
    ts_ms: i64;
    /// Hour of `ts_ms` in the service's time zone; `2026-11-25T13`.
    hour: String;
    /// Day of `ts_ms` in the service's time zone.
    day: Date;
    /// The Monday of `day`'s week.
    week: Date;
    /// The first of `day`'s month.
    month: Date;
    /// When the collector took it: UTC, milliseconds since 1970. Null on logs of the original.
    received_ms: Option<i64>;
    /// How long it waited in the browser, milliseconds.
    queued_ms: Option<i64>;
    /// Whether `ts_ms` was bounded, since the log said that it had waited for over 30 days.
    is_clamped: bool;
    /// Kind of log: `view`, `click`, `leave`, `rage`, `dead`, `move`, `custom`, `exposure`. Logs of the original have none: with x = y = 0 and a `link` that equals `current_page` it is a view, else a click.
    r#type: String;
    /// The visitor.
    user_key: String;
    /// `daily` where `user_key` changes each day.
    key_kind: Option<String>;
    /// The owner's own name of the visitor.
    user_id: Option<String>;
    /// Document that the log was made in: its `id` without `seq`.
    document: Option<String>;
    /// Number of the log in its document, from 0.
    seq: Option<i64>;
    /// `seq` of the view that it happened in.
    view_seq: Option<i64>;
    /// Session: the service's id and the id of the session's first log, joined by `:`.
    session_id: String;
    /// Place of the log in its session, from 1.
    session_seq: i64;
    /// On views: place among the session's views, from 1. Null on all else.
    view_number: Option<i64>;
    /// On views: page of the session's next view. Null on the last one, and on all else.
    next_page: Option<String>;
    /// Page: host and path of `current_page` after the service's page rules; `shop.example/cart`.
    page: String;
    /// Address as it was logged.
    current_page: String;
    /// Where the clicked link leads; else a description of the element.
    link: String;
    /// On clicks: whether `link` leads to another host.
    is_outbound: Option<bool>;
    /// Place in the page, from the left.
    x: Option<f64>;
    /// Place in the page, from the top.
    y: Option<f64>;
    /// Milliseconds since the tracker started in this document.
    spent_milli_sec: i64;
    /// Raised by every page load and every log of the browser.
    load_count: i64;
    /// The browser's User-Agent.
    user_agent: String;
    /// `desktop`, `mobile`, `tablet`, `other`: of the User-Agent, of the session's view.
    device: String;
    /// Browser of the User-Agent; `Chrome`, `Safari`, `other`.
    browser: String;
    /// Its major version; `126`.
    browser_version: Option<String>;
    /// System of the User-Agent; `Android`, `Windows`, `other`.
    os: String;
    /// Why it is taken for a program's: name from the list, or `webdriver`. Null for people.
    bot: Option<String>;
    /// Where the session came from: `direct`, `search`, `social`, `ai`, `email`, `paid`, `referral`, `internal`, `campaign`.
    channel: String;
    /// Site that the session came from: `utm_source`, else the referrer's host without `www.`. Null when direct.
    source: Option<String>;
    /// The session's first `utm_medium`.
    utm_medium: Option<String>;
    /// The session's first `utm_campaign`.
    utm_campaign: Option<String>;
    /// ISO 3166 code of the session's country, by its time zone. Null when unknown.
    country: Option<String>;
    /// The session's language: BCP 47, first part; `ko`.
    language: Option<String>;
    /// On views: address of the page before, as the browser said.
    referrer: Option<String>;
    /// On views: title of the page, if asked for.
    title: Option<String>;
    /// Width of the screen.
    screen_w: Option<f64>;
    /// Height of the screen.
    screen_h: Option<f64>;
    /// Width of the window's inside.
    viewport_w: Option<f64>;
    /// Height of the window's inside.
    viewport_h: Option<f64>;
    /// Width of the document.
    document_w: Option<f64>;
    /// Height of the document.
    document_h: Option<f64>;
    /// How far the page was scrolled to the right.
    scroll_x: Option<f64>;
    /// How far the page was scrolled down.
    scroll_y: Option<f64>;
    /// Selector of the clicked element.
    element: Option<String>;
    /// Left edge of the element's box in the page.
    element_x: Option<f64>;
    /// Upper edge of the element's box in the page.
    element_y: Option<f64>;
    /// Width of the element's box.
    element_w: Option<f64>;
    /// Height of the element's box.
    element_h: Option<f64>;
    /// Whether the element keeps its place in the window.
    fixed: Option<bool>;
    /// `mouse`, `touch`, `pen` or `key`.
    pointer: Option<String>;
    /// `false` where a script clicked.
    trusted: Option<bool>;
    /// On views: milliseconds that it was visible and focused; of its `leave`. Null where none came.
    engaged_ms: Option<i64>;
    /// On views: deepest point seen, percent of the document; of its `leave`. Null where none came.
    scroll_max: Option<f64>;
    /// On leaves: largest contentful paint, milliseconds.
    lcp_ms: Option<f64>;
    /// On leaves: interaction to next paint, milliseconds.
    inp_ms: Option<f64>;
    /// On leaves: cumulative layout shift, a score.
    cls: Option<f64>;
    /// On leaves: first contentful paint, milliseconds.
    fcp_ms: Option<f64>;
    /// On leaves: time to first byte, milliseconds.
    ttfb_ms: Option<f64>;
    /// On moves: rest positions.
    points: Option<String>;
    /// On custom logs: name of the owner's event.
    name: Option<String>;
    /// On custom logs: what it is worth.
    value: Option<f64>;
    /// On custom logs: currency of `value`, ISO 4217.
    currency: Option<String>;
    /// On exposures: the experiment.
    experiment: Option<String>;
    /// On exposures: the variation.
    variation: Option<String>;
}
