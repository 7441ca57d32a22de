//! What happens at Microsoft, and a note of every state that an alert had there.

use jiff::SignedDuration;
use runtime::Clock as _;
use simulator::{Alert, AlertChange, Lag, NewAlert};

use crate::{
    history::Sight,
    plan::{Happening, Who},
    world::{IDS, SUBSCRIPTION, World},
};

impl World<'_> {
    /// Has this happen at Microsoft.
    pub(crate) fn happen(&mut self, who: Who, happening: &Happening) {
        let text = |text: &str| Some(text.to_owned());
        let now = self.stage.time.now();
        let before = |minutes: u16| Some(now - SignedDuration::from_mins(minutes.into()));
        let none = AlertChange::default;
        match *happening {
            Happening::Raised(alert, severity) => self.raise(who, alert, severity, None),
            Happening::RaisedResolved(alert) => self.raise(who, alert, "high", text("resolved")),
            Happening::Burst(count) => {
                for _ in 0..count {
                    self.bursts += 1;
                    self.raise_as(who, format!("burst-{}", self.bursts), "high", None);
                }
            }
            Happening::Vanished(alert) => {
                self.vanished.insert(self.key(who, &name(alert)));
                self.change(who, alert, AlertChange { gone: Some(true), ..none() });
            }
            Happening::CameBack(alert) => self.change(who, alert, AlertChange { gone: Some(false), ..none() }),
            Happening::Late(alert, requests, severity) => {
                self.lagging = true;
                let lag = Lag { get: requests, list: requests };
                self.change(who, alert, AlertChange { severity: text(severity), lag, ..none() });
            }
            Happening::BackDated(alert, minutes) => {
                self.change(who, alert, AlertChange { detected_date_time: before(minutes), ..none() });
            }
            Happening::MadeTest(alert, is_test) => {
                self.change(who, alert, AlertChange { is_test: Some(is_test), ..none() });
            }
            Happening::Renamed(alert) => {
                self.change(who, alert, AlertChange { display_name: Some(format!("at {now}")), ..none() });
            }
            Happening::Reopened(alert) => {
                self.change(who, alert, AlertChange { status: text("active"), ..none() });
            }
            Happening::Resolved(alert, why) => {
                let change = AlertChange { status: text("resolved"), resolved_reason: text(why), ..none() };
                self.change(who, alert, change);
            }
            Happening::SeenAgain(alert) => {
                self.change(who, alert, AlertChange { last_observed_date_time: Some(now), ..none() });
            }
            Happening::SeverityIs(alert, severity) => {
                self.change(who, alert, AlertChange { severity: text(severity), ..none() });
            }
        }
    }

    fn raise(&mut self, who: Who, alert: u8, severity: &str, status: Option<String>) {
        self.raise_as(who, name(alert), severity, status);
    }

    fn raise_as(&mut self, who: Who, id: String, severity: &str, status: Option<String>) {
        let resolved_reason = status.as_ref().map(|_| "fraud".to_owned());
        let new = NewAlert {
            tenant: Some(IDS[who].to_owned()),
            subscription_id: Some(SUBSCRIPTION.to_owned()),
            customer_tenant_id: Some("4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3".to_owned()),
            severity: Some(severity.to_owned()),
            id: Some(id),
            status,
            resolved_reason,
            ..NewAlert::default()
        };
        // One that is there already stays as it is.
        if let Ok(alert) = self.stage.microsoft.raise(new) {
            self.note(who, &alert);
        }
    }

    fn change(&mut self, who: Who, alert: u8, change: AlertChange) {
        if let Ok(alert) = self.stage.microsoft.change(IDS[who], &name(alert), change) {
            self.note(who, &alert);
        }
    }

    fn note(&mut self, who: Who, alert: &Alert) {
        let sight = Sight::at_microsoft(alert);
        self.at_microsoft.entry(self.key(who, &alert.id)).or_default().push(sight);
    }
}

/// The id of an alert at Microsoft.
pub(crate) fn name(alert: u8) -> String {
    format!("alert-{alert}")
}
