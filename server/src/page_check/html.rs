//! What of a page's HTML matters here: its scripts, its policies, and the base of its addresses.

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};

/// A script element.
#[derive(Debug, Default)]
pub struct Script {
    attributes: Vec<(String, String)>,
    /// The script itself, where it stands in the page.
    pub text: String,
}

/// The parts of a page, in its order.
#[derive(Debug, Default)]
pub struct Html {
    /// All scripts but those in comments and in `<noscript>`.
    pub scripts: Vec<Script>,
    /// The policies that the page sets itself, by `<meta http-equiv="Content-Security-Policy">`.
    pub policies: Vec<String>,
    /// What its relative addresses start from, by `<base href>`.
    pub base: Option<String>,
}

impl Script {
    /// An attribute's value; the name in lower case.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

impl Html {
    /// Reads a page. Anything is one: what makes no sense is passed over, as browsers do.
    pub fn read(page: &[u8]) -> Self {
        let mut emitter = DefaultEmitter::default();
        // Without a tree there is no other way to tell a script's text from tags.
        emitter.naively_switch_states(true);
        let mut html = Self::default();
        let mut is_in_script = false;
        for Ok(token) in Tokenizer::new_with_emitter(page, emitter) {
            match token {
                Token::StartTag(tag) => {
                    is_in_script = *tag.name == b"script";
                    html.take(&tag);
                }
                Token::EndTag(_) => is_in_script = false,
                Token::String(text) if is_in_script => {
                    html.scripts.last_mut().expect("it began").text.push_str(&String::from_utf8_lossy(&text.value));
                }
                _ => (),
            }
        }
        html
    }

    fn take(&mut self, tag: &StartTag<()>) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let attribute = |name: &str| tag.attributes.get(name.as_bytes()).map(|value| text(&value.value));
        match &**tag.name {
            b"script" => {
                let attributes = tag.attributes.iter().map(|(name, value)| (text(name), text(&value.value))).collect();
                self.scripts.push(Script { attributes, text: String::new() });
            }
            b"meta" if attribute("http-equiv").is_some_and(|of| of.eq_ignore_ascii_case("content-security-policy")) => {
                self.policies.extend(attribute("content"));
            }
            b"base" if self.base.is_none() => self.base = attribute("href"),
            _ => (),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_browser_would_run_and_no_more() {
        let page = br#"<!doctype html><title>a <script src=0></script></title><base href=/a/><base href=/b/>
            <META http-equiv=content-security-policy content="script-src 'self'"><meta name=x content=y>
            <!-- <script src=1></script> --><noscript><script src=2></script></noscript>
            <textarea><script src=3></script></textarea>
            <SCRIPT Data-Token='a&amp;b' ASYNC src=4></SCRIPT><script>if (a < b) { '<script src=5>' } </script>
            <p>not a script</p><script src=6>"#;
        let html = Html::read(page);
        let sources: Vec<_> = html.scripts.iter().map(|script| script.attribute("src").unwrap_or_default()).collect();
        assert_eq!(sources, ["4", "", "6"]);
        assert_eq!(html.scripts[0].attribute("data-token"), Some("a&b"));
        assert_eq!(html.scripts[1].text, "if (a < b) { '<script src=5>' } ");
        assert_eq!(html.policies, ["script-src 'self'"]);
        assert_eq!(html.base.as_deref(), Some("/a/"));
    }

    #[test]
    fn anything_is_a_page() {
        for page in [&b""[..], b"\0\xff\xfe<\0script", b"<script", b"<script>", b"</script>x", b"<<<>><!--"] {
            Html::read(page);
        }
    }
}
