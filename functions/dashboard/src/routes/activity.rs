//! What was done: `GET /api/v1/tenants/{tenant}/activity` and `GET /api/v1/tenants/{tenant}/alerts/{alert}/activity`.

use std::collections::BTreeSet;

use api::{Answer, Kind, Problem};
use jiff::Timestamp;
use models::{
    ActivityLine, AlertId, Chain, Happened, KeptLine, Operation, OperationId, TenantId, history, on_their_way,
};
use store::ActivityPosition;

use super::{filters::moment, found, of_store, refused};
use crate::{
    Asked, Dashboard, ReadSealingKeys, Reads,
    places::List,
    shapes::activity::{ActivityPage, HappenedShown},
};

/// Lines of a page: below 4 kB each, and so far below the 6 MB that Lambda answers with.
const LINES: i32 = 200;
/// Most lines behind the first page that are compared with what Microsoft recorded.
const MOST_LINES: usize = 1_800;
/// Most operations on their way that are looked at: each is a read, and more of one alert at once are hardly met.
const MOST_ON_THEIR_WAY: usize = 10;

impl<S: Reads, K: ReadSealingKeys + Sync> Dashboard<S, K> {
    /// What happened to an alert, the oldest first: what was done here, and what Microsoft recorded besides.
    ///
    /// Up to 200 lines of our own a page. Microsoft's entries stand on the first.
    pub(crate) async fn activity_of_alert(&self, asked: Asked<'_>) -> Result<Answer, Problem> {
        let tenant = asked.tenant()?;
        let query = asked.request.query(&["cursor"])?;
        let id: AlertId = asked.request.parameter("alert")?;
        let chain = Chain { tenant: tenant.clone(), alert: Some(id.clone()) };
        let places = List { name: "activity", filters: &chain };
        let behind: u64 = self.places.open(places, query.get("cursor"), asked).await?.unwrap_or(0);
        let at_work = self.store.at_work(&tenant, &id).await.map_err(of_store)?.ok_or(Kind::NotFound)?;
        let kept = self.store.lines(&chain, behind, LINES).await.map_err(of_store)?;
        let last = kept.last().and_then(|line| line.number);
        let last = last.filter(|_| i32::try_from(kept.len()).is_ok_and(|lines| lines >= LINES));
        let next = self.places.seal(places, last.as_ref(), asked).await?;
        let entries = if behind == 0 {
            let more = self.lines_behind(&chain, last).await?;
            let all: Vec<_> = kept.iter().chain(&more).filter_map(|line| line.read().ok()).collect();
            let untold = self.untold(&tenant, &id, &all).await?;
            merged(&kept, all, &untold, &at_work.stored.known.alert)
        } else {
            kept.iter().map(HappenedShown::line).collect()
        };
        Ok(found(&ActivityPage { entries, next }))
    }

    /// The lines behind the first page: what Microsoft recorded of theirs is not to be shown twice either.
    async fn lines_behind(&self, chain: &Chain, last: Option<u64>) -> Result<Vec<KeptLine>, Problem> {
        let (mut more, mut behind) = (Vec::new(), last);
        while let Some(number) = behind.filter(|_| more.len() < MOST_LINES) {
            let page = self.store.lines(chain, number, LINES).await.map_err(of_store)?;
            behind = page.last().and_then(|line| line.number);
            more.extend(page);
        }
        Ok(more)
    }

    /// The operations on their way of which Microsoft is known not to be told yet: what it recorded is not theirs.
    async fn untold(
        &self,
        tenant: &TenantId,
        alert: &AlertId,
        lines: &[ActivityLine],
    ) -> Result<BTreeSet<OperationId>, Problem> {
        let mut untold = BTreeSet::new();
        for id in on_their_way(lines).into_iter().take(MOST_ON_THEIR_WAY) {
            // What came of it may be known by now, in a line that was not read.
            let is_untold = |it: &Operation| it.left().any(|left| left == alert) && !it.may_be_told(alert);
            let operation = self.readable(tenant, id).await?;
            untold.extend(operation.filter(is_untold).map(|operation| operation.id));
        }
        Ok(untold)
    }

    /// What was done in a tenant, about alerts and about the tenant itself, the latest first.
    ///
    /// Up to 200 lines a page, of the time from `since` until before `until`.
    pub(crate) async fn activity_of_tenant(&self, asked: Asked<'_>) -> Result<Answer, Problem> {
        let tenant = asked.tenant()?;
        let mut query = asked.request.query(&["cursor", "since", "until"])?;
        let cursor = query.remove("cursor");
        let moment = |name| query.get(name).map(|text| moment(name, text)).transpose();
        let since = moment("since")?.unwrap_or(Timestamp::UNIX_EPOCH);
        let until = moment("until")?.unwrap_or(Timestamp::MAX);
        if since > until {
            return Err(refused("since", "it is behind \"until\""));
        }
        let filters = (&tenant, &query);
        let places = List { name: "activity of a tenant", filters: &filters };
        let from: Option<ActivityPosition> = self.places.open(places, cursor.as_ref(), asked).await?;
        let page = self.store.lines_of_tenant(&tenant, since, until, from, LINES).await.map_err(of_store)?;
        if page.lines.is_empty() {
            self.is_there(&tenant).await?;
        }
        let next = self.places.seal(places, page.next.as_ref(), asked).await?;
        Ok(found(&ActivityPage { entries: page.lines.iter().map(HappenedShown::line).collect(), next }))
    }
}

/// Our lines and Microsoft's entries in one order; what can't be read stands at the end.
fn merged(
    kept: &[KeptLine],
    all: Vec<ActivityLine>,
    untold: &BTreeSet<OperationId>,
    alert: &models::Alert,
) -> Vec<HappenedShown> {
    let shown = kept.iter().filter(|line| line.read().is_ok()).count();
    let lines = all[..shown].to_vec();
    let is_told = |line: &ActivityLine| line.entry.operation.as_ref().is_none_or(|id| !untold.contains(id));
    let accounting: Vec<_> = all.into_iter().filter(is_told).collect();
    let unreadable = kept.iter().filter(|line| line.read().is_err());
    let happened = history(&lines, &accounting, alert);
    let happened = happened.iter().map(|happened: &Happened<'_>| HappenedShown::from(happened));
    happened.chain(unreadable.map(HappenedShown::line)).collect()
}
