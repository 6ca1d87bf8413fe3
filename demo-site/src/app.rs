//! The page: header, routes, footer, and the panel beside them.

use leptos::prelude::*;
use leptos_router::components::{A, Route, Router, Routes};
use leptos_router::hooks::use_location;
use leptos_router::path;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{FocusOptions, HtmlElement};

use crate::basket::Basket;
use crate::owner::{self, Consent, Visit};
use crate::panel::view::Panel;
use crate::routes::{Checkout, Goods, Home, Missing, Product, Story, Thanks, TheBasket};
use crate::theme::ThemeButton;

/// Starts the app when the wasm has been loaded.
#[wasm_bindgen(start)]
pub fn start() {
    if let Some(skeleton) = document().get_element_by_id("skeleton") {
        skeleton.remove();
    }
    mount_to_body(App);
}

#[component]
fn App() -> impl IntoView {
    Basket::provide();
    Visit::provide();
    view! {
        <Router>
            <a class="skip" href="#main" rel="external">"Skip to the goods"</a>
            <Header />
            <Main />
            <Footer />
            <AskConsent />
        </Router>
        <Panel />
    }
}

#[component]
fn Header() -> impl IntoView {
    let basket = Basket::of_app();
    view! {
        <header class="top">
            <A href="/" {..} class="brand">
                <svg class="brand-mark" viewBox="0 0 32 32" aria-hidden="true">
                    <path d="M6 27C7 14 14 6 27 5c0 11-7 17-16 16M6 27c3-6 7-10 12-13" />
                </svg>
                <span>"Quillmoor"</span>
            </A>
            <nav class="top-nav" aria-label="Shop">
                <A href="/goods">"Goods"</A>
                <A href="/story">"Story"</A>
                <A href="/basket" {..} class="top-basket">
                    "Basket " <span class="badge" aria-label=move || basket.pieces()>
                        {move || basket.n_pieces()}
                    </span>
                </A>
            </nav>
            <ThemeButton />
        </header>
    }
}

#[component]
fn Main() -> impl IntoView {
    let main = NodeRef::<leptos::html::Main>::new();
    let location = use_location();
    Effect::new(move |before: Option<String>| {
        let now = location.pathname.get();
        if before.is_some_and(|before| before != now) {
            let hash = location.hash.get_untracked();
            // After the frame the new page stands, and what the hash names with it.
            request_animation_frame(move || arrive(main.get_untracked(), &hash));
        }
        now
    });
    view! {
        <main id="main" tabindex="-1" node_ref=main>
            <Routes fallback=Missing>
                <Route path=path!("/") view=Home />
                <Route path=path!("/goods") view=Goods />
                <Route path=path!("/goods/:slug") view=Product />
                <Route path=path!("/basket") view=TheBasket />
                <Route path=path!("/checkout") view=Checkout />
                <Route path=path!("/thanks") view=Thanks />
                <Route path=path!("/story") view=Story />
            </Routes>
        </main>
    }
}

/// Does what a browser does on a page load: the reader of a screen hears the new page, and its hash is in sight.
fn arrive(main: Option<HtmlElement>, hash: &str) {
    let options = FocusOptions::new();
    options.set_prevent_scroll(true);
    if let Some(main) = main {
        // Fails never for an element in the page.
        let _ = main.focus_with_options(&options);
    }
    if let Some(target) = document().get_element_by_id(hash.trim_start_matches('#')) {
        target.scroll_into_view();
    }
}

#[component]
fn Footer() -> impl IntoView {
    view! {
        <footer class="foot">
            <p>
                <span id="made-up">"Quillmoor is made up"</span>
                ": nothing here is for sale, nothing you type leaves this page."
            </p>
            <ul class="foot-links">
                // A link that loads the whole page again, as on a shop without an app.
                <li><a href="/story" rel="external">"Story, as a new page load"</a></li>
                <li><a href="/story#letters">"Letters"</a></li>
                <li><a href="mailto:hello@quillmoor.example">"hello@quillmoor.example"</a></li>
            </ul>
        </footer>
    }
}

/// Asks once, where the switch in the panel says that visitors are asked.
#[component]
fn AskConsent() -> impl IntoView {
    let visit = Visit::of_app();
    let answer = move |text, consent, class| {
        view! { <button class=class type="button" on:click=move |_| visit.answer(consent)>{text}</button> }
    };
    view! {
        <Show when=move || owner::is_asked() && visit.consent.get().is_none()>
            <section class="consent" aria-label="Your choice">
                <p>"May we log what you click here? It helps us to put things where you look for them."</p>
                <p class="row">
                    {answer("Yes", Consent::Granted, "button small")}
                    {answer("No", Consent::Denied, "button small quiet")}
                </p>
            </section>
        </Show>
    }
}

/// Names the page in the tab.
pub fn name_page(name: &str) {
    document().set_title(&format!("{name} · Quillmoor"));
}
