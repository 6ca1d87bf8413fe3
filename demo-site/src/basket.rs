//! What the visitor wants to buy, kept in the browser.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::goods::{self, Good};
use crate::keep::Shelf;

const KEY: &str = "quillmoor.basket";
/// More of one thing is a matter for a letter, not a basket.
pub const PIECES_MAX: u32 = 9;
/// Orders from here on travel for free, in euros.
const FREE_DELIVERY_FROM: u32 = 80;
const DELIVERY: u32 = 6;

/// One row of the basket.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Item {
    /// [`Good::slug`].
    pub slug: String,
    /// The chosen finish.
    pub finish: String,
    /// 1 to [`PIECES_MAX`].
    pub n_pieces: u32,
}

impl Item {
    /// What it is; `None` for something the shop no longer has.
    pub fn good(&self) -> Option<&'static Good> {
        goods::find(&self.slug)
    }

    /// In euros.
    pub fn price(&self) -> u32 {
        self.good().map_or(0, |good| good.price * self.n_pieces)
    }

    fn is_of(&self, slug: &str, finish: &str) -> bool {
        self.slug == slug && self.finish == finish
    }
}

/// The basket, from the context of any component.
#[derive(Clone, Copy, Debug)]
pub struct Basket(RwSignal<Vec<Item>>);

impl Basket {
    /// Makes it known to all components below; call once.
    pub fn provide() {
        let mut items: Vec<Item> = Shelf::Local.get(KEY).unwrap_or_default();
        items.retain(|item| item.good().is_some());
        let items = RwSignal::new(items);
        Effect::new(move || Shelf::Local.put(KEY, &*items.read()));
        provide_context(Self(items));
    }

    /// The one of this app.
    pub fn of_app() -> Self {
        expect_context()
    }

    /// All rows, in the order they were put in.
    pub fn items(self) -> Vec<Item> {
        self.0.get()
    }

    /// Pieces in all rows.
    pub fn n_pieces(self) -> u32 {
        self.0.read().iter().map(|item| item.n_pieces).sum()
    }

    /// As [`n_pieces`](Self::n_pieces), in words.
    pub fn pieces(self) -> String {
        match self.n_pieces() {
            1 => "1 piece".to_owned(),
            n_pieces => format!("{n_pieces} pieces"),
        }
    }

    /// In euros, without delivery.
    pub fn price(self) -> u32 {
        self.0.read().iter().map(Item::price).sum()
    }

    /// In euros.
    pub fn delivery(self) -> u32 {
        if self.price() >= FREE_DELIVERY_FROM { 0 } else { DELIVERY }
    }

    /// Puts one more in.
    pub fn add(self, slug: &str, finish: &str) {
        self.0.update(|items| match items.iter_mut().find(|item| item.is_of(slug, finish)) {
            Some(item) => item.n_pieces = PIECES_MAX.min(item.n_pieces + 1),
            None => items.push(Item { slug: slug.into(), finish: finish.into(), n_pieces: 1 }),
        });
    }

    /// Sets how many of this row; 0 takes it out.
    pub fn set(self, item: &Item, n_pieces: u32) {
        self.0.update(|items| {
            items.iter_mut().filter(|other| other.is_of(&item.slug, &item.finish)).for_each(|other| {
                other.n_pieces = PIECES_MAX.min(n_pieces);
            });
            items.retain(|item| item.n_pieces > 0);
        });
    }

    /// Takes all out.
    pub fn clear(self) {
        self.0.update(Vec::clear);
    }
}
