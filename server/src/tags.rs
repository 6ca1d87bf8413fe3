//! Ready to paste: what a page, an app or a tag manager needs to send its logs.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use sha2::{Digest, Sha384};

use crate::http::{DEFAULT_NAME, Part, Tracker};

/// Stands where the collector's address goes when nobody said it.
pub const ADDRESS_PLACEHOLDER: &str = "https://ADDRESS-OF-YOUR-COLLECTOR";

/// The early snippet, without `<script>`; `SET_ATTRIBUTES` stands where the new script element `s` gets its own.
const SNIPPET: &str = include_str!("../../tracker/js/snippet.js");

/// Where a tag is pasted.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// Into the HTML of every page.
    Html,
    /// The same, for pages whose first clicks count before the tracker is loaded.
    Snippet,
    /// Into an app with a bundler.
    Npm,
    /// Into a Next.js app with the app router.
    Next,
    /// Into a tag manager, as a custom HTML tag.
    Gtm,
}

impl Place {
    /// All of them.
    pub const ALL: [Place; 5] = [Place::Html, Place::Snippet, Place::Npm, Place::Next, Place::Gtm];

    /// What to do with the tag, in a line.
    pub fn title(self) -> &'static str {
        match self {
            Self::Html => "Plain HTML: into the <head> of every page",
            Self::Snippet => "Instead, as early as can be: nothing clicked before the tracker is loaded is lost",
            Self::Npm => "npm: into the module that starts your app",
            Self::Next => "Next.js (app router): two files",
            Self::Gtm => "Google Tag Manager and others: a custom HTML tag, fired once on every page",
        }
    }
}

/// What a tag says.
#[derive(Clone, Debug)]
pub struct Tag {
    /// The collector's address as browsers reach it, without a slash at its end: `https://logs.shop.example`, or a path
    /// of the page's own site: `/stats`.
    pub server: String,
    /// The name of the tracker's files, without `.js`.
    pub script_name: String,
    /// The service's token.
    pub token: String,
    /// The hash that the script must have, as the attribute `integrity` says it.
    pub integrity: Option<String>,
}

impl Tag {
    /// A tag for a collector at this address (with or without a slash at its end) and a service with this token.
    pub fn new(server: &str, token: &str) -> Self {
        Self {
            server: server.trim_end_matches('/').to_owned(),
            script_name: DEFAULT_NAME.to_owned(),
            token: token.to_owned(),
            integrity: None,
        }
    }

    /// The text to paste.
    pub fn text(&self, place: Place) -> String {
        match place {
            Place::Html => self.html(),
            Place::Snippet => {
                format!("<script>{}</script>", SNIPPET.trim().replace("SET_ATTRIBUTES", &self.set("s", ";")))
            }
            Place::Npm => self.npm(),
            Place::Next => self.next(),
            Place::Gtm => self.gtm(),
        }
    }

