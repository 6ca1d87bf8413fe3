//! What the panel shows: head, notices, the list of logs.

use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen::JsValue;

use super::file::FileView;
use super::ledger::{Counts, Entry, SETTLED_MAX, Stage, Trouble};
use super::sources::{Collector, Sources, Tracker};
use super::switches::Switches;
use super::wire::Place;
use super::words;
use crate::keep::Shelf;

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
                <p class="collector" data-state=move || collector().0><span>"collector "</span>{move || collector().1}</p>
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
                {move || (counts.get().refused > 0).then(|| view! { <Count name="refused" n=move || counts.get().refused /> })}
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
            "This page carries no script tag of LogDig, so nothing is logged. `cargo xtask demo` \
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
    view! {
        {move || tracker().map(|text| view! { <p class="notice">{text}</p> })}
        {move || down().map(|text| view! { <p class="notice">{text}</p> })}
    }
}

/// The five marks with their names, in a row like the marks of a line.
#[component]
fn Legend() -> impl IntoView {
    let item = |stage: Stage| view! { <li><i class="mark is-on"></i>{words::stage(stage)}</li> };
    view! { <ol class="legend" aria-label="What the five marks mean">{Stage::ALL.map(item).collect_view()}</ol> }
}

/// The five marks, filled up to `stage`; the reader of the screen is told by whoever stands around them.
#[component]
fn Marks(stage: Stage, mood: Mood) -> impl IntoView {
    let mark = |at: Stage| view! { <i class="mark" class:is-on=at <= stage></i> };
    view! {
        <span
            class="marks"
            class:is-retrying=mood == Mood::Retrying
            class:is-stuck=mood == Mood::Stuck
            aria-hidden="true"
        >
            {Stage::ALL.map(mark).collect_view()}
        </span>
    }
}

/// How a line feels, beside how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Mood {
    Well,
    Retrying,
    Stuck,
}

impl Mood {
    fn of(trouble: Option<&Trouble>) -> Self {
        match trouble {
            None => Self::Well,
            Some(Trouble::Waits { .. }) => Self::Retrying,
            Some(Trouble::Refused { .. } | Trouble::Lost) => Self::Stuck,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Well => "none",
            Self::Retrying => "retry",
            Self::Stuck => "stuck",
        }
    }
}

/// One line of the list, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Row {
    id: String,
    kind: String,
    subject: String,
    time: String,
    stage: u8,
    state: String,
    word: &'static str,
    mood: Mood,
    origin: Option<(&'static str, &'static str)>,
    file: Option<(String, usize)>,
}

impl Row {
    fn of(entry: &Entry) -> Self {
        Self {
            id: entry.log.id.clone(),
            kind: entry.log.r#type.clone(),
            subject: words::subject(&entry.log),
            time: local_time(&entry.log.timestamp),
            stage: entry.stage as u8,
            state: words::state(entry),
            word: words::word(entry),
            mood: Mood::of(entry.trouble.as_ref()),
            origin: words::origin(entry.origin),
            file: entry.place.clone().map(|place| (place.file, place.line)),
        }
    }
}

#[component]
fn Logs(file: RwSignal<Option<Place>>) -> impl IntoView {
    let sources: Sources = expect_context();
    let rows =
        Memo::new(move |_| sources.ledger.read().newest(SETTLED_MAX).into_iter().map(Row::of).collect::<Vec<_>>());
    let told = RwSignal::new(None::<String>);
    let is_empty = move || rows.read().is_empty();
    view! {
        <div class="logs" tabindex="0" role="region" aria-label="Logs, newest first">
            <table>
                <colgroup><col class="col-kind" /><col /><col class="col-time" /><col class="col-path" /><col class="col-where" /></colgroup>
                <thead>
                    <tr><th>"Type"</th><th>"What"</th><th>"Time"</th><th>"Path"</th><th>"File:line"</th></tr>
                </thead>
                <tbody>
                    <For each=move || rows.get() key=Row::clone let:row>
                        <LogRow row told file />
                    </For>
                </tbody>
            </table>
            <Show when=is_empty>
                <NoLogs />
            </Show>
        </div>
        <p class="told">{move || told.get().unwrap_or_else(|| SEALING.to_owned())}</p>
    }
}

const SEALING: &str = "In this demo files are sealed small and soon, after 5 s. By default a file waits for 100 logs and \
    5 minutes, at most an hour.";

#[component]
fn NoLogs() -> impl IntoView {
    let sources: Sources = expect_context();
    move || {
        match (sources.tracker.get(), sources.collector.get()) {
        (Tracker::Loading, _) | (_, Collector::Unknown) => view! {
            <ul class="bones" aria-label="Loading">{(0..4).map(|_| view! { <li class="bone"></li> }).collect_view()}</ul>
        }
        .into_any(),
        (Tracker::Loaded, _) => {
            view! { <p class="empty">"No log yet. Click on anything in the shop."</p> }.into_any()
        }
        _ => view! { <p class="empty">"No log from this page."</p> }.into_any(),
    }
    }
}

#[component]
fn LogRow(row: Row, told: RwSignal<Option<String>>, file: RwSignal<Option<Place>>) -> impl IntoView {
    let sentence = row.state.clone();
    let tell = Callback::new(move |()| told.set(Some(sentence.clone())));
    let stage = Stage::ALL[usize::from(row.stage)];
    view! {
        <tr class="log" on:mouseenter=move |_| tell.run(()) on:mouseleave=move |_| told.set(None)>
            <td class="log-kind" data-kind=row.kind.clone()>{row.kind.clone()}</td>
            <td class="log-subject" title=row.subject.clone()>
                {row.origin.map(|(word, said)| view! { <abbr class="tag" title=said>{word}</abbr> })}
                {row.subject.clone()}
            </td>
            <td class="log-time">{row.time}</td>
            <td>
                <span role="img" aria-label=row.state.clone()><Marks stage mood=row.mood /></span>
            </td>
            <td class="log-where">
                {match row.file {
                    Some((name, line)) => view! { <FileButton place=Place { file: name, line } tell told file /> }.into_any(),
                    None => view! { <span class="word" data-trouble=row.mood.name()>{row.word}</span> }.into_any(),
                }}
            </td>
        </tr>
    }
}

#[component]
fn FileButton(
    place: Place,
    tell: Callback<()>,
    told: RwSignal<Option<String>>,
    file: RwSignal<Option<Place>>,
) -> impl IntoView {
    let short = format!("{}:{}", words::short_hash(&place.file), place.line);
    let label = format!("{short}, open file {}", place.file);
    view! {
        <button
            class="file"
            type="button"
            title=place.file.clone()
            aria-label=label
            on:focus=move |_| tell.run(())
            on:blur=move |_| told.set(None)
            on:click=move |_| file.set(Some(place.clone()))
        >
            {short}
        </button>
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

/// Hours, minutes and seconds where the visitor is.
fn local_time(timestamp: &str) -> String {
    let date = js_sys::Date::new(&JsValue::from_str(timestamp));
    if date.get_time().is_nan() {
        return String::new();
    }
    format!("{:02}:{:02}:{:02}", date.get_hours(), date.get_minutes(), date.get_seconds())
}
