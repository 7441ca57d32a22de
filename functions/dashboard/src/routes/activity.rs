//! What was done: `GET /api/v1/tenants/{tenant}/activity` and `GET /api/v1/tenants/{tenant}/alerts/{alert}/activity`.

use std::collections::BTreeSet;

use api::{Answer, Kind, Problem};
use jiff::Timestamp;
use models::{
    ActivityEntry, ActivityLine, AlertId, Chain, Happened, KeptLine, Operation, OperationId, TenantId, history,
    on_their_way,
};
use store::{ActivityPosition, AlertAtWork};

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
        let (entries, last) = if behind == 0 {
            let (told, last) = self.history_of(&tenant, &at_work).await?;
            (told.iter().map(HappenedShown::from).collect(), last)
        } else {
            let (kept, last) = self.lines_of(&chain, behind).await?;
            (kept.iter().map(HappenedShown::line).collect(), last)
        };
        let next = self.places.seal(places, last.as_ref(), asked).await?;
        Ok(found(&ActivityPage { entries, next }))
    }

    /// A page of the lines of an alert, and the last one where there may be more.
    async fn lines_of(&self, chain: &Chain, behind: u64) -> Result<(Vec<KeptLine>, Option<u64>), Problem> {
        let kept = self.store.lines(chain, behind, LINES).await.map_err(of_store)?;
        let last = kept.last().and_then(|line| line.number);
        let last = last.filter(|_| i32::try_from(kept.len()).is_ok_and(|lines| lines >= LINES));
        Ok((kept, last))
    }

    /// What happened to an alert, here and at Microsoft, as far as the first page of lines goes; and the last of those where there may be more.
    pub(crate) async fn history_of(
        &self,
        tenant: &TenantId,
        at_work: &AlertAtWork,
    ) -> Result<(Vec<Told>, Option<u64>), Problem> {
        let alert = &at_work.stored.known.alert;
        let chain = Chain { tenant: tenant.clone(), alert: Some(alert.id.clone()) };
        let (kept, last) = self.lines_of(&chain, 0).await?;
        let more = self.lines_behind(&chain, last).await?;
        let all: Vec<_> = kept.iter().chain(&more).filter_map(|line| line.read().ok()).collect();
        let untold = self.untold(tenant, &alert.id, &all).await?;
        Ok((merged(&kept, all, &untold, alert), last))
    }

    /// The same with all lines that are read for it, and whether there are more. What can't be read stands at the end.
    pub(crate) async fn whole_history_of(
        &self,
        tenant: &TenantId,
        at_work: &AlertAtWork,
    ) -> Result<(Vec<Told>, bool), Problem> {
        let alert = &at_work.stored.known.alert;
        let chain = Chain { tenant: tenant.clone(), alert: Some(alert.id.clone()) };
        let (mut kept, last) = self.lines_of(&chain, 0).await?;
        kept.extend(self.lines_behind(&chain, last).await?);
        let all: Vec<_> = kept.iter().filter_map(|line| line.read().ok()).collect();
        let untold = self.untold(tenant, &alert.id, &all).await?;
        let more = kept.len() >= MOST_LINES;
        Ok((merged(&kept, all, &untold, alert), more))
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

/// One thing that happened to an alert.
#[derive(Debug)]
pub(crate) enum Told {
    /// Microsoft recorded it, and nobody did it here.
    AtMicrosoft(ActivityEntry),
    /// It was done here.
    Here(Box<ActivityLine>),
    /// A line that this release can't read.
    Unreadable {
        /// Its number in its chain.
        number: Option<u64>,
    },
}

/// Our lines and Microsoft's entries in one order; what can't be read stands at the end.
fn merged(
    kept: &[KeptLine],
    all: Vec<ActivityLine>,
    untold: &BTreeSet<OperationId>,
    alert: &models::Alert,
) -> Vec<Told> {
    let shown = kept.iter().filter(|line| line.read().is_ok()).count();
    let lines = all[..shown].to_vec();
    let is_told = |line: &ActivityLine| line.entry.operation.as_ref().is_none_or(|id| !untold.contains(id));
    let accounting: Vec<_> = all.into_iter().filter(is_told).collect();
    let unreadable = kept.iter().filter(|line| line.read().is_err());
    let told = history(&lines, &accounting, alert).into_iter().map(|happened| match happened {
        Happened::AtMicrosoft(entry) => Told::AtMicrosoft(entry.clone()),
        Happened::Here(line) => Told::Here(Box::new(line.clone())),
    });
    told.chain(unreadable.map(|line| Told::Unreadable { number: line.number })).collect()
}
