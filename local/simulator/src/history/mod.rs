//! What a partner would find at Microsoft after some months: alerts of many kinds about many customers, most of them resolved.
//!
//! Promises: the same for the same seed, number and moment; nobody and nothing in it exists, and its addresses and domains are those that
//! are kept for documents. Any alert can be made without those before it, so a history of a million takes no memory. What an alert is
//! about follows from its number alone, and how it stands from its age: with the same time between alerts, the latest of a short history
//! are those of a long one.

mod companies;
mod dice;
mod kinds;

use jiff::{SignedDuration, Timestamp};

use companies::{CUSTOMERS, Company};
use dice::Dice;
use kinds::{Kind, Said};

use crate::{AffectedResource, Alert, CustomerChange};

/// A made-up history of one partner tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct History {
    /// What it follows from: another seed, other customers and alerts.
    pub seed: u64,
    /// When it is looked at.
    pub now: Timestamp,
    /// How many alerts it has.
    pub alerts: u64,
    /// How much time lies between two alerts in the mean.
    pub every: SignedDuration,
}

/// How far back a history goes that is to fill a chart of two months.
const SPAN: SignedDuration = SignedDuration::from_hours(24 * 70);
/// Every ten alerts are of six incidents: some of a subscription come together.
const INCIDENTS: [u64; 10] = [0, 1, 1, 2, 3, 3, 3, 4, 5, 5];
const INCIDENTS_OF_TEN: u64 = 6;
/// How long ago the latest incidents of a sparse history were, in minutes: some are still to be answered within the hour.
const LATEST: [i64; 6] = [4, 23, 47, 130, 410, 1_600];
/// Who changes alerts: nobody.
const DESKS: [&str; 3] = ["desk-1@partner.example", "desk-2@partner.example", "night.desk@partner.example"];

const HOUR: i64 = 3_600;
/// From how much time between two incidents on, in seconds, there would be none to be answered within the hour.
const SPARSE: i64 = 4 * HOUR;
/// Of what the dice are thrown.
const INCIDENT: u64 = 11;
const ALERT: u64 = 12;

impl History {
    /// A history of the last ten weeks.
    #[must_use]
    pub fn of_weeks(seed: u64, now: Timestamp, alerts: u64) -> Self {
        let every = SPAN / i32::try_from(alerts.clamp(1, 1 << 30)).unwrap_or(1);
        Self { seed, now, alerts, every }
    }

    /// Its alerts, the latest first.
    pub fn alerts(self) -> impl Iterator<Item = Alert> {
        (0..self.alerts).map(move |number| self.alert(number))
    }

    /// Its customers, with what they and their subscriptions are called.
    pub fn customers(self, tenant: &str) -> impl Iterator<Item = CustomerChange> {
        (0..CUSTOMERS).map(move |number| {
            let Company { id, name, domain, subscriptions, .. } = Company::of(self.seed, number);
            CustomerChange {
                tenant: Some(tenant.to_owned()),
                id,
                company_name: Some(name),
                domain: Some(domain),
                subscriptions: subscriptions.into_iter().collect(),
                ..CustomerChange::default()
            }
        })
    }

