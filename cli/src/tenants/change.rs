//! Changing which tenants there are.

use std::io::Write;

use models::{Purpose, Tenant, TenantId};
use store::{Changed, ForgetCredentials as _, Store, WriteTenants as _};

use super::{
    Add, Set, Shown, TenantsError, find,
    keep::{Existing, Keeping},
    path_keys, proof,
    show::text_of,
};
use crate::{
    account::Account,
    doctor::{self, Finding},
    output::{Output, printable},
    secret_names::Prefixes,
};

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
    let prefixes = Prefixes::of_account(account)?;
    let allowed = |purpose, name| checked_name(&prefixes, purpose, name, add.anyway);
    let key = path_keys::new()?;
    let tenant = Tenant {
        id: add.id.clone(),
        display_name: text("--name", &add.name)?,
        cloud: add.cloud,
        alert_source: add.alert_source,
        path_key_hashes: vec![key.hash()],
        read_secret: match &add.read_secret {
            Some(name) => allowed(Purpose::Read, name)?,
            None => prefixes.name_for(Purpose::Read, &add.id),
        },
        act_secret: add.act_secret.as_ref().map(|name| allowed(Purpose::Act, name)).transpose()?,
        active: !add.inactive,
    };
    // Before a person is asked to consent.
    match find(store, &tenant.id).await {
        Err(TenantsError::Unknown(_)) => {}
        Ok(tenant) => return Err(TenantsError::Exists(tenant.id)),
        Err(error) => return Err(error),
    }
    let mut shown = Shown::from(&tenant).with_secret_written(&add.sign_in, Purpose::Read, &tenant);
    if !add.dry_run {
        shown.checks = Box::pin(proven(&add, &tenant, account, output)).await?;
        if store.add_tenant(&tenant).await? == Changed::SomebodyWasQuicker {
            return Err(TenantsError::Exists(tenant.id));
        }
        shown.callback_url = Some(path_keys::callback_url(&base, &tenant.id, &key));
    }
    Ok(output.say(&shown, |shown| headed(add.dry_run, "added", shown))?)
}

/// What a new tenant's secrets are good for, if they are good enough. Its read secret is made before, where that is asked for.
async fn proven(
    add: &Add,
    tenant: &Tenant,
    account: &Account,
    output: &mut Output<impl Write>,
) -> Result<Vec<Finding>, TenantsError> {
    let (purpose, existing, anyway) = (Purpose::Read, Existing::StaysAsItIs, add.anyway);
    let mut purposes = vec![];
    let mut checks = vec![];
    if !add.sign_in.ask_for_something() {
        purposes.push(Purpose::Read);
        checks = doctor::tenant::kept(account, tenant, Purpose::Read).await;
    }
    if tenant.act_secret.is_some() {
        purposes.push(Purpose::Act);
        checks.extend(doctor::tenant::kept(account, tenant, Purpose::Act).await);
    }
    // Whatever is kept already, before anything is written.
    let checks = proof::judged(checks, &[], &purposes, anyway)?;
    if !add.sign_in.ask_for_something() {
        return Ok(checks);
    }
    let keeping = Keeping { account, tenant, before: tenant, purpose, existing, anyway };
    let made = keeping.keep(&add.sign_in, output).await?;
    Ok([made, checks].concat())
}

