//! When names are asked for. Without any state: the moments follow from ids.

use jiff::{SignedDuration, Timestamp};
use models::{NameId, TenantId};
use store::NameAnswer;

/// How long a name is good at least, and by how much longer at most. Names that were read at one time, as those of a tenant that is new,
/// are not all old at one time.
const GOOD: SignedDuration = SignedDuration::from_hours(4 * 24);
const SPREAD_SECONDS: u64 = 3 * 24 * 60 * 60;
/// How long it is remembered that there is no name.
const NONE: SignedDuration = SignedDuration::from_hours(24);
/// How long what failed is left alone.
const FAILED: SignedDuration = SignedDuration::from_mins(15);

const DAY_SECONDS: i64 = 24 * 60 * 60;
const SECONDS_OF_CLAIM: i64 = 60;
const QUARTER_SECONDS: i64 = 15 * 60;

/// After what time a name is asked for again.
pub(super) fn ask_again_after(id: &NameId, answer: NameAnswer<'_>) -> SignedDuration {
    match answer {
        NameAnswer::Given { .. } => {
            let more = i64::try_from(hash(id.id()) % SPREAD_SECONDS).unwrap_or_default();
            GOOD + SignedDuration::from_secs(more)
        }
        NameAnswer::NotGiven => NONE,
        NameAnswer::Failed => FAILED,
    }
}

/// After what time is tried again to claim a tenant's names that somebody else has claimed, by a message with so many hops. At first it
/// is a minute, for as long as a claim holds. The more often it was tried, the longer it may be, by chance: of many messages that try
/// at the same moments, one would come through at each.
pub(super) fn claim_again_after(hops: u32, chance: u128) -> SignedDuration {
    let longest = (SECONDS_OF_CLAIM << hops.saturating_sub(1).min(4)).min(QUARTER_SECONDS);
    let more = chance % u128::from((longest - SECONDS_OF_CLAIM).unsigned_abs() + 1);
    SignedDuration::from_secs(SECONDS_OF_CLAIM + i64::try_from(more).unwrap_or_default())
}

/// Whether this is the quarter of an hour in which the old names of this tenant are looked after, every day (UTC). There are 96, so that
/// tenants do not come all at once, and ticks fall into each of them more than once, so that one may be lost.
pub(super) fn is_due_to_look(tenant: &TenantId, now: Timestamp) -> bool {
    let quarter = now.as_second().rem_euclid(DAY_SECONDS) / QUARTER_SECONDS;
    let quarters = (DAY_SECONDS / QUARTER_SECONDS).unsigned_abs();
    hash(tenant.as_str()) % quarters == quarter.unsigned_abs()
}

/// FNV-1a, 64 bits (the numbers are the algorithm's): the same in every process and release.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(number: usize) -> TenantId {
        format!("00000000-0000-4000-8000-{number:012}").parse().unwrap()
    }

    #[test]
    fn each_tenant_has_one_quarter_of_an_hour_a_day_and_hundreds_have_many() {
        let start: Timestamp = "2026-03-02T00:00:00Z".parse().unwrap();
        let ticks = |tenant: &TenantId| -> Vec<i64> {
            let due = |tick: &i64| is_due_to_look(tenant, start + SignedDuration::from_mins(5 * tick));
            (0..288).filter(due).collect()
        };
        let mut quarters = std::collections::BTreeMap::<i64, usize>::new();
        for number in 0..500 {
            let ticks = ticks(&tenant(number));
            assert_eq!(ticks, (ticks[0]..ticks[0] + 3).collect::<Vec<_>>(), "three ticks, one after the other");
            *quarters.entry(ticks[0]).or_default() += 1;
        }
        assert!(quarters.len() > 80, "{} of 96 quarters", quarters.len());
        assert!(quarters.values().all(|tenants| *tenants < 25), "{quarters:?}");
        let tomorrow = start + SignedDuration::from_mins(5 * ticks(&tenant(1))[0]) + SignedDuration::from_hours(24);
        assert!(is_due_to_look(&tenant(1), tomorrow));
    }

    #[test]
    fn who_finds_a_claim_again_and_again_waits_longer_and_by_chance() {
        let between = |hops| {
            let all: Vec<i64> = (0..10_000).map(|chance| claim_again_after(hops, chance).as_secs()).collect();
            (*all.iter().min().unwrap(), *all.iter().max().unwrap())
        };
        let found: Vec<_> = [0, 1, 2, 3, 4, 5, u32::MAX].map(between).into();
        assert_eq!(found, [(60, 60), (60, 60), (60, 120), (60, 240), (60, 480), (60, 900), (60, 900)]);
    }

    #[test]
    fn names_that_are_read_together_are_not_old_together() {
        let given = NameAnswer::Given { name: "n", domain: None };
        let mut days = [0; 7];
        for number in 0..1_000 {
            let id = NameId::customer(&tenant(number).as_str().parse().unwrap());
            let after = ask_again_after(&id, given);
            days[usize::try_from(after.as_hours() / 24).unwrap()] += 1;
            assert_eq!(ask_again_after(&id, NameAnswer::NotGiven).as_hours(), 24);
        }
        assert_eq!(days[..4], [0; 4]);
        assert!(days[4..].iter().all(|names| (250..420).contains(names)), "{days:?}");
    }
}