    /// The plain script tag.
    pub fn html(&self) -> String {
        let attributes: Vec<String> =
            self.attributes().into_iter().map(|(name, value)| format!(r#"{name}="{}""#, in_html(&value))).collect();
        format!("<script async {}></script>", attributes.join(" "))
    }

    fn attributes(&self) -> Vec<(&'static str, String)> {
        let mut attributes = vec![
            ("src", format!("{}/{}", self.server, Part::Core.file_name(&self.script_name))),
            ("data-token", self.token.clone()),
        ];
        if let Some(integrity) = &self.integrity {
            // Without it the browser may not look into a script of another site, and refuses it.
            attributes.extend([("integrity", integrity.clone()), ("crossorigin", "anonymous".to_owned())]);
        }
        attributes
    }

    /// JavaScript that gives all attributes to a script element.
    fn set(&self, element: &str, between: &str) -> String {
        let set = |(name, value): &(&str, String)| format!("{element}.setAttribute('{name}','{}')", in_script(value));
        self.attributes().iter().map(set).collect::<Vec<_>>().join(between)
    }

    fn init(&self) -> String {
        format!("init({{ token: '{}', server: '{}/' }});", in_script(&self.token), in_script(&self.server))
    }

    fn npm(&self) -> String {
        format!("// npm install logdig\nimport {{ init }} from 'logdig';\n\n{}", self.init())
    }

    fn next(&self) -> String {
        let init = self.init();
        format!(
            "\
// npm install logdig
// app/logdig.tsx
'use client';

import {{ useEffect }} from 'react';
import {{ init }} from 'logdig';

export function LogDig() {{
  useEffect(() => {{
    {init}
  }}, []);
  return null;
}}

// app/layout.tsx: put <LogDig /> at the end of <body>, after
import {{ LogDig }} from './logdig';"
        )
    }

    /// A tag manager puts a script's text into the page anew and drops attributes that it does not know, so the
    /// element that carries ours is made by the text. Words of 2009, since not all of them take newer ones.
    fn gtm(&self) -> String {
        let set = self.set("script", ";\n  ");
        format!(
            "\
<script>
(function () {{
  var script = document.createElement('script');
  script.async = true;
  {set};
  document.head.appendChild(script);
}})();
</script>"
        )
    }
}

/// The `integrity` of the tracker inside this program; `None` when it was built without one.
pub fn integrity_of_embedded() -> Option<String> {
    Tracker::embedded().plain(Part::Core).map(integrity)
}

/// The hash of a script, as the attribute `integrity` says it.
pub fn integrity(script: &[u8]) -> String {
    format!("sha384-{}", BASE64_STANDARD.encode(Sha384::digest(script)))
}

fn in_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

/// A text between single quotes of JavaScript that stands in HTML.
fn in_script(text: &str) -> String {
    let escaped = |c: char| match c {
        '\'' | '"' | '\\' | '<' | '>' | '&' => format!("\\x{:02x}", u32::from(c)),
        c => c.to_string(),
    };
    text.chars().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AWKWARD: &str = r#"a"'>\<b&"#;

    fn tag(token: &str) -> Tag {
        Tag::new("https://logs.example/", token)
    }

    #[test]
    fn a_script_tag_is_escaped() {
        let expected =
            r#"<script async src="https://logs.example/logdig.js" data-token="a&quot;'>\&lt;b&amp;"></script>"#;
        assert_eq!(tag(AWKWARD).html(), expected);
    }

    #[test]
    fn no_token_ends_the_script_that_it_stands_in() {
        for place in [Place::Snippet, Place::Npm, Place::Next, Place::Gtm] {
            let text = tag(AWKWARD).text(place);
            assert!(text.contains(r"a\x22\x27\x3e\x5c\x3cb\x26"), "{text}");
        }
    }

    #[test]
    fn the_snippet_is_short() {
        let tag = tag(&"t".repeat(32));
        let text = tag.text(Place::Snippet);
        assert!(text.len() <= 500, "{} bytes: {text}", text.len());
        assert!(!text.contains("SET_ATTRIBUTES"), "{text}");
    }

    #[test]
    fn an_owner_s_name_and_path_are_in_every_tag_that_loads_a_script() {
        let tag = Tag { script_name: "app".to_owned(), ..Tag::new("/stats/", "t") };
        for place in [Place::Html, Place::Snippet, Place::Gtm] {
            assert!(tag.text(place).contains("/stats/app.js"), "{}", tag.text(place));
        }
        for place in [Place::Npm, Place::Next] {
            assert!(tag.text(place).contains("server: '/stats/'"), "{}", tag.text(place));
        }
    }

    /// The first example of the specification (https://www.w3.org/TR/SRI/#example-alert).
    #[test]
    fn integrity_is_that_of_the_specification() {
        let script = b"alert('Hello, world.');";
        assert_eq!(integrity(script), "sha384-H8BRh8j48O9oYatfu5AZzq6A9RINhZO5H16dQZngK7T62em8MUt1FLm52t+eX6xO");
        let tag = Tag { integrity: Some(integrity(script)), ..tag("t") };
        assert!(tag.html().ends_with(r#"xO" crossorigin="anonymous"></script>"#), "{}", tag.html());
        for place in [Place::Snippet, Place::Gtm] {
            assert!(tag.text(place).contains("'crossorigin','anonymous'"), "{}", tag.text(place));
        }
    }
}