pub(super) async fn set(
    set: Set,
    store: &Store,
    account: &Account,
    output: &mut Output<impl Write>,
) -> Result<(), TenantsError> {
    let before = find(store, &set.id).await?;
    let prefixes = Prefixes::of_account(account)?;
    let (purpose, anyway) = (set.secret.unwrap_or(Purpose::Read), set.anyway);
    let mut tenant = before.clone();
    if let Some(name) = &set.name {
        tenant.display_name = text("--name", name)?;
    }
    if let Some(name) = &set.read_secret {
        tenant.read_secret = checked_name(&prefixes, Purpose::Read, name, anyway)?;
    }
    if let Some(name) = &set.act_secret {
        let named = if name.is_empty() { None } else { Some(name) };
        tenant.act_secret = named.map(|name| checked_name(&prefixes, Purpose::Act, name, anyway)).transpose()?;
    }
    if purpose == Purpose::Act && tenant.act_secret.is_none() {
        tenant.act_secret = Some(prefixes.name_for(purpose, &tenant.id));
    }
    tenant.cloud = set.cloud.unwrap_or(tenant.cloud);
    tenant.alert_source = set.alert_source.unwrap_or(tenant.alert_source);
    tenant.active = set.active.unwrap_or(tenant.active);
    let mut callback = None;
    if set.new_path_key {
        let key = path_keys::add(&mut tenant)?;
        callback = Some(path_keys::callback_url(&account.callback_base_url()?, &tenant.id, &key));
    }
    if let Some(which) = set.drop_path_key {
        path_keys::drop_one(which, &mut tenant, anyway, account, output).await?;
    }
    let mut shown = Shown::from(&tenant).with_secret_written(&set.sign_in, purpose, &tenant);
    if !set.dry_run {
        let has_new_read = set.sign_in.ask_for_something() && purpose == Purpose::Read;
        // With a new read secret it is tried when that is there, below.
        if tenant.alert_source != before.alert_source && !has_new_read {
            shown.checks = Box::pin(proof::of_source(account, &tenant, anyway)).await?;
        }
        if set.sign_in.ask_for_something() {
            let (tenant, before) = (&tenant, &before);
            let keeping = Keeping { account, tenant, before, purpose, existing: Existing::MayBeReplaced, anyway };
            shown.checks.extend(Box::pin(keeping.keep(&set.sign_in, output)).await?);
        }
        // Before the tenant is changed: after that a new path key has to be said, whatever else fails.
        for changed in Purpose::ALL {
            let is_written = changed == purpose && set.sign_in.ask_for_something();
            if is_written || changed.secret_of(&tenant) != changed.secret_of(&before) {
                store.forget_credential(&tenant.id, changed).await?;
            }
        }
        if tenant != before && store.replace_tenant(&before, &tenant).await? == Changed::SomebodyWasQuicker {
            return Err(TenantsError::SomebodyWasQuicker(tenant.id));
        }
        shown.callback_url = callback;
    }
    let advice = if before.alert_source == tenant.alert_source { "" } else { ANOTHER_SOURCE };
    Ok(output.say(&shown, |shown| headed(set.dry_run, "changed", shown) + advice)?)
}

pub(super) async fn remove(
    id: &TenantId,
    dry_run: bool,
    store: &Store,
    output: &mut Output<impl Write>,
) -> Result<(), TenantsError> {
    let seen = find(store, id).await?;
    if !dry_run {
        // Whoever is added under this id later has other secrets. First, so that what fails can be repeated.
        for purpose in Purpose::ALL {
            store.forget_credential(&seen.id, purpose).await?;
        }
        if store.remove_tenant(&seen).await? == Changed::SomebodyWasQuicker {
            return Err(TenantsError::SomebodyWasQuicker(seen.id));
        }
    }
    let shown = Shown::from(&seen);
    Ok(output.say(&shown, |shown| format!("{}\n\n{}", headed(dry_run, "removed", shown), what_stays(&seen)))?)
}

/// What a tenant leaves behind, and how to be rid of it.
fn what_stays(tenant: &Tenant) -> String {
    let names = Purpose::ALL.into_iter().filter_map(|purpose| purpose.secret_of(tenant));
    let secrets: Vec<_> =
        names.map(|name| format!("  aws secretsmanager delete-secret --secret-id {}", printable(name))).collect();
    format!(
        "What stays:\n\nIts secrets, until they are deleted:\n{}\n\nIts webhook registration, which Microsoft documents no way to take \
         back: Partner Center goes on calling, and is answered 404. Register another program's address in its place, or remove the \
         application in Partner Center (account settings, app management) and in Entra ID.",
        secrets.join("\n")
    )
}

/// The name of a secret, if functions may read it, or `anyway`.
fn checked_name(prefixes: &Prefixes, purpose: Purpose, name: &str, anyway: bool) -> Result<String, TenantsError> {
    let option = match purpose {
        Purpose::Read => "--read-secret",
        Purpose::Act => "--act-secret",
    };
    let name = text(option, name)?;
    if anyway || prefixes.allow(purpose, &name) {
        return Ok(name);
    }
    Err(TenantsError::Misnamed { purpose, name, prefix: prefixes.of(purpose).to_owned() })
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

/// A text that can stand in an item and on a terminal.
fn text(what: &'static str, text: &str) -> Result<String, TenantsError> {
    let fits = (1..=200).contains(&text.trim().chars().count()) && printable(text) == text;
    if fits { Ok(text.trim().to_owned()) } else { Err(TenantsError::Name(what)) }
}
