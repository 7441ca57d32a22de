//! Secrets, their versions and the staging labels of these, by the rules that AWS documents in the reference of Secrets Manager.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";
/// "Secrets Manager removes deprecated versions when there are more than 100", and none that is younger than a day.
const VERSIONS: usize = 100;
const KEPT_AT_LEAST: SignedDuration = SignedDuration::from_hours(24);

/// What AWS answers in place of doing it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: &'static str,
}

const fn refusal(code: &'static str, message: &'static str) -> Refusal {
    Refusal { status: 400, code, message }
}

const NO_SECRET: Refusal = refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
const NO_VERSION: Refusal =
    refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret value.");
const NAME_TAKEN: Refusal = refusal("ResourceExistsException", "A secret with this name already exists.");
const VERSION_TAKEN: Refusal =
    refusal("ResourceExistsException", "You can't modify an existing version, you can only create a new version.");
const NOT_THERE: Refusal =
    refusal("InvalidParameterException", "The staging label is not attached to the version in RemoveFromVersionId.");
const ELSEWHERE: Refusal = refusal(
    "InvalidParameterException",
    "The staging label is attached to another version: name it in RemoveFromVersionId.",
);
const CURRENT_STAYS: Refusal =
    refusal("InvalidParameterException", "You can't remove AWSCURRENT without moving it to another version.");
const NO_MOVE: Refusal =
    refusal("InvalidParameterException", "Name a version in MoveToVersionId or RemoveFromVersionId.");

/// All secrets, by name.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Vault(BTreeMap<String, Secret>);

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Secret {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) created: Timestamp,
    pub(super) changed: Timestamp,
    versions: BTreeMap<String, Version>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Version {
    pub(super) text: String,
    pub(super) created: Timestamp,
    pub(super) stages: BTreeSet<String>,
}

impl Vault {
    pub(super) fn to_json(&self) -> String {
        // Texts and moments: writing them to memory has no way to fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Makes a secret, with its first version where there is a text.
    pub(super) fn create(
        &mut self,
        name: &str,
        text: Option<&str>,
        token: &str,
        now: Timestamp,
    ) -> Result<&Secret, Refusal> {
        if let Some(secret) = self.0.get(name) {
            let same = secret.versions.get(token).is_some_and(|version| Some(version.text.as_str()) == text);
            if !same {
                return Err(NAME_TAKEN);
            }
        }
        Ok(self.0.entry(name.to_owned()).or_insert_with(|| {
            let stages = BTreeSet::from([CURRENT.to_owned()]);
            let first = text.map(|text| Version { text: text.to_owned(), created: now, stages });
            Secret {
                // AWS adds six random characters, so that a name that is used again has another ARN.
                arn: format!("arn:aws:secretsmanager:eu-west-1:000000000000:secret:{name}-local0"),
                name: name.to_owned(),
                created: now,
                changed: now,
                versions: first.into_iter().map(|first| (token.to_owned(), first)).collect(),
            }
        }))
    }

    pub(super) fn secret(&self, id: &str) -> Result<&Secret, Refusal> {
        self.0.values().find(|secret| secret.name == id || secret.arn == id).ok_or(NO_SECRET)
    }

    pub(super) fn secret_mut(&mut self, id: &str) -> Result<&mut Secret, Refusal> {
        self.0.values_mut().find(|secret| secret.name == id || secret.arn == id).ok_or(NO_SECRET)
    }
}

impl Secret {
    /// Those versions that have labels, with these.
    pub(super) fn labelled(&self) -> BTreeMap<&str, &BTreeSet<String>> {
        let labelled = self.versions.iter().filter(|(_, version)| !version.stages.is_empty());
        labelled.map(|(id, version)| (id.as_str(), &version.stages)).collect()
    }

    /// The version of this id, or with this label; without either the current one. Given both, they have to agree.
    pub(super) fn version(&self, id: Option<&str>, stage: Option<&str>) -> Result<(&str, &Version), Refusal> {
        let stage = stage.or(if id.is_none() { Some(CURRENT) } else { None });
        let wanted = |(found, version): &(&String, &Version)| {
            id.is_none_or(|id| id == found.as_str()) && stage.is_none_or(|stage| version.stages.contains(stage))
        };
        self.versions.iter().find(wanted).map(|(id, version)| (id.as_str(), version)).ok_or(NO_VERSION)
    }

