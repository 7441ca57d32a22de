//! What holds when a schedule is over, whatever happened in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use models::{AlertId, Delta, Purpose, StatisticsKey, contribution};
use partner_center::{AlertSources, SecretsManager, Tokens, Walk};
use runtime::random_id;
use serde_json::Value;
use store::{ReadAlerts as _, StoredAlerts};

use crate::{
    decisions::{PATIENCE, Pending},
    history::{History, told},
    plan::Who,
    world::{ALERTS, IDS, TENANTS, World, id},
};

/// Most pages of a list: far more than any schedule's alerts fill.
const PAGES: usize = 100;

/// By item, by counter.
type Figures = BTreeMap<String, BTreeMap<String, i64>>;

/// Every invariant that does not hold, in words that begin with its number.
pub(crate) async fn broken(world: &mut World<'_>) -> Vec<String> {
    let mut problems = std::mem::take(&mut world.problems);
    let (items, tenants) = (world.account.items(ALERTS), world.account.items(TENANTS));
    world.account.history(|history| {
        problems.extend(history.problems.iter().cloned());
        problems.extend(what_was_not(world, history));
    });
    for who in 0..world.sources.len() {
        let kept = world.store().alerts(&id(who), &kept_ids(who, &items)).await.unwrap();
        problems.extend(Box::pin(differences(world, who, &kept)).await);
        problems.extend(decisions(world, who, &tenants));
        problems.extend(messages(world, who, &items));
        problems.extend(drift(who, &kept, &tenants));
        if !world.is_free(who) {
            problems.push(format!("(4) the lease of tenant {who} is not free"));
        }
    }
    problems
}

/// Versions that neither a state at Microsoft nor a decision accounts for.
fn what_was_not(world: &World<'_>, history: &History) -> Vec<String> {
    let mut problems = Vec::new();
    for (pk, versions) in &history.alerts {
        let there = world.at_microsoft.get(pk).map(Vec::as_slice).unwrap_or_default();
        let decided = world.decided.get(pk).map(Vec::as_slice).unwrap_or_default();
        for (place, version) in versions.iter().enumerate() {
            let before = place.checked_sub(1).map(|place| &versions[place]);
            let is_as_before = before.is_some_and(|before| before.sight == version.sight);
            let is_as_decided = version.decision.as_ref().is_some_and(|decision| {
                let applied = before.map(|before| decision.applied_to(&before.sight));
                decided.contains(decision) && applied.as_ref() == Some(&version.sight)
            });
            let was_there = || there.iter().any(|state| version.sight.may_come_of(state, world.spoilt));
            if !is_as_before && !is_as_decided && !was_there() {
                problems.push(format!("(2) version {} of {pk} never was so: {version:?}", version.number));
            }
            // That an alert is as it was decided shows nothing: so it was before, too.
            let let_go = before.and_then(|before| before.decision.as_ref()).filter(|_| version.decision.is_none());
            let is_early = |was: &&Pending| version.noted.duration_since(was.at) < PATIENCE;
            if let Some(was) = let_go.filter(is_early)
                && !there.iter().any(|state| was.is_shown_by(state))
            {
                problems.push(format!("(5) version {} of {pk} has lost a decision that nobody showed", version.number));
            }
            if version.is_gone && !world.vanished.contains(pk) {
                problems.push(format!("(2) version {} of {pk} says that it vanished: {version:?}", version.number));
            }
        }
    }
    problems
}

/// Marks of pending decisions where there is none, and the other way round; and those that should not be pending any more.
fn decisions(world: &World<'_>, who: Who, tenants: &[Value]) -> Vec<String> {
    let mut problems = Vec::new();
    let of_tenant = |item: &Value| (item["pk"]["S"] == IDS[who]).then(|| item["sk"]["S"].as_str().unwrap().to_owned());
    let keys: Vec<String> = tenants.iter().filter_map(of_tenant).collect();
    let marked: BTreeSet<&str> = keys.iter().filter_map(|key| key.strip_prefix("decision#")).collect();
    let listed = world.stage.microsoft.alerts(IDS[who]);
    let listed: BTreeSet<String> = listed.iter().map(|alert| world.key(who, &alert.id)).collect();
    world.account.history(|history| {
        let latest = history.latest(IDS[who]).filter(|(_, version)| version.decision.is_some());
        let pending: BTreeSet<&str> = latest.map(|(id, _)| id).collect();
        for id in pending.symmetric_difference(&marked) {
            problems.push(format!("(5) a decision about {id} of tenant {who} is pending or marked, and not both"));
        }
        for id in pending.iter().filter(|id| listed.contains(&format!("{}#{id}", IDS[who]))) {
            problems.push(format!("(5) a decision about {id} of tenant {who} is still pending"));
        }
    });
    problems
}

