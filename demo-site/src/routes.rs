//! One file a route, each with its own kind of things to click on.

use leptos::ev::KeyboardEvent;

mod basket;
mod checkout;
mod goods;
mod home;
mod missing;
mod product;
mod story;

pub use basket::TheBasket;
pub use checkout::{Checkout, Thanks};
pub use goods::{Card, Goods};
pub use home::Home;
pub use missing::Missing;
pub use product::Product;
pub use story::Story;

/// Calls `act` when the key is one that presses a button. For spans that are buttons.
fn press_by_key(act: impl Fn() + 'static) -> impl Fn(KeyboardEvent) + 'static {
    move |event| {
        if matches!(event.key().as_str(), "Enter" | " ") {
            event.prevent_default();
            act();
        }
    }
}

/// A whole number of euros, as on a price tag.
fn euros(n: u32) -> String {
    format!("€ {n}")
}
