//! What a request's address asks for.

use std::borrow::Cow;

use crate::Problem;

/// The pairs of a query, not judged.
#[derive(Debug)]
pub(crate) struct Asked<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Asked<'a> {
    pub(crate) fn read(query: &'a str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).collect())
    }

    /// The value of a name.
    ///
    /// # Errors
    ///
    /// [`Problem::Unreadable`] where it comes twice.
    pub(crate) fn one(&self, name: &str) -> Result<Option<&str>, Problem> {
        let mut values = self.0.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_ref());
        let first = values.next();
        if values.next().is_some() { Err(Problem::Unreadable) } else { Ok(first) }
    }
}
