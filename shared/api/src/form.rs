//! The body of a form of our own pages: the same members as in JSON, as fields.
//!
//! A field that was left empty is one that isn't there, since a browser sends it all the same. Members that are lists come as a field for each. Two fields
//! are no members: `return`, the page of ours that the browser goes to afterwards, and `idempotency-key`, which stands for the header that no form can send.

use identity::ReturnPath;
use serde::de::DeserializeOwned;

use crate::{Kind, Problem};

const RETURN: &str = "return";
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// A form.
#[derive(Debug)]
pub struct Form<'a>(&'a [u8]);

impl<'a> Form<'a> {
    pub(crate) fn read(body: &'a [u8]) -> Self {
        Self(body)
    }

    /// The page that the browser goes to afterwards: one of ours, and `otherwise` where it could be another.
    #[must_use]
    pub fn return_path(&self, otherwise: &'static str) -> ReturnPath {
        let asked = self.one(RETURN).ok().flatten();
        ReturnPath::read(asked.as_deref().unwrap_or(otherwise), otherwise)
    }

    /// What marks the request, whatever it may be.
    pub(crate) fn idempotency_key(&self) -> Result<Option<String>, Problem> {
        self.one(IDEMPOTENCY_KEY)
    }

    /// Its members, of this shape.
    ///
    /// # Errors
    ///
    /// [`Kind::Unreadable`].
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let is_member = |name: &str, value: &str| name != RETURN && name != IDEMPOTENCY_KEY && !value.is_empty();
        let members = self.fields().filter(|(name, value)| is_member(name, value));
        let members = form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish();
        serde_html_form::from_str(&members).map_err(|_| {
            Problem::new(Kind::Unreadable).because(
                "The form has a field that this route does not know, lacks one that it needs, or has one twice or of another type.",
            )
        })
    }

    /// The field of this name. One that comes twice is nobody's to choose from.
    fn one(&self, name: &str) -> Result<Option<String>, Problem> {
        let mut values = self.fields().filter(|(found, value)| found == name && !value.is_empty());
        let first = values.next();
        if values.next().is_some() {
            return Err(Problem::new(Kind::Unreadable).because("The form has a field twice."));
        }
        Ok(first.map(|(_, value)| value.into_owned()))
    }

    fn fields(&self) -> form_urlencoded::Parse<'a> {
        form_urlencoded::parse(self.0)
    }
}
