//! The basket: many small buttons, alike but for their place.

use leptos::prelude::*;

use super::euros;
use crate::app::name_page;
use crate::basket::{Basket, Item, PIECES_MAX};
use crate::keep::Shelf;

/// `/basket`
#[component]
pub fn TheBasket() -> impl IntoView {
    name_page("Basket");
    let basket = Basket::of_app();
    view! {
        <div class="page narrow">
            <h1>"Basket"</h1>
            <Show when=|| !Shelf::Local.is_usable()>
                <p class="note">"Your browser keeps nothing here: the basket lasts until you reload."</p>
            </Show>
            <Show when=move || basket.n_pieces() != 0 fallback=Empty>
                <Rows basket />
                <Sum basket />
            </Show>
        </div>
    }
}

#[component]
fn Empty() -> impl IntoView {
    view! {
        <div class="empty">
            <p>"Nothing in it yet."</p>
            <p><a class="button" href="/goods">"See all goods"</a></p>
        </div>
    }
}

#[component]
fn Rows(basket: Basket) -> impl IntoView {
    view! {
        <ul class="basket">
            <For each=move || basket.items() key=Item::clone let:item>
                <Row basket item />
            </For>
        </ul>
    }
}

#[component]
fn Row(basket: Basket, item: Item) -> impl IntoView {
    let good = item.good()?;
    let n_pieces = item.n_pieces;
    let price = item.price();
    let finish = item.finish.clone();
    let set = Callback::new(move |n_pieces| basket.set(&item, n_pieces));
    Some(view! {
        <li class="basket-row">
            <a class="drawing basket-drawing" href=format!("/goods/{}", good.slug) aria-label=good.name
                inner_html=good.drawing></a>
            <div class="basket-what">
                <a href=format!("/goods/{}", good.slug)>{good.name}</a>
                <span class="soft">{finish}", "{euros(good.price)}" each"</span>
            </div>
            <div class="steps" role="group" aria-label=format!("Pieces of {}", good.name)>
                <button type="button" aria-label="One less" on:click=move |_| set.run(n_pieces - 1)>"−"</button>
                <output>{n_pieces}</output>
                <button
                    type="button"
                    aria-label="One more"
                    disabled=n_pieces == PIECES_MAX
                    on:click=move |_| set.run(n_pieces + 1)
                >
                    "+"
                </button>
            </div>
            <span class="price">{euros(price)}</span>
            <button
                class="quiet"
                type="button"
                aria-label=format!("Remove {}", good.name)
                on:click=move |_| set.run(0)
            >
                "Remove"
            </button>
        </li>
    })
}

#[component]
fn Sum(basket: Basket) -> impl IntoView {
    let delivery = move || match basket.delivery() {
        0 => "free".to_owned(),
        n => euros(n),
    };
    view! {
        <dl class="sum">
            <dt>"Goods"</dt>
            <dd>{move || euros(basket.price())}</dd>
            <dt>"Delivery"</dt>
            <dd>{delivery}</dd>
            <dt class="sum-all">"Together"</dt>
            <dd class="sum-all">{move || euros(basket.price() + basket.delivery())}</dd>
        </dl>
        <p class="row end">
            <a class="button quiet" href="/goods">"Look further"</a>
            <a class="button" href="/checkout">"To the checkout"</a>
        </p>
    }
}
