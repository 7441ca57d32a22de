//! Configuration by environment variables.

use std::{collections::BTreeMap, fmt::Display, path::PathBuf, str::FromStr};

use jiff::SignedDuration;

/// A variable: its name, what it is for, and its default. Absent, malformed and present are three different answers.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it is, as a noun: "the name of the events table".
    pub meaning: &'static str,
    /// Its default. Without one it is required, or, where it is read by [`Variables::optional`], optional.
    pub default: Option<&'static str>,
}

/// Why the configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A required variable is not set.
    #[error("{name} is not set: set it to {meaning}")]
    Missing {
        /// The variable.
        name: String,
        /// What it is.
        meaning: &'static str,
    },
    /// A variable is set to something that it can't be.
    #[error("{name} can't be used: it should be {meaning}; {reason}")]
    Malformed {
        /// The variable.
        name: String,
        /// What it is.
        meaning: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

/// The variables, read once.
#[derive(Clone, Debug, Default)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// The variables of this process.
    ///
    /// What is not UTF-8 in a value becomes a replacement character, with which no address, file or number of ours is right: such a
    /// value is refused where it is read, and not taken for absent.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub fn of_process() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
                .collect(),
        )
    }

    /// These variables, with those of `self` winning over them unless they are empty.
    #[must_use]
    pub fn over<'a>(self, defaults: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        let mut all: BTreeMap<String, String> =
            defaults.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        all.extend(self.0.into_iter().filter(|(_, value)| !value.trim().is_empty()));
        Self(all)
    }

    /// These variables, with others winning over them unless they are empty.
    #[must_use]
    pub fn led_by<'a>(mut self, others: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        let set = others.into_iter().filter(|(_, value)| !value.trim().is_empty());
        self.0.extend(set.map(|(name, value)| (name.to_owned(), value)));
        self
    }

    /// These variables, with this one set.
    #[must_use]
    pub fn with(mut self, variable: &Variable, value: String) -> Self {
        self.0.insert(variable.name.to_owned(), value);
        self
    }

    /// The value of a variable, or its default.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] where it is missing without a default, or malformed.
    pub fn read<T: FromStr<Err: Display>>(&self, variable: &Variable) -> Result<T, ConfigError> {
        match self.optional(variable)? {
            Some(value) => Ok(value),
            None => Err(ConfigError::Missing { name: variable.name.to_owned(), meaning: variable.meaning }),
        }
    }

    /// The value of a variable or its default, where there is one. An empty value counts as absent, since CloudFormation
    /// can't leave a variable out.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Malformed`].
    pub fn optional<T: FromStr<Err: Display>>(&self, variable: &Variable) -> Result<Option<T>, ConfigError> {
        let set = self.0.get(variable.name).map(String::as_str).filter(|value| !value.trim().is_empty());
        set.or(variable.default)
            .map(|text| text.trim().parse().map_err(|error: T::Err| variable.malformed(error.to_string())))
            .transpose()
    }

    /// The values of a variable that holds a list, separated by commas.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] as for [`Variables::read`].
    pub fn list<T: FromStr<Err: Display>>(&self, variable: &Variable) -> Result<Vec<T>, ConfigError> {
        let text: String = self.read(variable)?;
        text.split(',')
            .map(|value| value.trim().parse().map_err(|error: T::Err| variable.malformed(error.to_string())))
            .collect()
    }

    /// A number within bounds, both included.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] as for [`Variables::read`], and where the number is out of bounds.
    pub fn number(&self, variable: &Variable, least: u64, most: u64) -> Result<u64, ConfigError> {
        let value = self.read(variable)?;
        if (least..=most).contains(&value) {
            Ok(value)
        } else {
            Err(variable.malformed(format!("it should be from {least} to {most}")))
        }
    }

    /// A duration in whole seconds within bounds, both included.
    ///
    /// # Errors
    ///
    /// As for [`Variables::number`].
    pub fn seconds(&self, variable: &Variable, bounds: Seconds) -> Result<SignedDuration, ConfigError> {
        let seconds = self.number(variable, bounds.least, bounds.most)?;
        Ok(SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX)))
    }

    /// The text of the file that a variable names, where it names one.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Malformed`] where the file can't be read.
    pub fn file(&self, variable: &Variable) -> Result<Option<String>, ConfigError> {
        let Some(path) = self.optional::<PathBuf>(variable)? else { return Ok(None) };
        std::fs::read_to_string(&path)
            .map(Some)
            .map_err(|error| variable.malformed(format!("{} can't be read: {error}", path.display())))
    }
}

