//! Microsoft, asked for one alert: looked at first, then told.
//!
//! The look is by the credential that acts. What it shows may lag behind, so it decides one thing alone: that somebody resolved there what is open as we
//! know it, otherwise than is wished. What stands there as it is wished is set all the same, since that may be what stood there before. Between look and
//! change somebody may be quicker all the same: where Microsoft refuses for that it is looked at once more, and where it doesn't, what it was told last counts
//! (`docs/decisions/0035-an-act-and-the-version-that-was-seen.md`).

use models::{Alert, AlertState, Known, MicrosoftRefusal, Standing, Tenant};
use partner_center::{
    CREDENTIAL_UNUSABLE, Change, Diagnosis, LookAtAlerts, MicrosoftError, NOT_POSSIBLE_AT_SOURCE, Refusal, SetStatus,
    SetStatusError, Sight,
};
use uuid::Uuid;

/// Both sides of Microsoft.
#[derive(Clone, Debug)]
pub struct Microsoft<A, L> {
    /// What sets where alerts stand.
    pub act: A,
    /// What shows them.
    pub look: L,
}

/// What came of a wish.
#[derive(Debug)]
pub enum Outcome {
    /// It stands so, and not by this wish.
    AlreadySo,
    /// Nobody knows whether it is done: it is to be asked again.
    Later(SetStatusError),
    /// Microsoft was not told: it could not be looked at, or has turned the call away for now.
    NotTold(SetStatusError),
    /// It was told before, or may have been, and something newer counts by now: where it stands.
    Overlapped(Standing),
    /// Microsoft refused it, for good.
    Refused(MicrosoftRefusal),
    /// Somebody was quicker there.
    Superseded(Standing),
    /// Microsoft has it, or says so.
    Taken,
}

/// Sets where alerts stand, unless somebody else has.
pub trait Set {
    /// Looks at an alert before Microsoft is told of it: what came of the wish, where it is not to be told.
    fn look(&self, tenant: &Tenant, known: &Known, wish: Change) -> impl Future<Output = Option<Outcome>> + Send;

    /// Has an alert that was looked at stand as is wished, under this id of the request.
    fn set(&self, tenant: &Tenant, known: &Known, wish: Change, request: Uuid) -> impl Future<Output = Outcome> + Send;
}

impl<A: SetStatus + Sync, L: LookAtAlerts + Sync> Set for Microsoft<A, L> {
    async fn look(&self, tenant: &Tenant, known: &Known, wish: Change) -> Option<Outcome> {
        match self.look.look_at(tenant, &known.alert).await {
            Ok(Sight::There(alert)) if is_overtaken(known, &alert, wish) => {
                Some(Outcome::Superseded(Standing::of(&alert)))
            }
            // What the look can't tell, the answer does: to ask may work where to look does not.
            Ok(Sight::There(_) | Sight::Gone | Sight::NoWayToAsk | Sight::Unreadable(_)) => None,
            Err(error) => Some(not_told(error.into())),
        }
    }

    async fn set(&self, tenant: &Tenant, known: &Known, wish: Change, request: Uuid) -> Outcome {
        match self.act.set(tenant, &known.alert, wish, request).await {
            Ok(_) => Outcome::Taken,
            Err(error) if error.refusal() == Some(Refusal::ChangedMeanwhile) => {
                Box::pin(self.quicker(tenant, known, wish, error)).await
            }
            Err(error) => refused(error),
        }
    }
}

fn refused(error: SetStatusError) -> Outcome {
    match refusal_of(&error) {
        // An attempt before the one that was refused may have been taken.
        Some(refusal) if attempts(&error) > 1 => Outcome::Refused(refusal.of_a_later_call()),
        Some(refusal) => Outcome::Refused(refusal),
        None if is_turned_away(&error) => Outcome::NotTold(error),
        None => Outcome::Later(error),
    }
}

fn not_told(error: SetStatusError) -> Outcome {
    refusal_of(&error).map_or(Outcome::NotTold(error), Outcome::Refused)
}

/// Whether a call was turned away at its only attempt, since there were too many: then nothing was done.
fn is_turned_away(error: &SetStatusError) -> bool {
    matches!(error, SetStatusError::Microsoft(MicrosoftError::Refused { status: 429, attempts: 1, .. }))
}

/// How often Microsoft was told before it refused.
fn attempts(error: &SetStatusError) -> u32 {
    match error {
        SetStatusError::Microsoft(error) => error.attempts(),
        SetStatusError::Impossible(_) => 0,
    }
}

impl<A: Sync, L: LookAtAlerts + Sync> Microsoft<A, L> {
    /// What somebody made of an alert who was quicker at Microsoft, which refused for that: it is looked at again.
    async fn quicker(&self, tenant: &Tenant, known: &Known, wish: Change, error: SetStatusError) -> Outcome {
        match self.look.look_at(tenant, &known.alert).await {
            // Of several attempts the first may have been taken, and the last refused for that.
            Ok(Sight::There(alert)) if wish.is_seen_in(&alert) && attempts(&error) > 1 => Outcome::Taken,
            Ok(Sight::There(alert)) if wish.is_seen_in(&alert) => Outcome::AlreadySo,
            Ok(Sight::There(alert)) if Standing::of(&alert) != Standing::of(&known.alert) => {
                Outcome::Superseded(Standing::of(&alert))
            }
            Ok(Sight::There(_) | Sight::Gone | Sight::NoWayToAsk | Sight::Unreadable(_)) => refused(error),
            Err(error) => Outcome::Later(error.into()),
        }
    }
}

/// Whether Microsoft shows that somebody else resolved an alert which nobody here has.
fn is_overtaken(known: &Known, shown: &Alert, wish: Change) -> bool {
    let is_news = known.decision.is_none() && known.alert.state() == AlertState::Open;
    is_news && shown.state() == AlertState::Resolved && !wish.is_seen_in(shown)
}

/// What is refused for good. None where another try may go another way.
fn refusal_of(error: &SetStatusError) -> Option<MicrosoftRefusal> {
    let meaning = match error {
        SetStatusError::Impossible(_) => Some(NOT_POSSIBLE_AT_SOURCE),
        SetStatusError::Microsoft(MicrosoftError::Credential { .. }) => Some(CREDENTIAL_UNUSABLE),
        SetStatusError::Microsoft(microsoft) => {
            error.refusal().map(Refusal::code).or_else(|| microsoft.diagnosis().map(Diagnosis::code))
        }
    };
    let refused = match error {
        SetStatusError::Impossible(_) => MicrosoftRefusal::new(NOT_POSSIBLE_AT_SOURCE, None, None),
        SetStatusError::Microsoft(error) => of_microsoft(error)?,
    };
    Some(refused.meaning(meaning))
}

fn of_microsoft(error: &MicrosoftError) -> Option<MicrosoftRefusal> {
    match error {
        MicrosoftError::AppOnly { source, .. } => of_microsoft(source),
        MicrosoftError::Credential { source, .. } if !source.may_pass() => {
            Some(MicrosoftRefusal::new(CREDENTIAL_UNUSABLE, None, None))
        }
        // 408 and 429 pass, and so does what stands in front of Microsoft's services.
        MicrosoftError::Refused { status: 400..=407 | 409..=428 | 430..=499, code, ids, .. } if error.has_code() => {
            let (request, correlation) = ids.request_and_correlation();
            Some(MicrosoftRefusal::new(code, request, correlation))
        }
        _ => None,
    }
}
