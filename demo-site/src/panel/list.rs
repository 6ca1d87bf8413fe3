//! The list of logs: a line each, five marks, and where it stands.

use leptos::prelude::*;
use wasm_bindgen::JsValue;

use super::collector::Collector;
use super::ledger::{Entry, SETTLED_MAX, Stage, Trouble};
use super::sources::{Sources, Tracker};
use super::wire::Place;
use super::words;

/// The five marks with their names, in a row like the marks of a line.
#[component]
pub fn Legend() -> impl IntoView {
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

/// What the colour of a line says, beside how far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Mood {
    Well,
    Retrying,
    Stuck,
}

impl Mood {
    fn of(trouble: Option<&Trouble>) -> Self {
        match trouble {
            None | Some(Trouble::Withdrawn) => Self::Well,
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
    stage: Stage,
    state: String,
    word: &'static str,
    mood: Mood,
    origin: Option<(&'static str, &'static str)>,
    place: Option<Place>,
}

impl Row {
    fn of(entry: &Entry) -> Self {
        Self {
            id: entry.log.id.clone(),
            kind: entry.log.r#type.clone(),
            subject: words::subject(&entry.log),
            time: local_time(&entry.log.timestamp),
            stage: entry.stage,
            state: words::state(entry),
            word: words::word(entry),
            mood: Mood::of(entry.trouble.as_ref()),
            origin: words::origin(entry.origin),
            place: entry.place.clone(),
        }
    }
}

/// The logs, newest first.
#[component]
pub fn Logs(file: RwSignal<Option<Place>>) -> impl IntoView {
    let sources: Sources = expect_context();
    let rows =
        Memo::new(move |_| sources.ledger.read().newest(SETTLED_MAX).into_iter().map(Row::of).collect::<Vec<_>>());
    let told = RwSignal::new(None::<String>);
    let is_empty = move || rows.read().is_empty();
    view! {
        <div class="logs" tabindex="0" role="region" aria-label="Logs, newest first">
            <table>
                <colgroup>
                    <col class="col-kind" />
                    <col />
                    <col class="col-time" />
                    <col class="col-path" />
                    <col class="col-where" />
                </colgroup>
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

const SEALING: &str = "In this demo files are sealed small and soon, after 5 s. By default a file waits for 100 logs \
    and 5 minutes, at most an hour.";

#[component]
fn NoLogs() -> impl IntoView {
    let sources: Sources = expect_context();
    let is_loading = move || sources.tracker.get() == Tracker::Loading || sources.collector.get() == Collector::Unknown;
    let text = move || match sources.tracker.get() {
        Tracker::Loaded => "No log yet. Click on anything in the shop.",
        _ => "No log from this page.",
    };
    let bones =
        || view! { <div class="bones">{[(); 4].map(|()| view! { <div class="bone"></div> }).collect_view()}</div> };
    view! {
        <Show when=is_loading fallback=move || view! { <p class="empty">{text}</p> }>
            {bones()}
        </Show>
    }
}

#[component]
fn LogRow(row: Row, told: RwSignal<Option<String>>, file: RwSignal<Option<Place>>) -> impl IntoView {
    let sentence = row.state.clone();
    let tell = Callback::new(move |()| told.set(Some(sentence.clone())));
    view! {
        <tr class="log" on:mouseenter=move |_| tell.run(()) on:mouseleave=move |_| told.set(None)>
            <td class="log-kind" data-kind=row.kind.clone() title=words::kind(&row.kind)>
                <KindMark path=words::kind_mark(&row.kind) />
                {row.kind.clone()}
            </td>
            <td class="log-subject" title=row.subject.clone()>
                {row.origin.map(|(word, said)| view! { <abbr class="tag" title=said>{word}</abbr> })}
                {row.subject.clone()}
            </td>
            <td class="log-time">{row.time}</td>
            <td>
                <span role="img" aria-label=row.state.clone()><Marks stage=row.stage mood=row.mood /></span>
            </td>
            <td class="log-where">
                {match row.place {
                    Some(place) => view! { <FileButton place tell told file /> }.into_any(),
                    None => view! { <span class="word" data-trouble=row.mood.name()>{row.word}</span> }.into_any(),
                }}
            </td>
        </tr>
    }
}

/// A small drawing; the word beside it says the same.
#[component]
fn KindMark(path: &'static str) -> impl IntoView {
    view! { <svg class="kind-mark" viewBox="0 0 12 12" aria-hidden="true"><path d=path /></svg> }
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

/// Hours, minutes and seconds where the visitor is.
fn local_time(timestamp: &str) -> String {
    let date = js_sys::Date::new(&JsValue::from_str(timestamp));
    if date.get_time().is_nan() {
        return String::new();
    }
    format!("{:02}:{:02}:{:02}", date.get_hours(), date.get_minutes(), date.get_seconds())
}