    /// The alert of this number: 0 is the latest.
    fn alert(self, number: u64) -> Alert {
        let incident = number / 10 * INCIDENTS_OF_TEN + INCIDENTS[usize::try_from(number % 10).unwrap_or(0)];
        let mut of_incident = Dice::of(self.seed, INCIDENT, incident);
        let mut dice = Dice::of(self.seed, ALERT, number);
        // Few customers have many alerts, many have few.
        let customer = of_incident.within(0, 999) * of_incident.within(0, 999) * CUSTOMERS.cast_signed() / 1_000_000;
        let company = Company::of(self.seed, customer.unsigned_abs());
        let (subscription, _) = of_incident.one_of(&company.subscriptions).cloned().unwrap_or_default();
        let age = self.age(incident, &mut of_incident, &mut dice);

        let kind = Kind::of(number);
        let Said { resources, details } = kind.said(&mut dice, &subscription);
        let is_test = number % 40 == 23;
        let detected = self.before(age);
        let text = |text: &str| text.to_owned();
        let mut alert = Alert {
            id: format!("{subscription}-{}", dice.guid()),
            display_name: if is_test { text("Simulated alert") } else { text(kind.display_name) },
            description: kind.description(),
            alert_type: text(kind.alert_type),
            status: text("active"),
            severity: text(dice.one_of(kind.severities).copied().unwrap_or("high")),
            confidence_level: text(dice.one_of(&["high", "high", "medium", "low"]).copied().unwrap_or("high")),
            customer_tenant_id: company.id,
            subscription_id: subscription,
            value_added_reseller_tenant_id: company.reseller,
            catalog_offer_id: (!is_test).then(|| text("MS-AZR-0017G")),
            detected_date_time: detected,
            first_observed_date_time: self.before(age + dice.within(1, 25) * 60),
            last_observed_date_time: self.before(age - dice.within(0, 6 * HOUR).min(age / 2)),
            resolved_reason: None,
            resolved_on_date_time: None,
            resolved_by: None,
            is_test,
            affected_resources: resources.into_iter().map(azure_resource).collect(),
            activity_logs: Vec::new(),
            additional_details: details,
        };
        self.stand(&mut alert, number, age, &mut dice);
        alert
    }

    /// How many seconds ago an alert of this incident was detected.
    fn age(self, incident: u64, of_incident: &mut Dice, dice: &mut Dice) -> i64 {
        let every = self.every.as_millis() * 10 / i128::from(INCIDENTS_OF_TEN) / 1_000;
        let is_sparse = every >= i128::from(SPARSE);
        let latest = usize::try_from(incident).ok().and_then(|incident| LATEST.get(incident)).filter(|_| is_sparse);
        let of_incident = latest.map_or_else(
            || {
                // Not evenly: some days are busy, some are not.
                let thousandths = i128::from(incident) * 1_000 + i128::from(of_incident.within(0, 3_000));
                let age = i64::try_from(every.max(1) * thousandths / 1_000).unwrap_or(i64::MAX / 2);
                if is_sparse { age.max(27 * HOUR) } else { age }
            },
            |minutes| minutes * 60,
        );
        of_incident - dice.within(0, 40 * 60).min(of_incident / 4)
    }

    /// Whether it is open, and if not, how and how soon it was resolved.
    fn stand(self, alert: &mut Alert, number: u64, age: i64, dice: &mut Dice) {
        let who = dice.one_of(&DESKS).copied().unwrap_or_default();
        let looked = dice.within(60, 25 * 60).min(age / 2);
        let is_open = age < HOUR || dice.falls(if age < 48 * HOUR { 60 } else { 4 });
        if is_open {
            if dice.falls(30) {
                alert.move_to("investigating", None, who, self.before(age - looked));
            }
            if number % 173 == 71 {
                "unknownFutureValue".clone_into(&mut alert.status);
            }
            return;
        }
        let seconds = match dice.within(0, 99) {
            0..70 => dice.within(2 * 60, HOUR),
            70..95 => dice.within(HOUR, 8 * HOUR),
            _ => dice.within(8 * HOUR, 30 * HOUR),
        };
        let seconds = seconds.min(age - 1);
        if dice.falls(50) {
            alert.move_to("investigating", None, who, self.before(age - looked.min(seconds / 2)));
        }
        let reason = ["fraud", "fraud", "fraud", "legitimate", "legitimate", "ignore"];
        let reason = dice.one_of(&reason).map(|reason| (*reason).to_owned());
        alert.move_to("resolved", reason, who, self.before(age - seconds));
        match number % 97 {
            // Clocks differ: resolved before it was detected.
            41 => alert.resolved_on_date_time = Some(self.before(age + dice.within(1, 300))),
            // What Microsoft documents as nullable may be null.
            60 => (alert.resolved_on_date_time, alert.resolved_by) = (None, None),
            _ => {}
        }
    }

    fn before(self, seconds: i64) -> Timestamp {
        Timestamp::from_second(self.now.as_second().saturating_sub(seconds)).unwrap_or(Timestamp::MIN)
    }
}

fn azure_resource(resource_id: String) -> AffectedResource {
    AffectedResource { resource_id, resource_type: "AzureResource".to_owned() }
}
