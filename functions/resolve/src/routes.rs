//! Which request goes where. Who sends it is asked before anything else.

use api::{Answer, Kind, Problem, Request};
use messaging::AskForFollowUps;
use partner_center::Change;
use store::{Act, KeepOperations, KeepViews, ReadTenant, ReadWork};

use crate::{Resolve, microsoft::Set, told};

/// The routes, as API Gateway names them.
pub const ROUTES: [&str; 17] = [
    crate::subscriptions::ROUTES[0],
    crate::subscriptions::ROUTES[1],
    crate::subscriptions::ROUTES[2],
    crate::subscriptions::ROUTES[3],
    "POST /api/v1/alerts/resolve",
    "POST /api/v1/tenants/{tenant}/alerts/{alert}/assign",
    "POST /api/v1/tenants/{tenant}/alerts/{alert}/investigate",
    "POST /api/v1/tenants/{tenant}/alerts/{alert}/notes",
    "POST /api/v1/tenants/{tenant}/alerts/{alert}/reopen",
    "POST /api/v1/tenants/{tenant}/alerts/{alert}/resolve",
    "POST /api/v1/tenants/{tenant}/alerts/{alert}/snooze",
    "POST /api/v1/tenants/{tenant}/alerts/{alert}/unsnooze",
    "POST /api/v1/tenants/{tenant}/views",
    "POST /api/v1/tenants/{tenant}/views/{view}",
    "POST /api/v1/tenants/{tenant}/views/{view}/remove",
    "PUT /api/v1/tenants/{tenant}/views/{view}",
    "DELETE /api/v1/tenants/{tenant}/views/{view}",
];

impl<S, M, Q> Resolve<S, M, Q>
where
    S: Act + KeepOperations + KeepViews + ReadTenant + ReadWork + Sync,
    M: Set + Sync,
    Q: AskForFollowUps + Sync,
{
    /// Answers one request.
    pub async fn answer(&self, request: &Request) -> Answer {
        // The futures of acts are large.
        Box::pin(self.answered(request)).await.unwrap_or_else(|problem| told(&problem, request))
    }

    async fn answered(&self, request: &Request) -> Result<Answer, Problem> {
        let caller = self.gate.caller(request)?;
        let (method, path) = request.route.split_once(' ').unwrap_or_default();
        let path = path.strip_prefix(api::PREFIX).unwrap_or_default();
        match (method, path) {
            ("POST", "/alerts/resolve") => self.resolve_all(request, caller).await,
            ("POST", "/tenants/{tenant}/alerts/{alert}/assign") => self.assign(request, caller).await,
            ("POST", "/tenants/{tenant}/alerts/{alert}/investigate") => {
                self.change(request, caller, Change::Investigate).await
            }
            ("POST", "/tenants/{tenant}/alerts/{alert}/notes") => self.note(request, caller).await,
            ("POST", "/tenants/{tenant}/alerts/{alert}/reopen") => self.change(request, caller, Change::Reopen).await,
            ("POST", "/tenants/{tenant}/alerts/{alert}/resolve") => self.resolve(request, caller).await,
            ("POST", "/tenants/{tenant}/alerts/{alert}/snooze") => self.snooze(request, caller).await,
            ("POST", "/tenants/{tenant}/alerts/{alert}/unsnooze") => self.unsnooze(request, caller).await,
            ("POST", "/tenants/{tenant}/views") => self.save_view(request, caller).await,
            // No form sends PUT or DELETE.
            ("POST" | "PUT", "/tenants/{tenant}/views/{view}") => self.replace_view(request, caller).await,
            ("DELETE", "/tenants/{tenant}/views/{view}") | ("POST", "/tenants/{tenant}/views/{view}/remove") => {
                self.remove_view(request, caller).await
            }
            _ => Err(Kind::NotFound.into()),
        }
    }
}
