//! Services: whose logs are taken, and from which sites.
//!
//! A token stands in the page for all to read: it names a service and is no secret. What keeps others from writing into
//! it from their own pages is the list of origins.

pub mod file;
pub mod origin;

use std::collections::HashMap;

use logdig_shared::limits::TOKEN_BYTES_MAX;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use file::ServicesFile;
pub use origin::{OriginError, OriginRule};

/// Names are shown in lists and tables.
const NAME_BYTES_MAX: usize = 64;

/// One site (or app, or shop) whose logs are kept together.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Service {
    /// Short and stable: what stored results are kept under; `my-shop`.
    pub id: String,
    /// What people call it; unique without regard to case.
    pub name: String,
    /// Every token that names the service; old ones stay valid when a new one is added.
    pub tokens: Vec<String>,
    /// Sites whose pages may send its logs.
    pub origins: Vec<OriginRule>,
    /// Where its days begin in reports; IANA name.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// Rules of the analysis, which this program keeps and does not read.
    #[serde(default)]
    pub page_rules: Vec<serde_json::Value>,
    /// Goals of the analysis, which this program keeps and does not read.
    #[serde(default)]
    pub goals: Vec<serde_json::Value>,
}

fn utc() -> String {
    "UTC".to_owned()
}

impl Service {
    fn is_named(&self, name: &str) -> bool {
        self.name == name || self.id == name
    }

    /// Whether a page of this origin may send logs of the service.
    pub fn allows(&self, origin: &str) -> bool {
        self.origins.iter().any(|rule| rule.allows(origin))
    }
}

/// Why a list of services is not taken.
#[derive(Debug, Error, PartialEq)]
pub enum ServiceError {
    /// No name, a long one, or one that would break a table.
    #[error("a service's name has 1 to {NAME_BYTES_MAX} bytes and no control characters")]
    Name,
    /// Two services with one name.
    #[error("there is a service `{0}` already")]
    NameTaken(String),
    /// Two services with one id.
    #[error("two services have the id `{0}`")]
    IdTaken(String),
    /// Not a token.
    #[error("a token has 1 to {TOKEN_BYTES_MAX} bytes, all of them visible ASCII characters")]
    Token,
    /// Two services with one token. The token is not told: this ends up in the program's log.
    #[error("that token names the service `{0}` already")]
    TokenTaken(String),
    /// Not a time zone.
    #[error("there is no time zone `{0}`; write an IANA name such as Europe/Berlin or UTC")]
    TimeZone(String),
    /// Not there.
    #[error("there is no service `{0}`")]
    Unknown(String),
    /// A site that is to be taken out and was not in.
    #[error("the service has no origin `{0}`")]
    UnknownOrigin(OriginRule),
    /// A token that is to be taken out and was not in. The token is not told, as above.
    #[error("the service has no such token")]
    UnknownToken,
    /// Nothing could send its logs any more.
    #[error("a service needs an origin and a token; to take no more logs, remove it")]
    Closed,
}

/// All services of a collector, valid together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Services {
    list: Vec<Service>,
    by_token: HashMap<String, usize>,
}

