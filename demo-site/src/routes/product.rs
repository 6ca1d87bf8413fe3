//! One good: choices, a dialog, and a part in a shadow root.

use leptos::html::{Dialog, Div};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use wasm_bindgen::JsCast;
use web_sys::{ShadowRootInit, ShadowRootMode};

use super::{Card, Missing, euros};
use crate::app::name_page;
use crate::basket::Basket;
use crate::goods::{self, Good};
use crate::owner::Visit;

/// `/goods/:slug`
#[component]
pub fn Product() -> impl IntoView {
    let params = use_params_map();
    let good = Memo::new(move |_| params.read().get("slug").and_then(|slug| goods::find(&slug)));
    move || match good.get() {
        Some(good) => view! { <Sheet good /> }.into_any(),
        None => view! { <Missing /> }.into_any(),
    }
}

#[component]
fn Sheet(good: &'static Good) -> impl IntoView {
    name_page(good.name);
    let finish = RwSignal::new(good.finishes.first().copied().unwrap_or_default());
    view! {
        <div class="page">
            <nav class="crumbs" aria-label="You are here">
                <a href="/goods">"Goods"</a>
                <span aria-hidden="true">"/"</span>
                <a href=format!("/goods?kind={}", good.kind.slug())>{good.kind.name()}</a>
            </nav>
            <article class="product">
                <div class="drawing product-drawing" inner_html=good.drawing></div>
                <div class="product-text">
                    <h1>{good.name}</h1>
                    <p class="soft">{good.what}", by "{good.maker}</p>
                    <p class="product-price">{euros(good.price)}</p>
                    <p>{good.about}</p>
                    <Finishes good finish />
                    <Buy good finish />
                    <Measures good />
                    <AskTheMaker maker=good.maker />
                </div>
            </article>
            <section>
                <h2>"Beside it"</h2>
                <div class="grid">{beside(good).map(|good| view! { <Card good /> }).collect_view()}</div>
            </section>
        </div>
    }
}

/// Four others: those of the same shelf first.
fn beside(good: &'static Good) -> impl Iterator<Item = &'static Good> {
    let (same, other): (Vec<_>, Vec<_>) =
        goods::ALL.iter().filter(|other| other.slug != good.slug).partition(|other| other.kind == good.kind);
    same.into_iter().chain(other).take(4)
}

#[component]
fn Finishes(good: &'static Good, finish: RwSignal<&'static str>) -> impl IntoView {
    let choice = move |name: &'static str| {
        view! {
            <label class="choice">
                <input
                    type="radio"
                    name="finish"
                    value=name
                    prop:checked=move || finish.get() == name
                    on:change=move |_| finish.set(name)
                />
                <span>{name}</span>
            </label>
        }
    };
    view! {
        <fieldset class="choices">
            <legend>"Finish"</legend>
            {good.finishes.iter().map(|name| choice(name)).collect_view()}
        </fieldset>
    }
}

#[component]
fn Buy(good: &'static Good, finish: RwSignal<&'static str>) -> impl IntoView {
    let basket = Basket::of_app();
    let wording = Visit::of_app().wording();
    let is_added = RwSignal::new(false);
    let add = move |_| {
        basket.add(good.slug, finish.get_untracked());
        is_added.set(true);
    };
    let stock = match good.n_ready {
        0 => "Sold out; the next ones come in spring.".to_owned(),
        n @ 1..=5 => format!("{n} left, sent tomorrow."),
        _ => "Ready, sent tomorrow.".to_owned(),
    };
    view! {
        <p class="row">
            <button class="button" type="button" id="add-to-basket" disabled=good.n_ready == 0 on:click=add>
                {wording.text()}
            </button>
            <span class="soft" role="status">
                <Show when=move || is_added.get() fallback=move || stock.clone()>
                    "It is in your "<a href="/basket">"basket"</a>"."
                </Show>
            </span>
        </p>
    }
}

#[component]
fn Measures(good: &'static Good) -> impl IntoView {
    let dialog = NodeRef::<Dialog>::new();
    // Both fail only when the dialog is not in the page any more; the browser gives the focus back on close.
    let open = move |_| drop(dialog.get_untracked().map(|dialog| dialog.show_modal()));
    let close = move |_| dialog.get_untracked().into_iter().for_each(|dialog| dialog.close());
    view! {
        <button class="measures button quiet" type="button" aria-haspopup="dialog" on:click=open>
            "Measures and delivery"
        </button>
        <dialog class="box" node_ref=dialog aria-labelledby="measures-title">
            <h2 id="measures-title">{good.name}</h2>
            <p>{good.measures}</p>
            <p>
                "Sent by post in paper and straw. Orders from € 80 travel for free, others for € 6. What arrives broken \
                 is replaced; what breaks later is repaired."
            </p>
            <p class="row end"><button class="close button" type="button" on:click=close>"Close"</button></p>
        </dialog>
    }
}

/// A part that keeps its inside in an open shadow root, as bought-in widgets do.
#[component]
fn AskTheMaker(maker: &'static str) -> impl IntoView {
    let host = NodeRef::<Div>::new();
    Effect::new(move || {
        if let Some(host) = host.get() {
            attach_questions(&host, maker);
        }
    });
    view! { <div class="ask" node_ref=host></div> }
}

const QUESTIONS: [(&str, &str); 3] = [
    ("Can it be repaired?", "Always. Send it to us with a note about what it no longer does."),
    ("How old does it get?", "The oldest one we know of is forty, and was dropped twice."),
    ("Why this price?", "Half is work, a third is material, the rest keeps the roof on."),
];

fn attach_questions(host: &web_sys::Element, maker: &str) {
    // Refused when the host already has one: then the questions are there.
    let Ok(root) = host.attach_shadow(&ShadowRootInit::new(ShadowRootMode::Open)) else { return };
    let buttons: String =
        QUESTIONS.map(|(question, _)| format!("<button class=question type=button>{question}</button>")).concat();
    root.set_inner_html(&format!(
        "<link rel=stylesheet href=/style.css><section class=shadow-ask><h2>Ask {maker}</h2><div class=row>{buttons}\
         </div><p role=status></p></section>"
    ));
    let answers = root.clone();
    let answer = wasm_bindgen::closure::Closure::<dyn Fn(web_sys::Event)>::new(move |event: web_sys::Event| {
        let Some(button) = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlElement>().ok()) else {
            return;
        };
        let text = button.text_content().unwrap_or_default();
        let answer = QUESTIONS.iter().find(|(question, _)| *question == text).map(|(_, answer)| *answer);
        if let (Some(answer), Ok(Some(line))) = (answer, answers.query_selector("p")) {
            line.set_text_content(Some(answer));
        }
    });
    // The closure lives as long as the shadow root's listener may call it: for ever, a few hundred bytes a product.
    let _ = root.add_event_listener_with_callback("click", answer.into_js_value().unchecked_ref());
}
