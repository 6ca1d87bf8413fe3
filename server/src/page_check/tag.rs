//! Finding our tags among a page's scripts: written as HTML, or made by an inline script such as the early snippet.

use url::Url;

use super::html::{Html, Script};
use crate::http::{DEFAULT_NAME, Part};
use crate::services::Services;

/// Each is looked at in turn, and each costs two fetches.
const TAGS_MAX: usize = 5;

/// Hosts and paths of scripts by which owners put other scripts into their pages.
const TAG_MANAGERS: [(&str, &str); 4] = [
    ("googletagmanager.com", "Google Tag Manager"),
    ("/js/container_", "Matomo Tag Manager"),
    ("tiqcdn.com", "Tealium"),
    ("adobedtm.com", "Adobe Tags"),
];

/// What a page says about the tracker it wants.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundTag {
    /// The service's token; none where the tag forgot it.
    pub token: Option<String>,
    /// The script's address.
    pub script: Url,
    /// Where the logs go.
    pub server: Url,
    /// The tag's, or that of the inline script that makes it; empty where there is none.
    pub nonce: String,
    /// The hash that the script must have; empty where any will do.
    pub integrity: String,
    /// Whether the script is asked for by CORS.
    pub has_crossorigin: bool,
    /// The type, where it is none that browsers run.
    pub foreign_type: Option<String>,
    /// Whether an inline script makes it.
    pub is_made_by_script: bool,
    /// That inline script.
    pub inline: String,
}

/// What was found in a page.
#[derive(Debug, Default)]
pub struct Found {
    /// Our tags.
    pub tags: Vec<FoundTag>,
    /// Whether a script that can't be understood names one of our tokens.
    pub is_named_by_script: bool,
    /// The tag manager that the page loads.
    pub tag_manager: Option<&'static str>,
}

/// What is looked for.
pub struct Search<'a> {
    /// What relative addresses start from.
    pub base: &'a Url,
    /// Whose tokens count.
    pub services: &'a Services,
    /// The name of the tracker's files, beside our own.
    pub script_name: &'a str,
}

impl Search<'_> {
    /// Looks through a page.
    pub fn find(&self, html: &Html) -> Found {
        let mut found = Found::default();
        for script in &html.scripts {
            found.tag_manager = found.tag_manager.or_else(|| tag_manager(script));
            match self.tag(script) {
                Some(tag) if found.tags.contains(&tag) || found.tags.len() == TAGS_MAX => (),
                Some(tag) => found.tags.push(tag),
                None => found.is_named_by_script |= self.tokens().any(|token| script.text.contains(token)),
            }
        }
        if found.tags.is_empty() {
            // One that is ours by nothing but its token is still more likely wrong than somebody else's.
            let with_token = html.scripts.iter().filter(|script| script.attribute("data-token").is_some());
            found.tags.extend(with_token.filter_map(|script| self.written(script)).take(1));
        }
        found
    }

    fn tokens(&self) -> impl Iterator<Item = &str> {
        self.services.list().iter().flat_map(|service| &service.tokens).map(String::as_str)
    }

    fn tag(&self, script: &Script) -> Option<FoundTag> {
        match script.attribute("src") {
            Some(src) if self.is_our_file(src) || self.has_known_token(script) => self.written(script),
            Some(_) => None,
            None => self.made(script),
        }
    }

    fn has_known_token(&self, script: &Script) -> bool {
        script.attribute("data-token").is_some_and(|token| self.services.find(token).is_some())
    }

    fn is_our_file(&self, address: &str) -> bool {
        let path = address.split(['?', '#']).next().unwrap_or_default();
        let file = path.rsplit('/').next().unwrap_or_default();
        [DEFAULT_NAME, self.script_name].iter().any(|name| file == Part::Core.file_name(name))
    }

    /// A script tag of the page.
    fn written(&self, script: &Script) -> Option<FoundTag> {
        let address = self.base.join(script.attribute("src")?.trim()).ok()?;
        let text = |name| script.attribute(name).unwrap_or_default().to_owned();
        Some(FoundTag {
            token: script.attribute("data-token").map(str::to_owned).filter(|token| !token.is_empty()),
            server: self.server(script.attribute("data-server"), &address)?,
            script: address,
            nonce: text("nonce"),
            integrity: text("integrity"),
            has_crossorigin: script.attribute("crossorigin").is_some(),
            foreign_type: foreign_type(script),
            is_made_by_script: false,
            inline: String::new(),
        })
    }

    /// A script tag that an inline script makes, when it says what it makes in plain texts.
    fn made(&self, script: &Script) -> Option<FoundTag> {
        let texts = texts(&script.text);
        let after = |name: &str| texts.iter().position(|text| *text == name).and_then(|at| texts.get(at + 1));
        let known = texts.iter().find(|text| self.services.find(text).is_some());
        let is_script = |text: &&&str| text.split(['?', '#']).next().is_some_and(|path| path.ends_with(".js"));
        let by_token = || known.and_then(|_| texts.iter().find(is_script));
        let src = texts.iter().find(|text| text.contains('/') && self.is_our_file(text)).or_else(by_token)?;
        let address = self.base.join(src).ok()?;
        let token = known.or_else(|| after("data-token")).or_else(|| after(src));
        Some(FoundTag {
            token: token.map(|token| (*token).to_owned()),
            server: self.server(after("data-server").copied(), &address)?,
            script: address,
            nonce: script.attribute("nonce").unwrap_or_default().to_owned(),
            integrity: texts.iter().find(|text| text.starts_with("sha384-")).copied().unwrap_or_default().to_owned(),
            has_crossorigin: texts.iter().any(|text| text.eq_ignore_ascii_case("crossorigin")),
            foreign_type: foreign_type(script),
            is_made_by_script: true,
            inline: script.text.clone(),
        })
    }

    fn server(&self, said: Option<&str>, script: &Url) -> Option<Url> {
        match said {
            Some(server) => self.base.join(server.trim()).ok(),
            None => script.join(".").ok(),
        }
    }
}

