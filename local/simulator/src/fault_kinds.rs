//! What can go wrong, and where each kind of it happens.

use serde::Deserialize;

use crate::targets::Target;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// List, `fraudEvents`: the page begins with the last alert of the page before, as if another had come in ahead of it.
    AlertListedTwice,
    /// List, `fraudEvents`: the page begins one alert late, as if one of an earlier page had gone.
    AlertSkipped,
    /// Any: an error of somebody's, who names no request: the service, or something in front of it.
    Answer {
        /// 400 to 599.
        status: u16,
        /// In whose words.
        body: ErrorBody,
        /// What it says about coming back.
        retry_after: RetryAfter,
    },
    /// Certificate, issuer: 200 with a web page.
    CertificateHtml,
    /// Certificate, issuer: 404.
    CertificateMissing,
    /// Certificate, issuer: 200 with two mebibytes.
    CertificateOversize,
    /// Certificate, issuer: 302 to another path, where the certificate really is.
    CertificateRedirect,
    /// Entra ID, Partner Center: refused for a reason that a person has to mend.
    Denied(Denial),
    /// List: no alerts, but a next link that leads to those left out. `fraudEvents`: no events.
    EmptyPage,
    /// List, `fraudEvents`: behind the last page comes the first again, by links that are new each time.
    EndlessPages,
    /// List: 400 for whoever comes with a next link; a first page is as ever.
    ExpiredNextLink,
    /// Graph, Partner Center: 401; the token that was shown is worth nothing from then on.
    ExpiredToken,
    /// Any: a server error without a body that could be read.
    Fail {
        /// 500 to 599.
        status: u16,
    },
    /// Discovery: endpoints on a host that isn't Entra ID's.
    ForeignEndpoints,
    /// List: a next link to a host that isn't Graph's.
    ForeignNextLink,
    /// Any: the connection ends before the answer begins.
    HangUp,
    /// The update of fraudEvents: 400 for the reason `Legitimate`, which one page does not list.
    LegitimateRefused,
    /// List: a next link to the very page that it is on.
    LoopingNextLink,
    /// List, `fraudEvents`: one alert whose status is a number and whose detection date is none.
    MalformedAlert,
    /// Graph: 403, as users report it of application tokens. Partner Center: 401 with 900421.
    MissingMfa,
    /// `fraudEvents`: the old model, whole, whatever was asked for.
    NewModelIgnored,
    /// `fraudEvents`, list and update: 400 for whoever asks for the new model.
    NewModelRefused,
    /// Token: an access token alone, as for an application that asked for no more.
    NoRefreshToken,
    /// List: a next link without TLS.
    PlainNextLink,
    /// Updates of alerts: somebody else resolves the alert as legitimate just before, and the update is applied on top.
    ResolvedBetween,
    /// Any with a body: the connection ends in the middle of it.
    Reset,
    /// Any: no answer, for as long as somebody waits for one.
    Silent,
    /// Any: the answer, but late.
    Slow {
        /// How late.
        milliseconds: u64,
    },
    /// Updates of alerts: applied, but answered with the state of before, as Microsoft's page shows it.
    StaleAnswer,
    /// Any: 429.
    Throttle {
        /// What the answer says about coming back.
        retry_after: RetryAfter,
    },
    /// Any with JSON: 200 with the first half of it.
    Truncated,
    /// List, `fraudEvents`: one alert none of whose dates is one.
    UnreadableAlert,
    /// Discovery, token: the issuer of a tenant that nobody has.
    WrongIssuer,
    /// Token: an id token that was made for another sign-in.
    WrongNonce,
}

