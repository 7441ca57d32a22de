//! Saved views: the way to each that the caller sees, and forms to save the one that is shown, and to change and remove one's own. The forms go to the
//! API's own routes. What was saved is data: it is read as any query is, and its address is made anew of what was read.

use api::Problem;
use futures_util::future::try_join_all;
use identity::Permission;
use maud::{Markup, html};
use models::{Person, Tenant};
use pages::theirs;
use store::{KeptViews, MOST_LISTED_TENANTS};

use super::view::View;
use crate::{
    Asked, Dashboard, ReadSealingKeys, Reads,
    routes::{alert::is_shown, of_store},
};

/// A view that names nothing can't be kept: this is what it shows.
const FIRST_VIEW: &str = "state=open";

/// The views that somebody sees.
pub(super) struct Saved<'a> {
    views: Vec<(&'a Tenant, models::View)>,
    unreadable: usize,
    /// Of how many tenants none are read, since each costs a request.
    left_out: usize,
    person: Option<Person>,
}

impl<S: Reads, K: ReadSealingKeys + Sync> Dashboard<S, K> {
    /// The views of these tenants that the caller sees, those of the chosen ones first.
    pub(super) async fn saved<'a>(
        &self,
        asked: Asked<'_>,
        chosen: &[&'a Tenant],
        tenants: &'a [Tenant],
    ) -> Result<Saved<'a>, Problem> {
        let others = tenants.iter().filter(|tenant| !chosen.iter().any(|it| it.id == tenant.id));
        let of: Vec<&Tenant> = chosen.iter().copied().chain(others).take(MOST_LISTED_TENANTS).collect();
        let left_out = tenants.len().saturating_sub(of.len());
        let kept = try_join_all(of.iter().map(|tenant| self.store.views(&tenant.id))).await.map_err(of_store)?;
        let mut saved = Saved { views: Vec::new(), unreadable: 0, left_out, person: asked.person() };
        for (tenant, KeptViews { views, unreadable }) in of.into_iter().zip(kept) {
            let shown = views.into_iter().filter(|view| is_shown(view, saved.person.as_ref()));
            saved.views.extend(shown.map(|view| (tenant, view)));
            saved.unreadable += unreadable;
        }
        saved.views.sort_by(|(_, one), (_, other)| one.name.as_str().cmp(other.name.as_str()));
        Ok(saved)
    }
}

impl Saved<'_> {
    /// The ways to them, and the forms.
    pub(super) fn panel(&self, asked: Asked<'_>, view: &View, chosen: &[&Tenant]) -> Markup {
        let forms = Forms { asked, view };
        let may_save = |tenant: &&&Tenant| self.person.is_some() && asked.may_save(tenant);
        let to_save: Vec<_> = chosen.iter().filter(may_save).take(MOST_LISTED_TENANTS).copied().collect();
        let own: Vec<_> =
            self.views.iter().filter(|(tenant, view)| self.is_own(view) && asked.may_save(tenant)).collect();
        html! {
            @if !self.views.is_empty() {
                nav class="tools" aria-label="Saved views" { @for (_, saved) in &self.views { (link(saved, view)) } }
            }
            @if self.unreadable > 0 { p class="panel notice" { (self.unreadable) " saved views can't be read, and are missing here." } }
            @if !to_save.is_empty() || !own.is_empty() {
                details class="panel" {
                    summary { "Save this view, or change yours" }
                    @if !to_save.is_empty() { (forms.save(&to_save)) }
                    @for (tenant, saved) in own { (forms.change(tenant, saved)) }
                    @if self.left_out > 0 { p class="dim small" { "Views of " (self.left_out) " more tenants show where one of these is chosen." } }
                }
            }
        }
    }

    fn is_own(&self, view: &models::View) -> bool {
        self.person.as_ref().is_some_and(|person| view.owner.is(person))
    }
}

impl Asked<'_> {
    fn may_save(&self, tenant: &Tenant) -> bool {
        self.caller.access().may(Permission::Resolve, &tenant.id)
    }
}

/// The way to a view. One of another release may be of what this one does not know: it is named, and leads nowhere.
fn link(saved: &models::View, shown: &View) -> Markup {
    let (name, view) = (theirs(saved.name.as_str()), View::of_kept(saved.query.as_str()));
    html! {
        @if let Some(view) = view { a class="button" href=(view.address()) aria-current=[(view == *shown).then_some("page")] { (name) } }
        @else { span class="dim" { (name) " (can't be shown here)" } }
    }
}

/// What forms are made of.
#[derive(Clone, Copy)]
struct Forms<'a> {
    asked: Asked<'a>,
    view: &'a View,
}

impl Forms<'_> {
    /// The view that is shown, as it is kept.
    fn query(self) -> String {
        let query = self.view.with("cursor", "").query();
        if query.is_empty() { FIRST_VIEW.to_owned() } else { query }
    }

    /// Saves what is shown, in one of these tenants.
    fn save(self, tenants: &[&Tenant]) -> Markup {
        html! {
            form method="post" class="filters" action=[tenants.first().map(|tenant| address(tenant))] {
                (self.hidden("view"))
                input type="hidden" name="query" value=(self.query());
                (name_field("Name for this view", ""))
                (shared_field(false))
                @for tenant in tenants {
                    button formaction=(address(tenant)) { "Save" @if tenants.len() > 1 { " in " (theirs(&tenant.display_name)) } }
                }
            }
        }
    }

    /// Changes or removes one's own.
    fn change(self, tenant: &Tenant, saved: &models::View) -> Markup {
        let (name, place) = (saved.name.as_str(), format!("{}/{}", address(tenant), saved.id));
        html! {
            details {
                summary { "Change " (theirs(name)) " " span class="dim small" { (theirs(&tenant.display_name)) } }
                form method="post" class="filters" action=(place) {
                    (self.hidden(saved.id.as_str()))
                    input type="hidden" name="revision" value=(saved.revision);
                    (name_field("Name", name))
                    (shared_field(saved.is_shared))
                    // As it was kept, so that another name changes nothing else of it.
                    button name="query" value=(saved.query.as_str()) { "Save" }
                    button name="query" value=(self.query()) { "Save as what is shown now" }
                }
                form method="post" action=(format!("{place}/remove")) {
                    (self.hidden(&format!("{}-remove", saved.id)))
                    input type="hidden" name="revision" value=(saved.revision);
                    button class="danger" { "Remove " (theirs(name)) }
                }
            }
        }
    }

    /// What every form has: the way back, and a key by which it counts once.
    fn hidden(self, what: &str) -> Markup {
        html! {
            input type="hidden" name="return" value=(self.view.address());
            input type="hidden" name="idempotency-key" value=(format!("{}-{what}", self.asked.request.id));
        }
    }
}

fn address(tenant: &Tenant) -> String {
    format!("{}/tenants/{}/views", api::PREFIX, tenant.id)
}

fn name_field(words: &str, name: &str) -> Markup {
    html! { label { (words) input type="text" name="name" value=(name) maxlength="100" required; } }
}

fn shared_field(is_shared: bool) -> Markup {
    html! {
        label { "Who sees it"
            select name="shared" {
                option value="" selected[!is_shared] { "I alone" }
                option value="true" selected[is_shared] { "Everybody of the tenant" }
            }
        }
    }
}
