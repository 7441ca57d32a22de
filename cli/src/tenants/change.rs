//! Changing which tenants there are.

use std::io::Write;

use models::{PathKey, Tenant, TenantId};
use ring::rand::{SecureRandom as _, SystemRandom};
use store::{Changed, Store, WriteTenants as _};

use super::{Add, Set, Shown, TenantsError, find, show::text_of};
use crate::{account::Account, output::Output};

/// What to know about a changed source of alerts.
const ANOTHER_SOURCE: &str = "\nThe two sources have ids of their own for one alert: what is open now is told once more, and what was \
                              read before stays as it was last seen. docs/operations.md says what to do.";

pub(super) async fn add(
    add: Add,
    store: &Store,
    account: &Account,
    output: &mut Output<impl Write>,
) -> Result<(), TenantsError> {
    let base = account.callback_base_url()?;
    let key = new_path_key()?;
    let tenant = Tenant {
        id: add.id,
        display_name: text("--name", &add.name)?,
        cloud: add.cloud,
        alert_source: add.alert_source,
        path_key_hashes: vec![key.hash()],
        read_secret: text("--read-secret", &add.read_secret)?,
        act_secret: add.act_secret.map(|name| text("--act-secret", &name)).transpose()?,
        active: !add.inactive,
    };
    let mut shown = Shown::from(&tenant);
    if !add.dry_run {
        if store.add_tenant(&tenant).await? == Changed::SomebodyWasQuicker {
            return Err(TenantsError::Exists(tenant.id));
        }
        shown.callback_url = Some(callback_url(&base, &tenant.id, &key));
    }
    Ok(output.say(&shown, |shown| headed(add.dry_run, "added", shown))?)
}

pub(super) async fn set(
    set: Set,
    store: &Store,
    account: &Account,
    output: &mut Output<impl Write>,
) -> Result<(), TenantsError> {
    let seen = find(store, &set.id).await?;
    let mut tenant = seen.clone();
    if let Some(name) = set.name {
        tenant.display_name = text("--name", &name)?;
    }
    if let Some(name) = set.read_secret {
        tenant.read_secret = text("--read-secret", &name)?;
    }
    if let Some(name) = set.act_secret {
        tenant.act_secret = if name.is_empty() { None } else { Some(text("--act-secret", &name)?) };
    }
    tenant.cloud = set.cloud.unwrap_or(tenant.cloud);
    tenant.alert_source = set.alert_source.unwrap_or(tenant.alert_source);
    tenant.active = set.active.unwrap_or(tenant.active);
    let mut callback = None;
    if set.new_path_key {
        if tenant.path_key_hashes.len() > 1 {
            return Err(TenantsError::TwoPathKeys(tenant.id));
        }
        let key = new_path_key()?;
        tenant.path_key_hashes.push(key.hash());
        callback = Some(callback_url(&account.callback_base_url()?, &tenant.id, &key));
    }
    if set.drop_old_path_key && tenant.path_key_hashes.len() > 1 {
        tenant.path_key_hashes.drain(..tenant.path_key_hashes.len() - 1);
    }
    let mut shown = Shown::from(&tenant);
    if !set.dry_run {
        if store.replace_tenant(&seen, &tenant).await? == Changed::SomebodyWasQuicker {
            return Err(TenantsError::SomebodyWasQuicker(tenant.id));
        }
        shown.callback_url = callback;
    }
    let advice = if seen.alert_source == tenant.alert_source { "" } else { ANOTHER_SOURCE };
    Ok(output.say(&shown, |shown| headed(set.dry_run, "changed", shown) + advice)?)
}

pub(super) async fn remove(
    id: &TenantId,
    dry_run: bool,
    store: &Store,
    output: &mut Output<impl Write>,
) -> Result<(), TenantsError> {
    let seen = find(store, id).await?;
    if !dry_run && store.remove_tenant(&seen).await? == Changed::SomebodyWasQuicker {
        return Err(TenantsError::SomebodyWasQuicker(seen.id));
    }
    Ok(output.say(&Shown::from(&seen), |shown| headed(dry_run, "removed", shown))?)
}

fn headed(dry_run: bool, done: &str, shown: &Shown) -> String {
    let head = if dry_run { format!("Would be {done} (--dry-run):") } else { format!("The tenant was {done}.") };
    let advice = match &shown.callback_url {
        Some(_) => {
            "\nRegister the callback address at Partner Center, and keep it where you keep secrets: its key can't be read back."
        }
        None => "",
    };
    format!("{head}\n\n{}{advice}", text_of(shown))
}

fn callback_url(base: &str, id: &TenantId, key: &PathKey) -> String {
    format!("{base}{id}/{}", key.expose())
}

fn new_path_key() -> Result<PathKey, TenantsError> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| TenantsError::Randomness)?;
    Ok(PathKey::from_bytes(bytes))
}

/// A text that can stand in an item and on a terminal.
fn text(what: &'static str, text: &str) -> Result<String, TenantsError> {
    let fits = (1..=200).contains(&text.trim().chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(text.trim().to_owned()) } else { Err(TenantsError::Name(what)) }
}
