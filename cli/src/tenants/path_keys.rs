//! The path keys of a tenant: made, and dropped where nobody calls by them any more.

use std::io::Write;

use models::{PathKey, Purpose, Tenant, TenantId};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::{TenantsError, WhichKey};
use crate::{account::Account, output::Output};

/// A key that nobody guesses.
pub(super) fn new() -> Result<PathKey, TenantsError> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| TenantsError::Randomness)?;
    Ok(PathKey::from_bytes(bytes))
}

/// The callback address with this key.
pub(super) fn callback_url(base: &str, id: &TenantId, key: &PathKey) -> String {
    format!("{base}{id}/{}", key.expose())
}

/// Makes a second key, which is good beside the first.
pub(super) fn add(tenant: &mut Tenant) -> Result<PathKey, TenantsError> {
    if tenant.path_key_hashes.len() > 1 {
        return Err(TenantsError::TwoPathKeys(tenant.id.clone()));
    }
    let key = new()?;
    tenant.path_key_hashes.push(key.hash());
    Ok(key)
}

/// Drops one of two keys, unless Partner Center has it in the address that it calls. Where that can't be told, that is said.
pub(super) async fn drop_one(
    which: WhichKey,
    tenant: &mut Tenant,
    anyway: bool,
    account: &Account,
    output: &mut Output<impl Write>,
) -> Result<(), TenantsError> {
    let last = tenant.path_key_hashes.len().saturating_sub(1);
    if last == 0 {
        return Err(TenantsError::OnePathKey(tenant.id.clone()));
    }
    let place = match which {
        WhichKey::Oldest => 0,
        WhichKey::Newest => last,
    };
    if !anyway && is_registered(place, tenant, account, output).await? {
        return Err(TenantsError::PathKeyInUse);
    }
    tenant.path_key_hashes.remove(place);
    Ok(())
}

async fn is_registered(
    place: usize,
    tenant: &Tenant,
    account: &Account,
    output: &mut Output<impl Write>,
) -> Result<bool, TenantsError> {
    let base = format!("{}{}/", account.callback_base_url()?, tenant.id);
    let registration = match account.microsoft_for(Purpose::Read)?.registrations().registration(tenant).await {
        Ok(registration) => registration,
        Err(error) => {
            let words = "what is registered at Partner Center can't be seen, so the path key may be the one in use";
            output.ask(&format!("{words}: {}", runtime::chain(&error)))?;
            return Ok(false);
        }
    };
    let url = registration.map(|registration| registration.webhook_url).unwrap_or_default();
    let key = url.strip_prefix(&base).and_then(|key| key.parse::<PathKey>().ok());
    Ok(key.is_some_and(|key| tenant.path_key_hashes.get(place) == Some(&key.hash())))
}