    /// Adds a version. Gives its labels.
    pub(super) fn put(
        &mut self,
        text: &str,
        token: &str,
        stages: Option<&[String]>,
        now: Timestamp,
    ) -> Result<&BTreeSet<String>, Refusal> {
        let known = self.versions.get(token).map(|version| version.text == text);
        match known {
            Some(false) => return Err(VERSION_TAKEN),
            // The same request again.
            Some(true) => {}
            None => {
                let version = Version { text: text.to_owned(), created: now, stages: BTreeSet::new() };
                self.versions.insert(token.to_owned(), version);
                for stage in stages.unwrap_or(&[CURRENT.to_owned()]) {
                    self.attach(stage, token);
                }
                self.changed = now;
                self.forget_deprecated(now);
            }
        }
        self.versions.get(token).map(|version| &version.stages).ok_or(NO_VERSION)
    }

    /// Moves a label to a version, from the one that has it, or takes it away.
    pub(super) fn move_stage(
        &mut self,
        stage: &str,
        to: Option<&str>,
        from: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if [to, from].into_iter().flatten().any(|id| !self.versions.contains_key(id)) {
            return Err(NO_VERSION);
        }
        let holder = self.version(None, Some(stage)).ok().map(|(id, _)| id.to_owned());
        match (to, from) {
            (None, None) => return Err(NO_MOVE),
            (_, Some(from)) if holder.as_deref() != Some(from) => return Err(NOT_THERE),
            (None, Some(_)) if stage == CURRENT => return Err(CURRENT_STAYS),
            (None, Some(_)) => self.detach(stage),
            (Some(to), None) if holder.as_deref().is_some_and(|holder| holder != to) => return Err(ELSEWHERE),
            (Some(to), _) => self.attach(stage, to),
        }
        self.changed = now;
        Ok(())
    }

    /// Gives a version a label, which no other has from then on. Who was current is previous then.
    fn attach(&mut self, stage: &str, id: &str) {
        let holder = self.version(None, Some(stage)).ok().map(|(id, _)| id.to_owned());
        if holder.as_deref() == Some(id) {
            return;
        }
        self.detach(stage);
        if let Some(version) = self.versions.get_mut(id) {
            version.stages.insert(stage.to_owned());
        }
        if let (CURRENT, Some(holder)) = (stage, holder) {
            self.attach(PREVIOUS, &holder);
        }
    }

    fn detach(&mut self, stage: &str) {
        for version in self.versions.values_mut() {
            version.stages.remove(stage);
        }
    }

    fn forget_deprecated(&mut self, now: Timestamp) {
        while self.versions.len() > VERSIONS {
            let old = |version: &Version| now.duration_since(version.created) >= KEPT_AT_LEAST;
            let deprecated = self.versions.iter().filter(|(_, version)| version.stages.is_empty() && old(version));
            let Some(oldest) = deprecated.min_by_key(|(_, version)| version.created) else { return };
            let oldest = oldest.0.clone();
            self.versions.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_hold_versions_and_what_has_none_goes_when_there_are_too_many() {
        let mut now: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        let mut vault = Vault::default();
        vault.create("a", Some("0"), "0", now).unwrap();
        let secret = vault.secret_mut("a").unwrap();
        let mark = ["mark".to_owned()];
        secret.put("1", "1", Some(&mark), now).unwrap();
        for number in 2..150 {
            now += SignedDuration::from_hours(1);
            secret.put("x", &number.to_string(), None, now).unwrap();
        }
        assert_eq!(secret.versions.len(), VERSIONS);
        assert!(secret.versions.contains_key("1"), "it has a label");
        assert!(!secret.versions.contains_key("0"), "it had none any more");
        assert_eq!(secret.labelled().len(), 3);
    }

    #[test]
    fn an_answer_says_why_nothing_was_done() {
        let now: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        let mut vault = Vault::default();
        assert_eq!(vault.secret("a").err(), Some(NO_SECRET));
        vault.create("a", Some("0"), "0", now).unwrap();
        let secret = vault.secret_mut("a").unwrap();
        secret.put("1", "1", Some(&["mark".to_owned()]), now).unwrap();
        for (stage, to, from, expected) in [
            (CURRENT, Some("1"), Some("1"), NOT_THERE),
            (CURRENT, Some("1"), None, ELSEWHERE),
            (CURRENT, None, Some("0"), CURRENT_STAYS),
            (CURRENT, None, None, NO_MOVE),
            (CURRENT, Some("2"), Some("0"), NO_VERSION),
            ("mark", Some("0"), Some("0"), NOT_THERE),
        ] {
            assert_eq!(secret.move_stage(stage, to, from, now), Err(expected), "{stage} {to:?} {from:?}");
        }
    }
}
