//! The checkout: a form of inputs, checked by the browser, sent nowhere.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use wasm_bindgen::JsCast;

use super::euros;
use crate::app::name_page;
use crate::basket::Basket;
use crate::owner::{self, Visit};

/// `/checkout`
#[component]
pub fn Checkout() -> impl IntoView {
    name_page("Checkout");
    let basket = Basket::of_app();
    view! {
        <div class="page narrow">
            <h1>"Checkout"</h1>
            <Show when=move || basket.n_pieces() != 0 fallback=NothingToBuy>
                <p class="soft">
                    {move || basket.pieces()}", "{move || euros(basket.price() + basket.delivery())}
                    " with delivery. What you type stays in this page."
                </p>
                <SignIn />
                <Form basket />
            </Show>
        </div>
    }
}

#[component]
fn NothingToBuy() -> impl IntoView {
    view! {
        <div class="empty">
            <p>"There is nothing in the basket to pay for."</p>
            <p><a class="button" href="/goods">"See all goods"</a></p>
        </div>
    }
}

#[component]
fn Form(basket: Basket) -> impl IntoView {
    let navigate = use_navigate();
    let order = move |event: SubmitEvent| {
        event.prevent_default();
        owner::order(basket.price() + basket.delivery(), basket.n_pieces(), &pays_by(&event));
        basket.clear();
        navigate("/thanks", leptos_router::NavigateOptions::default());
    };
    view! {
        <form class="form" on:submit=order>
            <fieldset>
                <legend>"Where to"</legend>
                <Field name="name" label="Name" autocomplete="name" />
                <Field name="email" label="E-mail" kind="email" autocomplete="email" />
                <Field name="street" label="Street and number" autocomplete="street-address" />
                <div class="pair">
                    <Field name="code" label="Post code" autocomplete="postal-code" />
                    <Field name="town" label="Town" autocomplete="address-level2" />
                </div>
            </fieldset>
            <Payment />
            <label class="check">
                <input type="checkbox" name="gift" />
                "Wrap it as a present"
            </label>
            <label class="field">
                <span>"Note to the workshop "<span class="soft">"(if you like)"</span></span>
                <textarea name="note" rows="3"></textarea>
            </label>
            <p class="row end">
                <a class="button quiet" href="/basket">"Back to the basket"</a>
                <button class="button" type="submit">"Order"</button>
            </p>
        </form>
    }
}

/// The chosen way to pay. Nothing that was typed is read.
fn pays_by(event: &SubmitEvent) -> String {
    let form = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let chosen = form.and_then(|form| form.query_selector("[name=pay]:checked").ok().flatten());
    chosen.and_then(|input| input.get_attribute("value")).unwrap_or_default()
}

#[component]
fn SignIn() -> impl IntoView {
    let visit = Visit::of_app();
    let offer = move || {
        view! {
            <span>"Been here before?"</span>
            <button class="button small quiet" type="button" id="sign-in" on:click=move |_| visit.sign_in()>
                "Sign in as our test customer"
            </button>
        }
    };
    view! {
        <p class="row sign-in" role="status">
            {move || match visit.customer.get() {
                Some(customer) => view! { <span>"Signed in as "{customer}"."</span> }.into_any(),
                None => offer().into_any(),
            }}
        </p>
    }
}

#[component]
fn Field(
    name: &'static str,
    label: &'static str,
    #[prop(default = "text")] kind: &'static str,
    autocomplete: &'static str,
) -> impl IntoView {
    view! {
        <label class="field">
            {label}
            <input type=kind name=name autocomplete=autocomplete required />
        </label>
    }
}

#[component]
fn Payment() -> impl IntoView {
    let way = |value: &'static str, label: &'static str| {
        view! {
            <label class="choice">
                <input type="radio" name="pay" value=value checked=value == "invoice" />
                <span>{label}</span>
            </label>
        }
    };
    view! {
        <fieldset class="choices">
            <legend>"How to pay"</legend>
            {way("invoice", "Invoice")}
            {way("transfer", "Transfer first")}
            {way("collect", "Collect and pay")}
        </fieldset>
    }
}

/// `/thanks`
#[component]
pub fn Thanks() -> impl IntoView {
    name_page("Thank you");
    view! {
        <div class="page narrow">
            <h1>"Thank you"</h1>
            <p class="lead">
                "If Quillmoor were real, a parcel in paper and straw would now be on its way. Your clicks are: look at \
                 the panel."
            </p>
            <p><a class="button" href="/">"Back to the start"</a></p>
        </div>
    }
}
