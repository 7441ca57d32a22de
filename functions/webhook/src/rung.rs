//! Which events have rung in this process, so that one that is sent over and over is a message for each process and no more.
//!
//! Nothing depends on it: a ring too many finds in `poll` that its event is followed up already.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use models::{EventId, TenantId};

/// How many events are remembered, those that rang last.
const REMEMBERED: usize = 256;

/// The events for which the queue has taken a message.
#[derive(Debug, Default)]
pub(crate) struct Rung(Mutex<VecDeque<(TenantId, EventId)>>);

impl Rung {
    /// Whether this event is known to have rung.
    pub(crate) fn knows(&self, tenant: &TenantId, event: &EventId) -> bool {
        let rung = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rung.iter().any(|(of, id)| id == event && of == tenant)
    }

    /// Remembers that this event has rung.
    pub(crate) fn note(&self, tenant: &TenantId, event: &EventId) {
        let mut rung = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rung.truncate(REMEMBERED - 1);
        rung.push_front((tenant.clone(), event.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_events_are_known_each_of_its_tenant_alone() {
        let rung = Rung::default();
        let [tenant, other]: [TenantId; 2] =
            ["0", "1"].map(|last| format!("9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a1{last}").parse().unwrap());
        let event = |number: usize| EventId::of_body(&number.to_be_bytes());
        for number in 0..=REMEMBERED {
            rung.note(&tenant, &event(number));
        }
        let known = (0..=REMEMBERED).filter(|number| rung.knows(&tenant, &event(*number)));
        assert_eq!(known.collect::<Vec<_>>(), (1..=REMEMBERED).collect::<Vec<_>>());
        assert!(!rung.knows(&other, &event(1)));
    }
}