fn tag_manager(script: &Script) -> Option<&'static str> {
    let is_in =
        |part: &str| script.text.contains(part) || script.attribute("src").is_some_and(|src| src.contains(part));
    TAG_MANAGERS.iter().find(|(part, _)| is_in(part)).map(|(_, name)| *name)
}

/// A type that browsers do not run: consent tools write one, and change it when the visitor agrees.
fn foreign_type(script: &Script) -> Option<String> {
    let kind = script.attribute("type")?.trim().to_ascii_lowercase();
    let is_run =
        matches!(kind.as_str(), "" | "module") || kind.ends_with("/javascript") || kind.ends_with("/ecmascript");
    (!is_run).then_some(kind)
}

/// The texts in quotes of a script. Not all that is between two quotes is a text, which does no harm here.
fn texts(script: &str) -> Vec<&str> {
    let mut texts = vec![];
    let mut rest = script;
    while let Some(at) = rest.find(['\'', '"', '`']) {
        let (quote, after) = rest[at..].split_at(1);
        let Some(end) = after.find(quote) else { break };
        texts.push(&after[..end]);
        rest = &after[end + 1..];
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::Service;
    use crate::tags::{Place, Tag};

    const TOKEN: &str = "Crnii3UpGDJuWLb1cbiHCF0shSHNYS7E";

    fn find(page: &str) -> Found {
        let service = Service {
            id: "shop".to_owned(),
            name: "shop".to_owned(),
            tokens: vec![TOKEN.to_owned()],
            origins: vec![],
            time_zone: "UTC".to_owned(),
            page_rules: vec![],
            goals: vec![],
        };
        let services = Services::new(vec![service]).expect("valid");
        let base = Url::parse("https://shop.example/goods/").expect("an address");
        Search { base: &base, services: &services, script_name: "app" }.find(&Html::read(page.as_bytes()))
    }

    fn one(page: &str) -> FoundTag {
        let found = find(page);
        assert_eq!(found.tags.len(), 1, "{page}: {found:?}");
        found.tags.into_iter().next().expect("there is one")
    }

    #[test]
    fn finds_every_tag_that_we_print() {
        for (server, script) in
            [("https://logs.example", "https://logs.example/app.js"), ("/stats/", "https://shop.example/stats/app.js")]
        {
            let tag = Tag {
                script_name: "app".to_owned(),
                integrity: Some("sha384-x".to_owned()),
                ..Tag::new(server, TOKEN)
            };
            for place in [Place::Html, Place::Snippet, Place::Gtm] {
                let found = one(&tag.text(place));
                assert_eq!(found.token.as_deref(), Some(TOKEN), "{place:?}");
                assert_eq!((found.script.as_str(), found.integrity.as_str()), (script, "sha384-x"), "{place:?}");
                assert_eq!(found.server, found.script.join(".").expect("a folder"));
                assert!(found.has_crossorigin, "{place:?}");
                assert_eq!(found.is_made_by_script, place != Place::Html);
            }
        }
    }

    #[test]
    fn takes_no_other_script_for_ours() {
        for page in [
            r#"<script src="/other.js"></script>"#,
            "<script>var a = 'b.js'</script>",
            "<script src=/logdig.json></script><script>'logdig.js'</script>",
        ] {
            let found = find(page);
            assert!(found.tags.is_empty() && !found.is_named_by_script, "{page}: {found:?}");
        }
        let beside = format!("<script src=x.js data-token=y></script><script src=/app.js data-token={TOKEN}></script>");
        assert_eq!(one(&beside).script.path(), "/app.js");
    }

    #[test]
    fn finds_what_is_wrong_with_a_tag_too() {
        assert_eq!(one("<script src=/a/logdig.js></script>").token, None);
        assert_eq!(one("<script src=/a/x.js data-token=gone></script>").token.as_deref(), Some("gone"));
        let unknown = "<script>s.src='/logdig.js';s.setAttribute('data-token','gone')</script>";
        assert_eq!(one(unknown).token.as_deref(), Some("gone"));
        assert_eq!(one("<script>!function(){}('/logdig.js','gone')</script>").token.as_deref(), Some("gone"));
        let waits = one("<script type=text/plain src=/logdig.js data-token=t data-server=/stats/></script>");
        assert_eq!(waits.foreign_type.as_deref(), Some("text/plain"));
        assert_eq!(waits.server.as_str(), "https://shop.example/stats/");
    }

    #[test]
    fn sees_what_it_can_t_read() {
        let found = find(&format!(r#"<script>next.push("{{\"data-token\":\"{TOKEN}\"}}")</script>"#));
        assert!(found.tags.is_empty() && found.is_named_by_script);
        let found = find("<script src=https://www.googletagmanager.com/gtm.js?id=GTM-1></script>");
        assert_eq!(found.tag_manager, Some("Google Tag Manager"));
    }
}
