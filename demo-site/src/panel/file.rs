//! A stored file, opened: its lines, the one in question, and whether its name is true.

use gloo_net::http::Request;
use leptos::html::Dialog;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::sources::Sources;
use super::wire::Place;

/// A file that was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Content {
    lines: Vec<String>,
    n_bytes: usize,
    /// SHA-256 of the bytes, hex; `None` where the browser can't work it out (plain http that is not this machine).
    sha256: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Loading,
    Open(Content),
    Failed,
}

/// The dialog that opens when `place` is set.
#[component]
pub fn FileView(place: RwSignal<Option<Place>>) -> impl IntoView {
    let sources: Sources = expect_context();
    let dialog = NodeRef::<Dialog>::new();
    let state = RwSignal::new(State::Loading);
    Effect::new(move || {
        let (Some(place), Some(dialog)) = (place.get(), dialog.get()) else { return };
        state.set(State::Loading);
        // Fails only when the dialog is not in the page any more.
        let _ = dialog.show_modal();
        spawn_local(async move {
            let content = fetch(sources, &place.file).await;
            state.set(content.map_or(State::Failed, State::Open));
        });
    });
    let close = move |_| dialog.get_untracked().into_iter().for_each(|dialog| dialog.close());
    view! {
        <dialog class="box file-box" node_ref=dialog aria-labelledby="file-title" on:close=move |_| place.set(None)>
            <div class="file-head">
                <h2 id="file-title" class="file-name">{move || place.get().map(|place| place.file)}</h2>
                <button class="button quiet" type="button" on:click=close>"Close"</button>
            </div>
            {move || match (state.get(), place.get()) {
                (State::Open(content), Some(place)) => view! { <Lines content place /> }.into_any(),
                (State::Failed, _) => view! {
                    <p class="notice is-bad">
                        "The collector did not deliver the file. Try again when it is up: what is sealed stays."
                    </p>
                }.into_any(),
                _ => view! { <div class="bone file-bone" aria-label="Loading"></div> }.into_any(),
            }}
        </dialog>
    }
}

#[component]
fn Lines(content: Content, place: Place) -> impl IntoView {
    let chosen = RwSignal::new(place.line);
    let is_pretty = RwSignal::new(false);
    let Content { lines, n_bytes, sha256 } = content;
    let proof = match sha256 {
        Some(sha256) if place.file.ends_with(&sha256) => "The SHA-256 of these bytes is the file’s name: checked here.",
        Some(_) => "The SHA-256 of these bytes is not the file’s name.",
        None => "The name is the SHA-256 of the content.",
    };
    let n_lines = lines.len();
    let line = move |(at, text): (usize, String)| view! { <Line number=at + 1 text chosen is_pretty /> };
    view! {
        <div class="file-facts">
            <p class="soft">{format!("{n_lines} lines, {n_bytes} bytes. {proof}")}</p>
            <label class="check">
                <input type="checkbox" on:change=move |event| is_pretty.set(event_target_checked(&event)) />
                "Indent the chosen line"
            </label>
        </div>
        <ol class="lines">{lines.into_iter().enumerate().map(line).collect_view()}</ol>
    }
}

#[component]
fn Line(number: usize, text: String, chosen: RwSignal<usize>, is_pretty: RwSignal<bool>) -> impl IntoView {
    let node = NodeRef::<leptos::html::Li>::new();
    let is_chosen = Memo::new(move |_| chosen.get() == number);
    Effect::new(move || {
        if let Some(node) = node.get().filter(|_| is_chosen.get()) {
            let options = web_sys::ScrollIntoViewOptions::new();
            options.set_block(web_sys::ScrollLogicalPosition::Nearest);
            node.scroll_into_view_with_scroll_into_view_options(&options);
        }
    });
    let shown = move || match is_chosen.get() && is_pretty.get() {
        true => indented(&text),
        false => text.clone(),
    };
    view! {
        <li class="line" class:is-chosen=move || is_chosen.get() node_ref=node>
            <button
                type="button"
                aria-label=format!("Line {number}")
                aria-pressed=move || is_chosen.get().to_string()
                on:click=move |_| chosen.set(number)
            >
                {number}
            </button>
            <code>{shown}</code>
        </li>
    }
}

async fn fetch(sources: Sources, file: &str) -> Option<Content> {
    let address = sources.at_server(&format!("/demo/files/{file}"))?;
    let answer = Request::get(&address).send().await.ok().filter(|answer| answer.ok())?;
    let mut bytes = answer.binary().await.ok()?;
    let lines = String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect();
    let sha256 = sha256(&mut bytes).await;
    Some(Content { lines, n_bytes: bytes.len(), sha256 })
}

async fn sha256(bytes: &mut [u8]) -> Option<String> {
    // Absent on plain http from another machine.
    let crypto = js_sys::Reflect::get(window().crypto().ok()?.as_ref(), &"subtle".into()).ok()?;
    let subtle = crypto.dyn_into::<web_sys::SubtleCrypto>().ok()?;
    let digest = JsFuture::from(subtle.digest_with_str_and_u8_array("SHA-256", bytes).ok()?).await.ok()?;
    let digest = js_sys::Uint8Array::new(&digest).to_vec();
    Some(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The line with a field on a line of its own, in its order; as it is when it is not JSON (logs of the original).
fn indented(text: &str) -> String {
    js_sys::JSON::parse(text)
        .and_then(|value| js_sys::JSON::stringify_with_replacer_and_space(&value, &JsValue::NULL, &2.into()))
        .map_or_else(|_| text.to_owned(), String::from)
}
