//! Changing which tenants there are.

use std::io::Write;

use models::{AlertSource, PathKey, Tenant, TenantId};
use partner_center::Purpose;
use ring::rand::{SecureRandom as _, SystemRandom};
use store::{Changed, Store, WriteTenants as _};

use super::{Add, Set, Shown, TenantsError, credential::Existing, find, show::text_of};
use crate::{account::Account, doctor, output::Output};

/// Where read secrets lie unless the template's `ReadSecretPrefix` says otherwise.
const READ_SECRET_PREFIX: &str = "partner-alerts/read/";

pub(super) async fn add(
    add: Add,
    store: &Store,
    account: &Account,
    output: &mut Output<impl Write>,
) -> Result<(), TenantsError> {
    let base = account.callback_base_url()?;
    let key = new_path_key()?;
    let tenant = Tenant {
        id: add.id.clone(),
        display_name: text("--name", &add.name)?,
        cloud: add.cloud,
        alert_source: AlertSource::Graph,
        path_key_hashes: vec![key.hash()],
        read_secret: match add.read_secret {
            Some(name) => text("--read-secret", &name)?,
            None => format!("{READ_SECRET_PREFIX}{}", add.id),
        },
        act_secret: add.act_secret.map(|name| text("--act-secret", &name)).transpose()?,
        active: !add.inactive,
    };
    let mut shown = Shown::from(&tenant).with_secret_written(&add.sign_in, Purpose::Read, &tenant);
    if !add.dry_run {
        // Before a person is asked to consent.
        match find(store, &tenant.id).await {
            Err(TenantsError::Unknown(_)) => {}
            Ok(tenant) => return Err(TenantsError::Exists(tenant.id)),
            Err(error) => return Err(error),
        }
        add.sign_in.keep(&tenant, Purpose::Read, Existing::StaysAsItIs, account, output).await?;
        if store.add_tenant(&tenant).await? == Changed::SomebodyWasQuicker {
            return Err(TenantsError::Exists(tenant.id));
        }
        shown.callback_url = Some(callback_url(&base, &tenant.id, &key));
        shown.checks = Box::pin(doctor::tenant::connection(account, &tenant)).await;
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
    let mut shown = Shown::from(&tenant).with_secret_written(&set.sign_in, set.secret, &tenant);
    if !set.dry_run {
        let signs_in_anew = set.sign_in.ask_for_something();
        set.sign_in.keep(&tenant, set.secret, Existing::MayBeReplaced, account, output).await?;
        if tenant != seen && store.replace_tenant(&seen, &tenant).await? == Changed::SomebodyWasQuicker {
            return Err(TenantsError::SomebodyWasQuicker(tenant.id));
        }
        shown.callback_url = callback;
        if signs_in_anew {
            shown.checks = Box::pin(doctor::tenant::connection(account, &tenant)).await;
        }
    }
    Ok(output.say(&shown, |shown| headed(set.dry_run, "changed", shown))?)
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
    let checks = match doctor::lines(&shown.checks) {
        none if none.is_empty() => none,
        lines => format!("\n\nWhat works, and what is missing:\n\n{lines}"),
    };
    format!("{head}\n\n{}{advice}{checks}", text_of(shown))
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
