//! All goods, with filters that stand in the address: clickable spans and a checkbox.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};

use super::{euros, press_by_key};
use crate::app::name_page;
use crate::goods::{self, Good, Kind};

/// What the address asks for: `?kind=desk&ready=yes&sort=price`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Filter {
    kind: Option<Kind>,
    only_ready: bool,
    by_price: bool,
}

impl Filter {
    fn address(self) -> String {
        let kind = self.kind.map(|kind| format!("kind={}", kind.slug()));
        let ready = self.only_ready.then(|| "ready=yes".to_owned());
        let sort = self.by_price.then(|| "sort=price".to_owned());
        let query: Vec<String> = [kind, ready, sort].into_iter().flatten().collect();
        if query.is_empty() { "/goods".into() } else { format!("/goods?{}", query.join("&")) }
    }

    fn goods(self) -> Vec<&'static Good> {
        let fits =
            |good: &&Good| self.kind.is_none_or(|kind| kind == good.kind) && (!self.only_ready || good.n_ready > 0);
        let mut goods: Vec<&Good> = goods::ALL.iter().filter(fits).collect();
        if self.by_price {
            goods.sort_by_key(|good| good.price);
        }
        goods
    }
}

/// `/goods`
#[component]
pub fn Goods() -> impl IntoView {
    name_page("Goods");
    let query = use_query_map();
    let filter = Memo::new(move |_| {
        let query = query.read();
        Filter {
            kind: query.get("kind").and_then(|slug| Kind::of_slug(&slug)),
            only_ready: query.get("ready").is_some(),
            by_price: query.get("sort").is_some_and(|sort| sort == "price"),
        }
    });
    let goods = Memo::new(move |_| filter.get().goods());
    view! {
        <div class="page">
            <div class="title-row">
                <h1>"Goods"</h1>
                <p class="soft" role="status">{move || format!("{} of {}", goods.read().len(), goods::ALL.len())}</p>
            </div>
            <Filters filter />
            <div class="grid">
                <For each=move || goods.get() key=|good| good.slug let:good>
                    <Card good />
                </For>
            </div>
        </div>
    }
}

#[component]
fn Filters(filter: Memo<Filter>) -> impl IntoView {
    let navigate = use_navigate();
    let go = move |to: Filter| {
        navigate(&to.address(), NavigateOptions { scroll: false, ..NavigateOptions::default() });
    };
    let (go_kind, go_ready, go_sort) = (go.clone(), go.clone(), go);
    let choose_kind = Callback::new(move |kind| go_kind(Filter { kind, ..filter.get_untracked() }));
    view! {
        <div class="filters" role="group" aria-label="Filters">
            <Chip name="All" is_on=Signal::derive(move || filter.get().kind.is_none())
                on_press=move || choose_kind.run(None) />
            {Kind::ALL
                .map(|kind| {
                    let is_on = Signal::derive(move || filter.get().kind == Some(kind));
                    view! { <Chip name=kind.name() is_on on_press=move || choose_kind.run(Some(kind)) /> }
                })
                .collect_view()}
            <label class="check">
                <input
                    type="checkbox"
                    prop:checked=move || filter.get().only_ready
                    on:change=move |event| {
                        go_ready(Filter { only_ready: event_target_checked(&event), ..filter.get_untracked() });
                    }
                />
                "Ready to send"
            </label>
            <label class="sort">
                "Sort"
                <select
                    prop:value=move || if filter.get().by_price { "price" } else { "shelf" }
                    on:change=move |event| {
                        go_sort(Filter { by_price: event_target_value(&event) == "price", ..filter.get_untracked() });
                    }
                >
                    <option value="shelf">"as on the shelf"</option>
                    <option value="price">"by price"</option>
                </select>
            </label>
        </div>
    }
}

/// A span that is pressed like a button, as many shops have them.
#[component]
fn Chip(
    name: &'static str,
    #[prop(into)] is_on: Signal<bool>,
    on_press: impl Fn() + Clone + Send + Sync + 'static,
) -> impl IntoView {
    let on_key = press_by_key(on_press.clone());
    view! {
        <span
            class="chip"
            role="button"
            tabindex="0"
            aria-pressed=move || is_on.get().to_string()
            on:click=move |_| on_press()
            on:keydown=on_key
        >
            {name}
        </span>
    }
}

/// A good as a card, all of it one link.
#[component]
pub fn Card(good: &'static Good) -> impl IntoView {
    view! {
        <a class="card" href=format!("/goods/{}", good.slug)>
            <div class="drawing" inner_html=good.drawing></div>
            <div class="card-text">
                <strong>{good.name}</strong>
                <span class="price">{euros(good.price)}</span>
                <span class="soft">{good.what}</span>
                {(good.n_ready == 0).then(|| view! { <span class="soft sold">"sold out"</span> })}
            </div>
        </a>
    }
}
