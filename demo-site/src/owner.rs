//! What the shop itself tells the tracker, as an owner would: an order, an experiment, who signed in, and what the
//! visitor allows.
//!
//! The function of index.html's snippet takes the calls until the tracker is there; none of them ever fails the shop.

use gloo_storage::{LocalStorage, Storage};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::keep::Shelf;

/// The one customer that the shop knows.
const CUSTOMER: &str = "customer-4711";
const CUSTOMER_KEY: &str = "quillmoor.customer";
const WORDING_KEY: &str = "quillmoor.wording";
const ANSWER_KEY: &str = "quillmoor.consent";
/// index.html reads it before the tracker starts.
const ASKED_KEY: &str = "quillmoor.consent-asked";
/// Where the tracker keeps that a visitor opted out.
const OUT_KEY: &str = "logdig.out";

#[wasm_bindgen]
extern "C" {
    /// Absent only where index.html is not ours.
    #[wasm_bindgen(js_name = logdig, catch)]
    fn tell1(word: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(js_name = logdig, catch)]
    fn tell2(word: &str, value: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(js_name = logdig, catch)]
    fn tell3(word: &str, name: &str, value: &JsValue) -> Result<(), JsValue>;
}

/// What the button says that puts a good into the basket: an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wording {
    /// "Add to basket"
    Add,
    /// "Take it home"
    Take,
}

/// What the visitor answered when asked whether clicks may be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Consent {
    /// Yes.
    Granted,
    /// No.
    Denied,
}

/// What holds for this visit, from the context of any component.
#[derive(Clone, Copy, Debug)]
pub struct Visit {
    /// Name of the customer who signed in.
    pub customer: RwSignal<Option<String>>,
    /// Whether this visitor is asked, and what the answer was.
    pub consent: RwSignal<Option<Consent>>,
    wording: StoredValue<Wording>,
    is_exposed: StoredValue<bool>,
}

impl Visit {
    /// Makes it known to all components below, and tells the tracker what the page before knew; call once.
    pub fn provide() {
        let visit = Self {
            customer: RwSignal::new(Shelf::Session.get(CUSTOMER_KEY)),
            consent: RwSignal::new(Shelf::Local.get(ANSWER_KEY)),
            wording: StoredValue::new(drawn_wording()),
            is_exposed: StoredValue::new(false),
        };
        if let Some(customer) = visit.customer.get_untracked() {
            said(tell2("identify", &customer));
        }
        if let Some(consent) = visit.consent.get_untracked().filter(|_| is_asked()) {
            consent.tell();
        }
        provide_context(visit);
    }

    /// The one of this app.
    pub fn of_app() -> Self {
        expect_context()
    }

    /// The wording that this visitor gets. The first time that it is seen counts as exposure.
    pub fn wording(self) -> Wording {
        let wording = self.wording.get_value();
        if !self.is_exposed.get_value() {
            self.is_exposed.set_value(true);
            said(tell3("exposure", "buy-button", &wording.name().into()));
        }
        wording
    }

    /// The visitor is a customer from now on.
    pub fn sign_in(self) {
        Shelf::Session.put(CUSTOMER_KEY, &CUSTOMER);
        self.customer.set(Some(CUSTOMER.to_owned()));
        said(tell2("identify", CUSTOMER));
    }

    /// The visitor was asked and has answered.
    pub fn answer(self, consent: Consent) {
        Shelf::Local.put(ANSWER_KEY, &consent);
        self.consent.set(Some(consent));
        consent.tell();
    }
}

impl Wording {
    fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Take => "take",
        }
    }

    /// As the button says it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Add => "Add to basket",
            Self::Take => "Take it home",
        }
    }
}

impl Consent {
    fn tell(self) {
        said(tell2("consent", if self == Self::Granted { "granted" } else { "denied" }));
    }
}

/// An order of so many pieces, worth so many euros.
pub fn order(euros: u32, n_pieces: u32, pays_by: &str) {
    let about = json!({"value": euros, "currency": "EUR", "props": {"pieces": n_pieces, "pays_by": pays_by}});
    said(tell3("event", "order", &object(&about)));
}

/// Sets whether the visitor is logged at all.
pub fn opt(out: bool) {
    said(tell1(if out { "optOut" } else { "optIn" }));
}

/// Whether this visitor opted out, as the tracker keeps it.
pub fn is_out() -> bool {
    Shelf::Local.is_usable() && LocalStorage::raw().get_item(OUT_KEY).is_ok_and(|out| out.is_some())
}

/// Whether visitors are asked before anything is logged.
pub fn is_asked() -> bool {
    Shelf::Session.get::<bool>(ASKED_KEY).unwrap_or(false)
}

/// Sets whether visitors are asked, from the next page load on, and forgets what was answered.
pub fn ask(asked: bool) {
    Shelf::Session.put(ASKED_KEY, &asked);
    Shelf::Local.put::<Option<Consent>>(ANSWER_KEY, &None);
}

/// Half of the visitors get one wording, half the other, each the same for good.
fn drawn_wording() -> Wording {
    Shelf::Local.get(WORDING_KEY).unwrap_or_else(|| {
        let drawn = if js_sys::Math::random() < 0.5 { Wording::Add } else { Wording::Take };
        Shelf::Local.put(WORDING_KEY, &drawn);
        drawn
    })
}

fn object(value: &Value) -> JsValue {
    js_sys::JSON::parse(&value.to_string()).unwrap_or(JsValue::UNDEFINED)
}

/// A page without the snippet has no such function; the shop works all the same.
fn said(told: Result<(), JsValue>) {
    drop(told);
}