impl Services {
    /// Takes services that are valid together.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn new(list: Vec<Service>) -> Result<Self, ServiceError> {
        let mut services = Self::default();
        for service in list {
            services.add(service)?;
        }
        Ok(services)
    }

    /// The service that a token names.
    pub fn find(&self, token: &str) -> Option<&Service> {
        self.by_token.get(token).map(|index| &self.list[*index])
    }

    /// The service of this name or id.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn named(&self, name: &str) -> Result<&Service, ServiceError> {
        Ok(&self.list[self.index_of(name)?])
    }

    fn index_of(&self, name: &str) -> Result<usize, ServiceError> {
        let index = self.list.iter().position(|service| service.is_named(name));
        index.ok_or_else(|| ServiceError::Unknown(name.to_owned()))
    }

    /// All of them, in the order in which they were added.
    pub fn list(&self) -> &[Service] {
        &self.list
    }

    /// Adds a service.
    ///
    /// # Errors
    ///
    /// When it is not valid, or not beside the others; nothing has changed then.
    pub fn add(&mut self, service: Service) -> Result<&Service, ServiceError> {
        self.check(&service)?;
        let index = self.list.len();
        self.by_token.extend(service.tokens.iter().map(|token| (token.clone(), index)));
        self.list.push(service);
        Ok(&self.list[index])
    }

    /// Changes the service of this name or id, and returns it.
    ///
    /// # Errors
    ///
    /// When there is none, or `change` refuses, or it is not valid then, or not beside the others; nothing has changed
    /// then.
    pub fn change(
        &mut self,
        name: &str,
        change: impl FnOnce(&mut Service) -> Result<(), ServiceError>,
    ) -> Result<Service, ServiceError> {
        let index = self.index_of(name)?;
        let mut list = self.list.clone();
        let mut service = list.remove(index);
        change(&mut service)?;
        if service.origins.is_empty() || service.tokens.is_empty() {
            return Err(ServiceError::Closed);
        }
        Self::new(list.clone())?.check(&service)?;
        list.insert(index, service.clone());
        *self = Self::new(list)?;
        Ok(service)
    }

    /// Removes the service of this name or id, and returns it.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn remove(&mut self, name: &str) -> Result<Service, ServiceError> {
        let index = self.index_of(name)?;
        let removed = self.list.remove(index);
        *self = Self::new(std::mem::take(&mut self.list))?;
        Ok(removed)
    }

    /// An id made of the name, that no other service has: `My shop!` becomes `my-shop`.
    pub fn free_id(&self, name: &str) -> String {
        let slug = slug(name);
        let with_number = (2..).map(|number: u32| format!("{slug}-{number}"));
        let mut candidates = std::iter::once(slug.clone()).chain(with_number);
        let is_free = |id: &String| self.list.iter().all(|service| service.id != *id);
        candidates.find(is_free).expect("there are more numbers than services")
    }

    fn check(&self, service: &Service) -> Result<(), ServiceError> {
        check_alone(service)?;
        let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
        if self.list.iter().any(|other| same(&other.name, &service.name)) {
            return Err(ServiceError::NameTaken(service.name.clone()));
        }
        if self.list.iter().any(|other| other.id == service.id) {
            return Err(ServiceError::IdTaken(service.id.clone()));
        }
        match service.tokens.iter().find_map(|token| self.find(token)) {
            Some(owner) => Err(ServiceError::TokenTaken(owner.name.clone())),
            None => Ok(()),
        }
    }
}

fn check_alone(service: &Service) -> Result<(), ServiceError> {
    if service.name.is_empty() || service.name.len() > NAME_BYTES_MAX || service.name.chars().any(char::is_control) {
        return Err(ServiceError::Name);
    }
    if !service.tokens.iter().all(|token| is_token(token)) {
        return Err(ServiceError::Token);
    }
    match jiff::tz::TimeZone::get(&service.time_zone) {
        Ok(_) => Ok(()),
        Err(_) => Err(ServiceError::TimeZone(service.time_zone.clone())),
    }
}

