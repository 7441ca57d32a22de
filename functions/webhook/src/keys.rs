//! Which tenant a path belongs to. Hashes of the keys are kept for a minute and read at most once a minute, whatever comes; at
//! most once a second where they could never be read.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use models::{PathKey, TenantId};
use store::{ReadTenants, StoreError};
use tokio::sync::Mutex;

/// How soon the keys are asked for again where they could never be read.
const FIRST_READ_PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// Why we can't tell whose path it is.
#[derive(Debug)]
pub(crate) enum KeysError {
    /// They could not be read a moment ago.
    Awaited,
    /// They can't be read.
    NotRead(StoreError),
}

#[derive(Debug)]
pub(crate) struct PathKeys {
    refresh: SignedDuration,
    // Held while the keys are read, so that any number of waiting requests make one query.
    kept: Mutex<KeptKeys>,
}

#[derive(Debug, Default)]
struct KeptKeys {
    /// When the keys were last asked for, successfully or not.
    asked: Option<Timestamp>,
    /// Tenants and hashes of their keys.
    read: Option<HashSet<(TenantId, [u8; 32])>>,
}

impl PathKeys {
    pub(crate) fn new(refresh: SignedDuration) -> Self {
        Self { refresh, kept: Mutex::default() }
    }

    /// The active tenant at whose address `path` is, if there is one.
    ///
    /// Comparing hashes of the key in a set tells a stranger nothing by its timing: he would have to invert SHA-256.
    pub(crate) async fn tenant_of(
        &self,
        path: &str,
        tenants: &impl ReadTenants,
        now: Timestamp,
    ) -> Result<Option<TenantId>, KeysError> {
        let Some(claimed) = parse(path) else { return Ok(None) };
        let mut kept = self.kept.lock().await;
        // Without any keys there is nothing to go by, so they are asked for sooner; but not by every stranger's request.
        let pause = if kept.read.is_some() { self.refresh } else { FIRST_READ_PAUSE };
        let due = kept.asked.is_none_or(|asked| now.duration_since(asked).abs() >= pause);
        if !due && kept.read.is_none() {
            return Err(KeysError::Awaited);
        }
        if due {
            kept.asked = Some(now);
            if let Err(error) = kept.read_again(tenants).await {
                if kept.read.is_none() {
                    return Err(KeysError::NotRead(error));
                }
                // The keys of before are better than none: they were right a minute ago.
                let error = runtime::chain(&error);
                tracing::error!(error, "path keys could not be read again; those of before are used");
            }
        }
        let known = kept.read.as_ref().is_some_and(|keys| keys.contains(&claimed));
        Ok(known.then_some(claimed.0))
    }
}

impl KeptKeys {
    async fn read_again(&mut self, tenants: &impl ReadTenants) -> Result<(), StoreError> {
        let active = tenants.tenants().await?.into_iter().filter(|tenant| tenant.active);
        let keys = active.flat_map(|tenant| {
            let id = tenant.id;
            tenant.path_key_hashes.into_iter().map(move |hash| (id.clone(), hash.bytes()))
        });
        self.read = Some(keys.collect());
        Ok(())
    }
}

/// Tenant and hash of the key of `/callbacks/{tenant}/{key}`, behind at most one segment for the stage.
fn parse(path: &str) -> Option<(TenantId, [u8; 32])> {
    let mut segments = path.strip_prefix('/')?.rsplit('/');
    let key = segments.next()?;
    let tenant = segments.next()?.parse().ok()?;
    let route = segments.next()?;
    let _stage = segments.next();
    let is_ours = route == "callbacks" && segments.next().is_none();
    // Last, since it is the dearest.
    is_ours.then(|| Some((tenant, PathKey::sha256_of(key).ok()?)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_route_a_tenant_and_a_key() {
        let key = "0123456789abcdef".repeat(4);
        let tenant = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10";
        for good in [format!("/callbacks/{tenant}/{key}"), format!("/prod/callbacks/{tenant}/{key}")] {
            assert!(parse(&good).is_some(), "{good}");
        }
        for bad in [
            format!("/callbacks/{tenant}/{key}/"),
            format!("/callbacks/{tenant}/{}", &key[1..]),
            format!("/callbacks/{tenant}/{}", key.to_uppercase()),
            format!("/callbacks/{tenant}x/{key}"),
            format!("/a/b/callbacks/{tenant}/{key}"),
            format!("/other/{tenant}/{key}"),
            format!("callbacks/{tenant}/{key}"),
            format!("/callbacks//{tenant}/{key}"),
            format!("/callbacks/{tenant}/{key}%00"),
            String::new(),
        ] {
            assert!(parse(&bad).is_none(), "{bad}");
        }
    }
}
