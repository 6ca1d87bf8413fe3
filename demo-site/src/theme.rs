//! Light, dark, or as the system says.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::keep::Shelf;

// index.html reads it too, so that the first paint has the right colours.
const KEY: &str = "quillmoor.theme";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        }
    }

    fn apply(self) {
        let Some(root) = document().document_element() else { return };
        // Setting an attribute fails only for names that are no names.
        let _ = match self {
            Self::System => root.remove_attribute("data-theme"),
            chosen => root.set_attribute("data-theme", chosen.name()),
        };
    }
}

/// The button in the header: system, light, dark, and round again.
#[component]
pub fn ThemeButton() -> impl IntoView {
    let theme = RwSignal::new(Shelf::Local.get::<Theme>(KEY).unwrap_or_default());
    Effect::new(move || theme.get().apply());
    let turn = move |_| {
        theme.update(|theme| *theme = theme.next());
        Shelf::Local.put(KEY, &theme.get_untracked());
    };
    view! {
        <button class="quiet theme" type="button" on:click=turn>
            <span class="theme-disc" aria-hidden="true"></span>
            <span><span class="hidden">"Colours: "</span>{move || theme.get().name()}</span>
        </button>
    }
}
