//! The view of a list, as its address has it: so it can be kept, sent and gone back to. The parameters are those of `GET /api/v1/alerts`, and what only a
//! page has: `columns` and `q`, the search.

use std::{borrow::Cow, collections::BTreeMap};

use api::{Kind, Problem, Request};

use super::order::Order;
use crate::routes::filters;

/// What only a page has.
const OF_PAGES: [&str; 2] = ["columns", "q"];
/// What a day of a form means where the list takes moments.
const BEGINNING: &str = "T00:00:00Z";
const END: &str = "T23:59:59.999Z";

/// A view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct View(BTreeMap<&'static str, String>);

impl View {
    /// The view that a request asks for. A form sends what was left empty, and a name for each box that is ticked: those are alternatives.
    pub(super) fn read(request: &Request) -> Result<Self, Problem> {
        Self::of_pairs(request.pairs())
    }

    /// The view of a query that stands in another address. One that isn't one is the first view.
    pub(super) fn of_query(query: &str) -> Self {
        Self::of_pairs(form_urlencoded::parse(query.as_bytes())).unwrap_or_default()
    }

    /// The view of a query that was kept, from its beginning. None of one that another release may understand.
    pub(super) fn of_kept(query: &str) -> Option<Self> {
        Self::of_pairs(form_urlencoded::parse(query.as_bytes())).ok().map(|view| view.with("cursor", ""))
    }

    fn of_pairs<'a>(pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>) -> Result<Self, Problem> {
        let mut view = Self::default();
        for (name, value) in pairs {
            let known = filters::NAMES.iter().chain(&OF_PAGES).find(|known| **known == name);
            let known = known.ok_or_else(|| {
                Problem::new(Kind::Unreadable).because("The address has a parameter that this page does not know.")
            })?;
            if value.is_empty() {
                continue;
            }
            let value = match *known {
                "since" if is_day(&value) => format!("{value}{BEGINNING}"),
                "until" if is_day(&value) => format!("{value}{END}"),
                _ => value.into_owned(),
            };
            let kept = view.0.entry(known).or_default();
            if !kept.is_empty() {
                kept.push(',');
            }
            kept.push_str(&value);
        }
        Ok(view)
    }

    /// What stands there under a name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether a value is among the alternatives under a name.
    pub(super) fn has(&self, name: &str, value: &str) -> bool {
        self.get(name).is_some_and(|values| values.split(',').any(|one| one == value))
    }

    /// The day under a name, as a form shows it.
    pub(super) fn day(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|moment| moment.get(..10))
    }

    /// Whether anything is left out of the list of all that is open.
    pub(super) fn is_narrowed(&self) -> bool {
        self.0.keys().any(|name| !matches!(*name, "columns" | "cursor" | "direction" | "order" | "size"))
    }

    /// Its parameters as the list takes them.
    pub(super) fn of_list(&self) -> BTreeMap<&'static str, String> {
        let is_of_list = |name: &&str| !OF_PAGES.contains(name) && (*name != "order" || Order::of(self).is_none());
        self.0.iter().filter(|(name, _)| is_of_list(name)).map(|(name, value)| (*name, value.clone())).collect()
    }

    /// The same with this value, from the beginning of the list; without the name where the value is empty.
    pub(super) fn with(&self, name: &'static str, value: &str) -> Self {
        let mut view = self.clone();
        view.0.remove("cursor");
        if value.is_empty() {
            view.0.remove(name);
        } else {
            view.0.insert(name, value.to_owned());
        }
        view
    }

    /// The same with all of these values.
    pub(super) fn with_all(&self, changes: &[(&'static str, &str)]) -> Self {
        changes.iter().fold(self.clone(), |view, (name, value)| view.with(name, value))
    }

    /// The view of all that is open, of the same tenants, with the same columns.
    pub(super) fn of_tenants(&self) -> Self {
        let kept = |name: &&str| matches!(*name, "columns" | "tenant");
        Self(self.0.iter().filter(|(name, _)| kept(name)).map(|(name, value)| (*name, value.clone())).collect())
    }

    /// Its query, as it stands in an address; empty where there is none.
    pub(super) fn query(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    /// Its address.
    pub(super) fn address(&self) -> String {
        self.address_at(::pages::HOME)
    }

    /// The same at another path.
    pub(super) fn address_at(&self, path: &str) -> String {
        let query = self.query();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}

/// Whether it is a day, as a form sends it.
fn is_day(text: &str) -> bool {
    text.len() == "2026-03-02".len() && text.parse::<jiff::civil::Date>().is_ok()
}