/// Bounds of a duration, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Seconds {
    /// The shortest.
    pub least: u64,
    /// The longest.
    pub most: u64,
}

/// Base addresses that stand in place of Microsoft's, by these names. None has a default.
#[must_use]
pub const fn base_addresses<const N: usize>(names: [&'static str; N]) -> [Variable; N] {
    let mut all = [base_address(""); N];
    let mut place = 0;
    while place < N {
        all[place] = base_address(names[place]);
        place += 1;
    }
    all
}

/// A base address that stands in place of one of Microsoft's.
#[must_use]
pub const fn base_address(name: &'static str) -> Variable {
    Variable {
        name,
        meaning: "a base address in place of Microsoft's, https://host or https://host:port",
        default: None,
    }
}

/// All of the one, then all of the other; `N` is their number.
#[must_use]
pub const fn together<const N: usize>(one: &[Variable], other: &[Variable]) -> [Variable; N] {
    let mut all = [base_address(""); N];
    let mut place = 0;
    while place < N {
        all[place] = if place < one.len() { one[place] } else { other[place - one.len()] };
        place += 1;
    }
    all
}

impl Variable {
    /// The error that says what is wrong with this variable's value.
    #[must_use]
    pub fn malformed(&self, reason: String) -> ConfigError {
        ConfigError::Malformed { name: self.name.to_owned(), meaning: self.meaning, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Variable = Variable { name: "TABLE", meaning: "the name of a table", default: None };
    const LIMIT: Variable = Variable { name: "LIMIT", meaning: "a limit", default: Some("5") };

    fn variables(pairs: &[(&'static str, &str)]) -> Variables {
        Variables::default().over(pairs.iter().map(|(name, value)| (*name, (*value).to_owned())))
    }

    #[test]
    fn a_missing_variable_is_named_with_what_it_is_for() {
        for absent in [variables(&[]), variables(&[("TABLE", "")]), variables(&[("TABLE", "  ")])] {
            let error = absent.read::<String>(&TABLE).unwrap_err();
            assert_eq!(error.to_string(), "TABLE is not set: set it to the name of a table");
        }
    }

    #[test]
    fn a_malformed_variable_is_named_with_what_is_wrong() {
        let error = variables(&[("LIMIT", "many")]).number(&LIMIT, 1, 9).unwrap_err();
        assert_eq!(error.to_string(), "LIMIT can't be used: it should be a limit; invalid digit found in string");
        let error = variables(&[("LIMIT", "10")]).number(&LIMIT, 1, 9).unwrap_err();
        assert_eq!(error.to_string(), "LIMIT can't be used: it should be a limit; it should be from 1 to 9");
        let error = variables(&[("TABLE", "/nowhere/at/all")]).file(&TABLE).unwrap_err();
        assert!(error.to_string().starts_with("TABLE can't be used"), "{error}");
    }

    #[test]
    fn a_default_stands_in_and_the_outer_value_wins() {
        assert_eq!(variables(&[]).number(&LIMIT, 1, 9).unwrap(), 5);
        assert_eq!(variables(&[("LIMIT", "7")]).over([("LIMIT", "8".to_owned())]).number(&LIMIT, 1, 9).unwrap(), 7);
        assert_eq!(variables(&[("LIMIT", "")]).over([("LIMIT", "8".to_owned())]).number(&LIMIT, 1, 9).unwrap(), 8);
    }
}
