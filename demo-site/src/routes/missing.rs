//! What is not there.

use leptos::prelude::*;

use crate::app::name_page;

/// Any address that leads nowhere.
#[component]
pub fn Missing() -> impl IntoView {
    name_page("Not here");
    view! {
        <div class="page narrow">
            <h1>"This is not here"</h1>
            <p class="lead">"The address leads to nothing we have. It may have been sold, or never made."</p>
            <p><a class="button" href="/goods">"See all goods"</a></p>
        </div>
    }
}
