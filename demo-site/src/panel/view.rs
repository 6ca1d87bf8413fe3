//! The panel as a whole: head, notices, and what a screen reader is told.

use std::time::Duration;

use leptos::prelude::*;

use super::collector::Collector;
use super::file::FileView;
use super::ledger::Counts;
use super::list::{Legend, Logs};
use super::sources::{Sources, Tracker};
use super::switches::Switches;
use super::wire::Place;
use crate::keep::Shelf;
use crate::owner::{self, Consent, Visit};

/// A screen reader is told the counts no more often than this.
const ANNOUNCE_EVERY: Duration = Duration::from_secs(4);

/// The panel beside the shop. The tracker passes over everything in it.
#[component]
pub fn Panel() -> impl IntoView {
    let sources = Sources::start();
    provide_context(sources);
    let counts = Memo::new(move |_| sources.ledger.read().counts());
    let is_open = RwSignal::new(false);
    let file = RwSignal::new(None::<Place>);
    view! {
        <aside
            class="panel"
            class:is-open=move || is_open.get()
            aria-labelledby="panel-title"
            data-logdig-ignore=""
        >
            <Head counts is_open />
            <div class="panel-body" id="panel-body">
                <Notices />
                <Legend />
                <Logs file />
                <Switches />
            </div>
            <FileView place=file />
            <Announcer counts />
        </aside>
    }
}

#[component]
fn Head(counts: Memo<Counts>, is_open: RwSignal<bool>) -> impl IntoView {
    let sources: Sources = expect_context();
    let collector = move || match sources.collector.get() {
        Collector::Unknown => ("unknown", "…".to_owned()),
        Collector::Up { pid: Some(pid) } => ("up", format!("up, pid {pid}")),
        Collector::Up { pid: None } => ("up", "up".to_owned()),
        Collector::Down => ("down", "down".to_owned()),
    };
    view! {
        <div class="panel-head">
            <div class="panel-title-row">
                <h2 id="panel-title">"Path of every log"</h2>
                <p class="collector" data-state=move || collector().0>
                    <span>"collector "</span>
                    {move || collector().1}
                </p>
                <button
                    class="quiet panel-toggle"
                    type="button"
                    aria-controls="panel-body"
                    aria-expanded=move || is_open.get().to_string()
                    on:click=move |_| is_open.update(|is_open| *is_open = !*is_open)
                >
                    {move || if is_open.get() { "Close" } else { "Open" }}
                </button>
            </div>
            <dl class="counts">
                <Count name="made" n=move || counts.get().made />
                <Count name="waiting" n=move || counts.get().waiting />
                <Count name="durable" n=move || counts.get().durable />
                <Count name="in files" n=move || counts.get().in_files />
                <Show when=move || { counts.get().refused != 0 }>
                    <Count name="refused" n=move || counts.get().refused />
                </Show>
                <Count name="lost" n=move || counts.get().lost />
            </dl>
        </div>
    }
}

#[component]
fn Count(name: &'static str, n: impl Fn() -> usize + Send + Sync + 'static) -> impl IntoView {
    view! {
        <div class="count" data-name=name>
            <dt>{name}</dt>
            <dd>{n}</dd>
        </div>
    }
}

#[component]
fn Notices() -> impl IntoView {
    let sources: Sources = expect_context();
    let tracker = move || match sources.tracker.get() {
        Tracker::Failed => Some(
            "The tracker did not load: the collector did not deliver it. Nothing is logged on this \
            page; start the collector and reload.",
        ),
        Tracker::Absent => Some(
            "This page carries no script tag of LogDig, so nothing is logged. cargo xtask demo \
            puts it in.",
        ),
        Tracker::Forbidden => Some(
            "Your browser asks not to be followed (Global Privacy Control): nothing is logged \
            and nothing is stored.",
        ),
        Tracker::Loading | Tracker::Loaded => None,
    };
    let down = move || match sources.collector.get() {
        Collector::Down if Shelf::Local.is_usable() => {
            Some("The collector does not answer. Logs wait in this page: nothing is lost.")
        }
        Collector::Down => Some(
            "The collector does not answer. Logs wait in the memory of this page: nothing is lost \
            while it stays open.",
        ),
        _ => None,
    };
    let visit = Visit::of_app();
    let choice = move || match visit.consent.get() {
        _ if sources.is_out.get() => Some("This visitor opted out: nothing is logged and nothing is stored."),
        _ if !owner::is_asked() => None,
        None => Some("No answer yet: clicks wait in the memory of this page; nothing is stored or sent."),
        Some(Consent::Denied) => Some("The visitor said no: nothing is logged and nothing is stored."),
        Some(Consent::Granted) => None,
    };
    view! {
        {move || choice().map(|text| view! { <p class="notice">{text}</p> })}
        {move || tracker().map(|text| view! { <p class="notice">{text}</p> })}
        {move || down().map(|text| view! { <p class="notice is-bad">{text}</p> })}
    }
}

/// Tells a screen reader how things stand, calmly: the counts once they have been still for a while.
#[component]
fn Announcer(counts: Memo<Counts>) -> impl IntoView {
    let sources: Sources = expect_context();
    let said = RwSignal::new(String::new());
    set_interval(
        move || {
            let Counts { made, waiting, in_files, lost, .. } = counts.get_untracked();
            let collector = match sources.collector.get_untracked() {
                Collector::Down => "The collector is down. ",
                _ => "",
            };
            let text = format!("{collector}{made} logs made, {waiting} waiting, {in_files} in files, {lost} lost.");
            if *said.read_untracked() != text {
                said.set(text);
            }
        },
        ANNOUNCE_EVERY,
    );
    view! { <p class="hidden" role="status">{said}</p> }
}