fn is_token(token: &str) -> bool {
    (1..=TOKEN_BYTES_MAX).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The letters and digits of a name in lower case, what is between them as one `-`.
fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    match words.collect::<Vec<_>>().join("-").to_lowercase() {
        // A name without Latin letters is as good as any other.
        slug if slug.is_empty() => "service".to_owned(),
        slug => slug,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str, token: &str) -> Service {
        Service {
            id: name.to_lowercase(),
            name: name.to_owned(),
            tokens: vec![token.to_owned()],
            origins: vec!["https://shop.example".parse().expect("an origin")],
            time_zone: "UTC".to_owned(),
            page_rules: vec![],
            goals: vec![],
        }
    }

    #[test]
    fn finds_a_service_by_each_of_its_tokens() {
        let mut shop = service("Shop", "new");
        shop.tokens.push("old".to_owned());
        let services = Services::new(vec![service("Blog", "blog"), shop]).expect("valid");
        let name = |token| services.find(token).map(|service| service.name.as_str());
        assert_eq!(
            [name("new"), name("old"), name("blog"), name("none")],
            [Some("Shop"), Some("Shop"), Some("Blog"), None]
        );
    }

    #[test]
    fn forgets_the_tokens_of_a_removed_service() {
        let mut services = Services::new(vec![service("Blog", "blog"), service("Shop", "shop")]).expect("valid");
        assert_eq!(services.remove("Blog").map(|service| service.name), Ok("Blog".to_owned()));
        assert_eq!(services.find("blog"), None);
        assert_eq!(services.find("shop").map(|service| service.name.as_str()), Some("Shop"));
        assert_eq!(services.remove("Blog"), Err(ServiceError::Unknown("Blog".to_owned())));
    }

    #[test]
    fn a_changed_service_keeps_its_place_and_is_found_by_what_it_has_then() {
        let mut services = Services::new(vec![service("Blog", "blog"), service("Shop", "shop")]).expect("valid");
        let changed = services.change("Blog", |blog| {
            blog.name = "Journal".to_owned();
            blog.tokens = vec!["journal".to_owned()];
            Ok(())
        });
        assert_eq!(changed.map(|service| service.id), Ok("blog".to_owned()));
        let name = |token| services.find(token).map(|service| service.name.as_str());
        assert_eq!([name("journal"), name("blog"), name("shop")], [Some("Journal"), None, Some("Shop")]);
        assert_eq!(services.list()[0].name, "Journal");
    }

    #[test]
    fn a_change_that_leaves_it_invalid_is_refused() {
        let services = Services::new(vec![service("Blog", "blog"), service("Shop", "shop")]).expect("valid");
        let with = |change: fn(&mut Service)| {
            let changed = services.clone().change("Blog", |service| {
                change(service);
                Ok(())
            });
            changed.map(|_| ())
        };
        assert_eq!(with(|_| ()), Ok(()));
        assert_eq!(with(|blog| blog.name = "shop".to_owned()), Err(ServiceError::NameTaken("shop".to_owned())));
        assert_eq!(with(|blog| blog.tokens.push("shop".to_owned())), Err(ServiceError::TokenTaken("Shop".to_owned())));
        assert_eq!(with(|blog| blog.tokens.clear()), Err(ServiceError::Closed));
        assert_eq!(with(|blog| blog.origins.clear()), Err(ServiceError::Closed));
        assert_eq!(services.clone().change("Nobody", |_| Ok(())), Err(ServiceError::Unknown("Nobody".to_owned())));
    }

    #[test]
    fn refuses_what_is_not_valid_or_not_beside_the_others() {
        let services = Services::new(vec![service("Shop", "shop")]).expect("valid");
        let with = |change: fn(&mut Service)| {
            let mut new = service("Blog", "blog");
            change(&mut new);
            services.clone().add(new).map(|_| ())
        };
        assert_eq!(with(|_| ()), Ok(()));
        assert_eq!(with(|new| new.name = String::new()), Err(ServiceError::Name));
        assert_eq!(with(|new| new.name = "a".repeat(65)), Err(ServiceError::Name));
        assert_eq!(with(|new| new.name = "a\nb".to_owned()), Err(ServiceError::Name));
        assert_eq!(with(|new| new.name = "SHOP".to_owned()), Err(ServiceError::NameTaken("SHOP".to_owned())));
        assert_eq!(with(|new| new.id = "shop".to_owned()), Err(ServiceError::IdTaken("shop".to_owned())));
        assert_eq!(with(|new| new.tokens = vec![String::new()]), Err(ServiceError::Token));
        assert_eq!(with(|new| new.tokens = vec!["t".repeat(TOKEN_BYTES_MAX)]), Ok(()));
        assert_eq!(with(|new| new.tokens = vec!["t".repeat(TOKEN_BYTES_MAX + 1)]), Err(ServiceError::Token));
        assert_eq!(with(|new| new.tokens = vec!["a\"b c".to_owned()]), Err(ServiceError::Token));
        assert_eq!(with(|new| new.tokens = vec!["shop".to_owned()]), Err(ServiceError::TokenTaken("Shop".to_owned())));
        assert_eq!(
            with(|new| new.time_zone = "Mars/Base".to_owned()),
            Err(ServiceError::TimeZone("Mars/Base".to_owned()))
        );
        assert_eq!(with(|new| new.time_zone = "Asia/Seoul".to_owned()), Ok(()));
    }

    #[test]
    fn ids_are_short_and_free() {
        let mut services = Services::default();
        for (name, id) in [("My shop!", "my-shop"), ("My-Shop", "my-shop-2"), ("가게", "service"), ("店", "service-2")]
        {
            assert_eq!(services.free_id(name), id);
            services.add(Service { id: id.to_owned(), ..service(name, id) }).expect("valid");
        }
    }
}
