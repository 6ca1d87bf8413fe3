//! Small values kept in the browser, or in memory where the browser denies that.

use std::cell::RefCell;
use std::collections::HashMap;

use gloo_storage::{LocalStorage, SessionStorage, Storage};
use serde::Serialize;
use serde::de::DeserializeOwned;

thread_local! {
    static MEMORY: RefCell<HashMap<String, String>> = RefCell::default();
}

/// Where a value is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shelf {
    /// localStorage: shared by all tabs, kept for good.
    Local,
    /// sessionStorage: this tab, until it is closed.
    Session,
}

impl Shelf {
    /// The kept value, if there is one that can be read.
    pub fn get<T: DeserializeOwned>(self, key: &str) -> Option<T> {
        match self {
            _ if !self.is_usable() => MEMORY.with_borrow(|memory| serde_json::from_str(memory.get(key)?).ok()),
            Self::Local => LocalStorage::get(key).ok(),
            Self::Session => SessionStorage::get(key).ok(),
        }
    }

    /// Keeps the value. A full storage keeps what it had: nothing here is worth an error.
    pub fn put<T: Serialize>(self, key: &str, value: &T) {
        match self {
            _ if !self.is_usable() => {
                let text = serde_json::to_string(value).unwrap_or_default();
                MEMORY.with_borrow_mut(|memory| memory.insert(key.to_owned(), text));
            }
            Self::Local => drop(LocalStorage::set(key, value)),
            Self::Session => drop(SessionStorage::set(key, value)),
        }
    }

    /// Whether the browser lets us. Asked before every use: gloo's `raw()` panics where the getter throws.
    pub fn is_usable(self) -> bool {
        let window = leptos::prelude::window();
        let storage = match self {
            Self::Local => window.local_storage(),
            Self::Session => window.session_storage(),
        };
        matches!(storage, Ok(Some(_)))
    }
}
