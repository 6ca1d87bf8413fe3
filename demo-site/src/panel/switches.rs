//! Switches that break things by hand, each with what to expect.

use gloo_net::http::{Request, RequestBuilder};
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Deserialize;
use wasm_bindgen::JsCast;

use super::collector::Collector;
use super::ledger::Sight;
use super::sources::Sources;
use crate::keep::Shelf;
use crate::owner;

/// How slow "slow" is.
const DELAY_MS: u32 = 3_000;
/// index.html reads it before the tracker starts.
const STORAGE_KEY: &str = "quillmoor.storage";
const N_CLICKS: u32 = 500;
const CLICKS_PER_FRAME: u32 = 10;

#[derive(Deserialize)]
struct Delay {
    ms: u32,
}

/// All switches.
#[component]
pub fn Switches() -> impl IntoView {
    view! {
        <details class="switches" open>
            <summary>"Break it by hand"</summary>
            <ServerSwitch />
            <SlowSwitch />
            <StorageSwitch />
            <ConsentSwitch />
            <OptOutSwitch />
            <div class="switch">
                <p>"Second tab"<span class="soft">" Its logs appear here too, marked."</span></p>
                <a
                    class="button small quiet"
                    href="/story"
                    target="_blank"
                    rel="external noopener"
                    aria-label="Open a second tab"
                >
                    "Open"
                </a>
            </div>
            <div class="switch">
                <p>"500 clicks"<span class="soft">" By a script. All arrive, in a few requests."</span></p>
                <button
                    class="button small quiet"
                    type="button"
                    aria-label="Start 500 clicks"
                    on:click=|_| click_often(N_CLICKS)
                >
                    "Start"
                </button>
            </div>
        </details>
    }
}

#[component]
fn Switch(
    name: &'static str,
    expect: &'static str,
    #[prop(into)] is_on: Signal<bool>,
    #[prop(into)] is_busy: Signal<bool>,
    on_turn: impl Fn(bool) + 'static,
) -> impl IntoView {
    let id = format!("switch-{}", name.replace(' ', "-").to_lowercase());
    view! {
        <div class="switch">
            <p id=id.clone()>{name}<span class="soft">" "{expect}</span></p>
            <button
                class="toggle"
                type="button"
                role="switch"
                aria-labelledby=id
                aria-checked=move || is_on.get().to_string()
                disabled=move || is_busy.get()
                on:click=move |_| on_turn(!is_on.get_untracked())
            >
                <span class="toggle-knob"></span>
            </button>
        </div>
    }
}

#[component]
fn ServerSwitch() -> impl IntoView {
    let sources: Sources = expect_context();
    let is_down = Signal::derive(move || sources.collector.get() == Collector::Down);
    let is_busy = RwSignal::new(false);
    let turn = move |down: bool| {
        is_busy.set(true);
        spawn_local(async move {
            // The next answer about the collector tells how it went.
            let _ = Request::post(if down { "/control/server/down" } else { "/control/server/up" }).send().await;
            sources.ask_collector().await;
            is_busy.set(false);
        });
    };
    view! {
        <Switch
            name="Server down"
            expect="kill -9. Logs wait here and arrive when it is back."
            is_on=is_down
            is_busy
            on_turn=turn
        />
    }
}

#[component]
fn SlowSwitch() -> impl IntoView {
    let sources: Sources = expect_context();
    let delay_ms = RwSignal::new(0_u32);
    let ask = move |request: RequestBuilder| {
        spawn_local(async move {
            if let Ok(answer) = request.send().await
                && let Ok(Delay { ms }) = answer.json::<Delay>().await
            {
                delay_ms.set(ms);
            }
        });
    };
    // A collector that was started anew is quick again.
    Effect::new(move || {
        if let (Collector::Up { .. }, Some(address)) = (sources.collector.get(), sources.at_server("/demo/delay")) {
            ask(Request::get(&address));
        }
    });
    let turn = move |slow: bool| {
        let ms = if slow { DELAY_MS } else { 0 };
        if let Some(address) = sources.at_server(&format!("/demo/delay?ms={ms}")) {
            ask(Request::post(&address));
        }
    };
    view! {
        <Switch
            name="Slow network"
            expect="Answers take 3 s. Logs are on their way for longer."
            is_on=Signal::derive(move || delay_ms.get() > 0)
            is_busy=Signal::derive(move || !matches!(sources.collector.get(), Collector::Up { .. }))
            on_turn=turn
        />
    }
}

#[component]
fn StorageSwitch() -> impl IntoView {
    let is_denied = !Shelf::Local.is_usable();
    let turn = move |deny: bool| {
        Shelf::Session.put(STORAGE_KEY, &if deny { "denied" } else { "allowed" });
        load_again();
    };
    view! {
        <Switch
            name="Storage denied"
            expect="Reloads. Logs are kept in memory while the page is open."
            is_on=Signal::stored(is_denied)
            is_busy=Signal::stored(false)
            on_turn=turn
        />
    }
}

#[component]
fn ConsentSwitch() -> impl IntoView {
    let turn = move |asked: bool| {
        owner::ask(asked);
        load_again();
    };
    view! {
        <Switch
            name="Ask for consent"
            expect="Reloads. Nothing is stored or sent before a yes; clicks until then wait in memory."
            is_on=Signal::stored(owner::is_asked())
            is_busy=Signal::stored(false)
            on_turn=turn
        />
    }
}

#[component]
fn OptOutSwitch() -> impl IntoView {
    let sources: Sources = expect_context();
    let turn = move |out: bool| {
        if out {
            sources.see(Sight::Withdrawn);
        }
        owner::opt(out);
        sources.is_out.set(out);
    };
    view! {
        <Switch
            name="Opt out"
            expect="Nothing is logged any more. What waits is thrown away, the visitor’s key too."
            is_on=sources.is_out
            is_busy=Signal::stored(false)
            on_turn=turn
        />
    }
}

/// The path alone: the address may carry `?storage=denied`. A browser that can't load it shows that by itself.
fn load_again() {
    let location = window().location();
    let _ = location.set_href(&location.pathname().unwrap_or_default());
}

/// Clicks on a span in the shop's footer, each at a place of its own, a few in each frame.
fn click_often(n_left: u32) {
    if let Some(target) = document().get_element_by_id("made-up") {
        for n in (n_left.saturating_sub(CLICKS_PER_FRAME) + 1)..=n_left {
            click_at(&target, n);
        }
    }
    if n_left > CLICKS_PER_FRAME {
        request_animation_frame(move || click_often(n_left - CLICKS_PER_FRAME));
    }
}

fn click_at(target: &web_sys::Element, n: u32) {
    let place = web_sys::MouseEventInit::new();
    place.set_bubbles(true);
    place.set_composed(true);
    // One press: without it the click would count as made by a key, which has no place.
    place.set_detail(1);
    place.set_client_x((n % 40 * 10).cast_signed());
    place.set_client_y((n / 40 * 10).cast_signed());
    if let Ok(click) = web_sys::MouseEvent::new_with_mouse_event_init_dict("click", &place) {
        // The answer says only whether someone prevented the default, of which a span has none.
        let _ = target.unchecked_ref::<web_sys::EventTarget>().dispatch_event(&click);
    }
}
