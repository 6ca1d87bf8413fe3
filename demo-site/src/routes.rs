//! One file a route, each with its own kind of things to click on.

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

/// A whole number of euros, as on a price tag.
fn euros(n: u32) -> String {
    format!("€ {n}")
}
