//! Names for display. Where they can't be read, ids have to do: no list waits for a name.

use std::collections::{BTreeSet, HashMap};

use futures_util::future::join_all;
use models::{NameId, TenantId};
use store::ReadNames;

/// The names that are kept of what some alerts are about, by tenant.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<(TenantId, NameId), String>);

impl Names {
    /// Reads these names, of all tenants side by side.
    pub(crate) async fn read(store: &impl ReadNames, wanted: HashMap<TenantId, BTreeSet<NameId>>) -> Self {
        let read = wanted.into_iter().filter(|(_, ids)| !ids.is_empty()).map(async |(tenant, ids)| {
            let names = store.names(&tenant, &ids).await.unwrap_or_else(|error| {
                let error = runtime::chain(&error);
                tracing::warn!(tenant.id = %tenant, error, "names can't be read: ids are shown without them");
                HashMap::new()
            });
            (tenant, names)
        });
        let mut all = HashMap::new();
        for (tenant, names) in join_all(read).await {
            let named = names.into_iter().filter_map(|(id, kept)| Some(((tenant.clone(), id), kept.name?)));
            all.extend(named);
        }
        Self(all)
    }

    /// A name, where one is kept.
    pub(crate) fn of(&self, tenant: &TenantId, id: NameId) -> Option<String> {
        self.0.get(&(tenant.clone(), id)).cloned()
    }
}