/// Where our table is not what an undisturbed list has.
async fn differences(world: &World<'_>, who: Who, kept: &StoredAlerts) -> Vec<String> {
    let mut problems = Vec::new();
    let mut listed = BTreeMap::new();
    let (config, http) = (world.stage.poll.clone(), world.stage.http.clone());
    let credentials = SecretsManager::new(aws_sdk_secretsmanager::Client::new(&world.parts.aws), Purpose::Read);
    let clock = Arc::clone(&world.parts.clock);
    let now = Arc::new(move || clock.now());
    let new_id = Arc::new(random_id);
    let tokens = Arc::new(Tokens::new(http.clone(), config.clouds, credentials, config.limits, now, new_id));
    let source = AlertSources::new(http, tokens, config.limits);
    let (tenant, mut walk) = (world.tenant(who), Walk::new(PAGES));
    while let Some(page) = Box::pin(walk.next_page(&source, &tenant)).await.unwrap() {
        listed.extend(page.alerts.into_iter().map(|alert| (alert.id.clone(), alert)));
    }
    for (id, alert) in &listed {
        match kept.readable.get(id) {
            None => problems.push(format!("(1) {id} of tenant {who} is not kept")),
            Some(stored) if *stored.known.alert != *alert => {
                problems.push(format!("(1) {id} of tenant {who} is kept as {:?} and is {alert:?}", stored.known.alert));
            }
            Some(_) => {}
        }
    }
    if listed.len() != world.stage.microsoft.alerts(IDS[who]).len() {
        problems.push(format!("(1) the list of tenant {who} is not whole"));
    }
    world.account.history(|history| {
        for (id, version) in history.latest(IDS[who]) {
            let stored = id.parse::<AlertId>().ok().and_then(|id| kept.readable.get(&id));
            if stored.map(|stored| stored.version) != Some(version.number) {
                problems.push(format!("(1) {id} of tenant {who} was written and is not kept"));
            }
        }
    });
    problems
}

fn kept_ids(who: Who, items: &[Value]) -> Vec<AlertId> {
    let own = items.iter().filter(|item| item["sk"]["S"] == "alert").filter_map(|item| item["pk"]["S"].as_str());
    own.filter_map(|pk| pk.strip_prefix(IDS[who])?.strip_prefix('#')?.parse().ok()).collect()
}

/// What was told that should not have been, and what was not.
fn messages(world: &World<'_>, who: Who, items: &[Value]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut ids: BTreeMap<(String, u64), BTreeSet<(String, String)>> = BTreeMap::new();
    let mut things: BTreeMap<String, BTreeSet<(String, u64)>> = BTreeMap::new();
    let mut digests: BTreeMap<String, (String, BTreeSet<String>)> = BTreeMap::new();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for message in world.account.published().iter().filter(|message| message["tenantId"] == IDS[who]) {
        let (message_id, kind) = (text(&message["id"]), text(&message["kind"]));
        if let Some(digest) = message.get("digest") {
            let alerts = digest["alerts"].as_array().unwrap().iter().map(|alert| text(&alert["id"])).collect();
            digests.insert(message_id, (text(&digest["reason"]), alerts));
        } else {
            let thing = (text(&message["alert"]["id"]), message["version"].as_u64().unwrap());
            things.entry(message_id.clone()).or_default().insert(thing.clone());
            ids.entry(thing).or_default().insert((kind, message_id));
        }
    }
    for (thing, names) in ids.iter().filter(|(_, names)| names.len() > 1) {
        problems.push(format!("(2) {thing:?} of tenant {who} has more than one name: {names:?}"));
    }
    for (name, of) in things.iter().filter(|(_, of)| of.len() > 1) {
        problems.push(format!("(2) {name} of tenant {who} is the name of {of:?}"));
    }
    for item in items.iter().filter(|item| item.get("outbox_shard").is_some()) {
        problems.push(format!("(2) still unpublished: {} {}", item["pk"]["S"], item["sk"]["S"]));
    }
    world.account.history(|history| {
        problems.extend(transitions(who, history, items, &ids, &digests));
        problems.extend(baseline(who, history, &digests));
    });
    problems
}

