//! Home: plain links into the shop.

use leptos::prelude::*;

use super::Card;
use crate::app::name_page;
use crate::goods::{self, Kind};

const FEATURED: [&str; 4] = ["rook-lamp", "ember-mug", "tide-clock", "dune-vase"];

/// `/`
#[component]
pub fn Home() -> impl IntoView {
    name_page("Things for desk, table and evening");
    let lamp = goods::find("lark-kettle").map(|good| good.drawing);
    view! {
        <div class="page">
            <section class="hero">
                <div>
                    <h1>"Things that are used every day"</h1>
                    <p class="lead">
                        "Twelve goods from five workshops on one river. They last, they can be repaired, and most of \
                         them are out of the way when you do not need them."
                    </p>
                    <p class="row">
                        <a class="button" href="/goods">"See all goods"</a>
                        <a class="button quiet" href="/story">"How they are made"</a>
                    </p>
                </div>
                <div class="drawing hero-drawing" inner_html=lamp></div>
            </section>
            <Shelves />
            <section>
                <h2>"This week on the bench"</h2>
                <div class="grid">
                    {FEATURED.into_iter().filter_map(goods::find).map(|good| view! { <Card good /> }).collect_view()}
                </div>
            </section>
            <StoryTeaser />
        </div>
    }
}

#[component]
fn Shelves() -> impl IntoView {
    let shelf = |kind: Kind| {
        let n_goods = goods::ALL.iter().filter(|good| good.kind == kind).count();
        view! {
            <li>
                <a class="shelf" href=format!("/goods?kind={}", kind.slug())>
                    <strong>{kind.name()}</strong> <span class="soft">{n_goods}" goods"</span>
                </a>
            </li>
        }
    };
    view! { <ul class="shelves" aria-label="Shelves">{Kind::ALL.map(shelf).collect_view()}</ul> }
}

#[component]
fn StoryTeaser() -> impl IntoView {
    view! {
        <section class="teaser">
            <h2>"A river, five doors"</h2>
            <p>
                "The Sill drops eleven metres between the old mill and the sea. For two hundred years that was enough \
                 to turn a lathe, a hammer and a loom. It still turns the lathe."
            </p>
            <p><a href="/story#kiln">"Read about the kiln"</a>" or "<a href="/story">"from the start"</a>"."</p>
        </section>
    }
}
