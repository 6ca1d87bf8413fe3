//! What a page's Content-Security-Policy lets our script do.

use std::borrow::Cow;

use content_security_policy::sandboxing_directive::SandboxingFlagSet;
use content_security_policy::{
    CheckResult, CspList, Destination, Element, Initiator, InlineCheckType, ParserMetadata, PolicyDisposition,
    PolicySource, Request, Violation,
};
use url::Url;

use super::tag::FoundTag;

/// All policies of a page: each must let a thing pass.
pub struct Policies {
    list: CspList,
    page: Url,
}

impl Policies {
    /// Reads those of the header and those in the page itself.
    pub fn read(page: &Url, header: Option<&str>, in_page: &[String]) -> Self {
        let mut list = CspList::parse(header.unwrap_or_default(), PolicySource::Header, PolicyDisposition::Enforce);
        for policy in in_page {
            list.append(CspList::parse(policy, PolicySource::Meta, PolicyDisposition::Enforce));
        }
        Self { list, page: page.clone() }
    }

    /// The directive that keeps an inline script from running.
    pub fn against_inline(&self, nonce: Option<&str>, text: &str) -> Option<String> {
        let element = Element { nonce: nonce.map(Cow::Borrowed) };
        first(self.list.should_elements_inline_type_behavior_be_blocked(&element, InlineCheckType::Script, text))
    }

    /// The directive that keeps the tag's script out.
    pub fn against_script(&self, tag: &FoundTag) -> Option<String> {
        self.against_request(&self.script_request(&tag.script, tag, &tag.integrity))
    }

    /// The directive that keeps out what the script loads from beside itself.
    pub fn against_part(&self, part: &Url, tag: &FoundTag) -> Option<String> {
        self.against_request(&self.script_request(part, tag, ""))
    }

    /// The directive that keeps logs from being sent there.
    pub fn against_sending(&self, server: &Url) -> Option<String> {
        let request = self.request(server, Destination::None, Initiator::Fetch);
        self.against_request(&request)
    }

    /// The directive that forbids WebAssembly.
    pub fn against_wasm(&self) -> Option<String> {
        first(self.list.is_wasm_evaluation_allowed())
    }

    /// Whether the page is put into an origin of its own, which no service can allow.
    pub fn take_origin_away(&self) -> bool {
        let flags = self.list.get_sandboxing_flag_set_for_document();
        flags.is_some_and(|flags| flags.contains(SandboxingFlagSet::SANDBOXED_ORIGIN_BROWSING_CONTEXT_FLAG))
    }

    fn against_request(&self, request: &Request) -> Option<String> {
        first(self.list.should_request_be_blocked(request))
    }

    /// A script that the tag loads, or that such a script imports: a nonce is handed on, a hash is not.
    fn script_request(&self, url: &Url, tag: &FoundTag, integrity: &str) -> Request {
        let parser_metadata =
            if tag.is_made_by_script { ParserMetadata::NotParserInserted } else { ParserMetadata::ParserInserted };
        let request = self.request(url, Destination::Script, Initiator::None);
        Request { nonce: tag.nonce.clone(), integrity_metadata: integrity.to_owned(), parser_metadata, ..request }
    }

    fn request(&self, url: &Url, destination: Destination, initiator: Initiator) -> Request {
        Request {
            url: url.clone(),
            current_url: url.clone(),
            origin: self.page.origin(),
            redirect_count: 0,
            destination,
            initiator,
            nonce: String::new(),
            integrity_metadata: String::new(),
            parser_metadata: ParserMetadata::None,
        }
    }
}

fn first((result, violations): (CheckResult, Vec<Violation>)) -> Option<String> {
    let directive = violations.into_iter().next().map(|violation| violation.directive);
    let told = directive.map(|directive| format!("{} {}", directive.name, directive.value.join(" ")));
    (result == CheckResult::Blocked).then(|| told.unwrap_or_default().trim().to_owned())
}