impl FaultKind {
    pub(crate) fn happens_at(self, target: Target) -> bool {
        let service = target.is_graph() || target.is_partner_center();
        match self {
            // The way back to the application is an address and has no body that could be spoilt.
            Self::Reset => target != Target::Authorize,
            Self::Truncated => target != Target::Authorize && !target.is_download(),
            Self::Answer { .. }
            | Self::Fail { .. }
            | Self::HangUp
            | Self::Silent
            | Self::Slow { .. }
            | Self::Throttle { .. } => true,
            Self::Denied(denial) => denial.fits(target),
            Self::ExpiredToken | Self::MissingMfa => service,
            Self::ForeignEndpoints => target == Target::Discovery,
            Self::WrongIssuer => matches!(target, Target::Discovery | Target::Token),
            Self::NoRefreshToken | Self::WrongNonce => target == Target::Token,
            Self::ExpiredNextLink | Self::ForeignNextLink | Self::LoopingNextLink | Self::PlainNextLink => {
                target == Target::List
            }
            Self::AlertListedTwice
            | Self::AlertSkipped
            | Self::EmptyPage
            | Self::EndlessPages
            | Self::MalformedAlert
            | Self::UnreadableAlert => matches!(target, Target::FraudEvents | Target::List),
            Self::LegitimateRefused => target == Target::FraudEventStatus,
            Self::NewModelIgnored => target == Target::FraudEvents,
            Self::NewModelRefused => matches!(target, Target::FraudEvents | Target::FraudEventStatus),
            Self::ResolvedBetween | Self::StaleAnswer => matches!(target, Target::FraudEventStatus | Target::Patch),
            Self::CertificateHtml
            | Self::CertificateMissing
            | Self::CertificateOversize
            | Self::CertificateRedirect => target.is_download(),
        }
    }

    /// A status that this kind of answer can't have.
    pub(crate) fn wrong_status(self) -> Option<u16> {
        match self {
            Self::Answer { status, .. } if !(400..600).contains(&status) => Some(status),
            Self::Fail { status } if !(500..600).contains(&status) => Some(status),
            _ => None,
        }
    }
}

/// What a person has to mend before Microsoft serves again.
///
/// What follows from the request itself needs no fault: a wrong or expired secret, a token of another audience, a
/// person without a role or without multi-factor authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// Partner Center: this resource takes no application tokens.
    AppOnly,
    /// Partner Center: nobody registered the application in its App Management.
    ApplicationUnregistered,
    /// Entra ID: there is no such application in the tenant.
    ApplicationUnknown,
    /// Entra ID, Partner Center: blocked by a policy of Conditional Access.
    ConditionalAccess,
    /// Token endpoint: nobody consented to the application.
    ConsentMissing,
    /// Token endpoint: the password was changed, or the grant was revoked.
    GrantRevoked,
    /// Partner Center: the person's role lacks the right.
    RoleMissing,
    /// Partner Center: the token is for a service that was retired.
    WrongAudience,
    /// Entra ID: the tenant lives in another cloud.
    WrongCloud,
}

impl Denial {
    const fn fits(self, target: Target) -> bool {
        let entra = matches!(target, Target::Authorize | Target::DeviceCode | Target::Token);
        match self {
            Self::ApplicationUnknown | Self::WrongCloud => entra,
            Self::ConditionalAccess => matches!(target, Target::Token) || target.is_partner_center(),
            Self::ConsentMissing | Self::GrantRevoked => matches!(target, Target::Token),
            Self::AppOnly | Self::ApplicationUnregistered | Self::RoleMissing | Self::WrongAudience => {
                target.is_partner_center()
            }
        }
    }
}

/// In whose words an error is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ErrorBody {
    /// Nobody's: there is no body.
    Empty,
    /// Those of the gateway that throttles calls of Partner Center: `statusCode` and `message`.
    Gateway,
    /// Graph's: a code and a message in an `error`.
    Graph,
    /// Those of something in front of the service: a web page.
    Html,
    /// Partner Center's: a `code` that is a number, and a `description`.
    PartnerCenter,
}

/// The header `Retry-After` of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// There is none.
    Absent,
    /// A date, that many seconds from now, which is HTTP's other form.
    Date(u32),
    /// Neither a number nor a date.
    Garbage,
    /// Seconds to wait.
    Seconds(u64),
}