/// Each change that has to be told against what was.
fn transitions(
    who: Who,
    history: &History,
    items: &[Value],
    ids: &BTreeMap<(String, u64), BTreeSet<(String, String)>>,
    digests: &BTreeMap<String, (String, BTreeSet<String>)>,
) -> Vec<String> {
    let mut problems = Vec::new();
    let mut expected_messages = BTreeSet::new();
    let mut expected_items = BTreeSet::new();
    for (pk, versions) in &history.alerts {
        let Some(alert) = pk.strip_prefix(IDS[who]).and_then(|rest| rest.strip_prefix('#')) else { continue };
        let (mut of_fraud, mut singly) = (0, 0);
        for (place, version) in versions.iter().enumerate() {
            let before = place.checked_sub(1).map(|place| &versions[place].sight);
            let Some((kind, fraud)) = told(before, &version.sight) else { continue };
            expected_items.insert(format!("{pk} outbox#{:012}#{kind}", version.number));
            if !fraud || version.before_baseline {
                continue;
            }
            of_fraud += 1;
            let thing = (alert.to_owned(), version.number);
            if let Some(names) = ids.get(&thing) {
                singly += 1;
                if names.iter().any(|(named, _)| named != kind) {
                    problems.push(format!("(2) {thing:?} of tenant {who} is {kind}, and told as {names:?}"));
                }
            }
            expected_messages.insert(thing);
        }
        let in_digests =
            digests.values().filter(|(reason, alerts)| reason == "burst" && alerts.contains(alert)).count();
        if of_fraud != singly + in_digests {
            problems.push(format!(
                "(2) {of_fraud} changes of {pk} were to be told, and {singly} were singly, {in_digests} in digests: {:#?}",
                versions.iter().map(|version| (version.number, &version.sight)).collect::<Vec<_>>()
            ));
        }
    }
    for thing in ids.keys().filter(|thing| !expected_messages.contains(*thing)) {
        problems.push(format!("(2) {thing:?} of tenant {who} was told, and did not happen"));
    }
    let own = |item: &&Value| item["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with(&format!("{}#", IDS[who])));
    let outbox = items.iter().filter(own).map(|item| (item["pk"]["S"].as_str(), item["sk"]["S"].as_str()));
    let outbox: BTreeSet<String> = outbox
        .filter(|(_, sk)| sk.is_some_and(|sk| sk.starts_with("outbox#")))
        .map(|(pk, sk)| format!("{} {}", pk.unwrap(), sk.unwrap()))
        .collect();
    for difference in outbox.symmetric_difference(&expected_items) {
        problems.push(format!("(2) in the outbox or to be there, and not both: {difference}"));
    }
    problems
}

/// The one digest of what a tenant's first complete run found.
fn baseline(who: Who, history: &History, digests: &BTreeMap<String, (String, BTreeSet<String>)>) -> Option<String> {
    let told: Vec<_> = digests.values().filter(|(reason, _)| reason == "baseline").map(|(_, alerts)| alerts).collect();
    let Some(open) = history.baselines.get(IDS[who]) else {
        return Some(format!("(2) tenant {who} had no complete run"));
    };
    let as_expected = if open.is_empty() { told.is_empty() } else { told == [open] };
    (!as_expected).then(|| format!("(2) the baseline of tenant {who} is {open:?}, and told as {told:?}"))
}

/// The statistics against a recount.
fn drift(who: Who, kept: &StoredAlerts, tenants: &[Value]) -> Option<String> {
    let mut sum = Delta::default();
    for stored in kept.readable.values() {
        sum.add(&contribution(&stored.known.alert));
    }
    let mut expected = Figures::new();
    for (key, counters) in sum.items() {
        let item = match key {
            StatisticsKey::Day(day) => day.to_string(),
            StatisticsKey::Gauge => "gauge".to_owned(),
        };
        expected.insert(item, counters.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect());
    }
    let mut is = Figures::new();
    let of_tenant = format!("{}#stats", IDS[who]);
    for item in tenants.iter().filter(|item| item["pk"]["S"] == of_tenant.as_str()) {
        let counters = item.as_object().unwrap().iter();
        let counters = counters.filter_map(|(name, value)| Some((name.clone(), value["N"].as_str()?.parse().unwrap())));
        is.insert(item["sk"]["S"].as_str().unwrap().to_owned(), counters.collect());
    }
    for figures in [&mut expected, &mut is] {
        for counters in figures.values_mut() {
            counters.retain(|_, value| *value != 0);
        }
        figures.retain(|_, counters| !counters.is_empty());
    }
    (expected != is).then(|| format!("(3) the statistics of tenant {who} are {is:?}, and should be {expected:?}"))
}
