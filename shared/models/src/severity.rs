//! The one rule that says whether an alert wakes people.

use std::str::FromStr;

use crate::{Alert, Severity};

/// From which severity on an alert is of fraud severity. The default is `high`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum FraudThreshold {
    /// Low and above.
    Low,
    /// Medium and above.
    Medium,
    /// High only.
    #[default]
    High,
}

/// A configured threshold that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("one of low, medium, high")]
pub struct ThresholdError;

impl FromStr for FraudThreshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, ThresholdError> {
        match text {
            "low" => Ok(Self::Low),
            "medium" => Ok(Self::Medium),
            "high" => Ok(Self::High),
            _ => Err(ThresholdError),
        }
    }
}

impl FraudThreshold {
    /// Whether an alert is of fraud severity.
    ///
    /// Severity at or above the threshold; an unknown severity counts as the highest, since a new word must not be the one
    /// that is dropped. Test alerts and informational ones never count. The kind of the alert plays no part: unknown kinds
    /// are fanned out like known ones.
    #[must_use]
    pub fn includes(self, alert: &Alert) -> bool {
        !alert.is_test
            && match alert.severity {
                Severity::Informational => false,
                Severity::Low => self <= Self::Low,
                Severity::Medium => self <= Self::Medium,
                Severity::High | Severity::Unknown(_) => true,
            }
    }
}

impl Severity {
    /// How severe it is, from 0 on; an unknown severity counts as the highest.
    #[must_use]
    pub fn rank(&self) -> u8 {
        match self {
            Self::Informational => 0,
            Self::Low => 1,
            Self::Medium => 2,
            Self::High | Self::Unknown(_) => 3,
        }
    }
}
