//! What may happen in a schedule, and how a random one is made.
//!
//! A schedule is data: it comes from a seed, is printed where it fails, and shrinks by leaving steps out and making numbers smaller.

use std::fmt;

use models::AlertSource;
use proptest::{collection::vec, prelude::*, sample::select};
use simulator::{Denial, ErrorBody, FaultKind, RetryAfter, Target};

/// Most tenants of a schedule.
pub(crate) const TENANTS: usize = 2;
/// Most alerts that a schedule names; bursts add more.
const ALERTS: u8 = 6;
/// Most steps of a schedule.
const STEPS: usize = 11;

/// A whole schedule.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    /// Where each tenant's alerts come from.
    pub(crate) sources: Vec<AlertSource>,
    /// Whether each tenant's first complete run lies behind it, which found three alerts: what follows is news then, and told.
    pub(crate) is_begun: bool,
    /// What happens, in order.
    pub(crate) steps: Vec<Step>,
}

impl fmt::Display for Schedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "tenants: {:?}, begun: {}", self.sources, self.is_begun)?;
        self.steps.iter().enumerate().try_for_each(|(place, step)| writeln!(formatter, "{place:>3}. {step:?}"))
    }
}

/// A tenant by its place.
pub(crate) type Who = usize;

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Something changes at Microsoft.
    AtMicrosoft(Who, Happening),
    /// A message asks for a run, and Lambda hands it over at once.
    Run(Run),
    /// A run is held up at one of its requests while other things happen.
    HeldUp(HeldUp),
    /// Somebody decides about an alert here.
    Decide(Decide),
    /// The schedule ticks, with trouble at these requests to AWS.
    Tick(Vec<Trouble>),
    /// The oldest messages of the queue are handed over, each once or twice.
    Deliver { twice: bool },
    /// The queue loses its messages.
    Lose,
    /// What was written is streamed: once, twice, or not at all.
    Stream { times: u8, troubles: Vec<Trouble> },
    /// What the stream left is swept.
    Sweep(Vec<Trouble>),
    /// Time passes.
    Wait { minutes: u16 },
    /// Our clock is off by so many minutes from now on.
    ClockOff { minutes: i8 },
    /// A tenant is switched on or off.
    Switch(Who, bool),
}

/// A change at Microsoft. Alerts are named by numbers; one that is not there is raised, and one that is there already stays.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    BackDated(u8, u16),
    Burst(u8),
    CameBack(u8),
    /// Its severity is another, and so many requests don't see it yet.
    Late(u8, u32, &'static str),
    MadeTest(u8, bool),
    Raised(u8, &'static str),
    RaisedResolved(u8),
    Renamed(u8),
    Reopened(u8),
    Resolved(u8, &'static str),
    SeenAgain(u8),
    SeverityIs(u8, &'static str),
    Vanished(u8),
}

/// A decision about an alert, with trouble at these of its requests to AWS. Nobody decides about one that is not kept.
#[derive(Clone, Debug)]
pub(crate) struct Decide {
    pub(crate) who: Who,
    pub(crate) alert: u8,
    /// Why it is resolved; without a reason it is opened again.
    pub(crate) why: Option<&'static str>,
    pub(crate) taken: Taken,
    pub(crate) troubles: Vec<Trouble>,
}

/// When Microsoft takes a decision, seen from when it is written here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    After,
    Before,
    Never,
}

/// A run of a tenant.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) who: Who,
    /// Seconds since what was before it.
    pub(crate) after: u16,
    /// Whether a callback rang for it; otherwise the schedule did.
    pub(crate) callback: bool,
    pub(crate) faults: Vec<MicrosoftFault>,
    pub(crate) troubles: Vec<Trouble>,
}

impl Run {
    pub(crate) fn is_undisturbed(&self) -> bool {
        self.faults.is_empty() && self.troubles.is_empty()
    }
}

/// A run that is held up.
#[derive(Clone, Debug)]
pub(crate) struct HeldUp {
    pub(crate) run: Run,
    pub(crate) at: Held,
    /// What happens meanwhile.
    pub(crate) meanwhile: Vec<Step>,
    /// Whether it goes on afterwards; otherwise it was cut off, as is always one that Microsoft leaves waiting.
    pub(crate) goes_on: bool,
}

/// Where a run is held up.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Held {
    /// At this one of its requests to AWS, from 0. Where that is done already, only its answer is held up.
    Aws { request: usize, done: bool },
    /// At its first transaction, which is most often the one that writes alerts.
    Write { done: bool },
    /// At a request to Microsoft that gets no answer, after so many that get one.
    Microsoft { target: Target, after: u32 },
}

/// A fault of Microsoft's, for so many requests of one tenant, after so many that go well.
#[derive(Clone, Debug)]
pub(crate) struct MicrosoftFault {
    pub(crate) target: Target,
    pub(crate) kind: FaultKind,
    pub(crate) after: u32,
    pub(crate) times: u32,
}

/// Trouble with one request to AWS: which one of a run, from 0, and what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trouble {
    pub(crate) at: usize,
    pub(crate) kind: TroubleKind,
}

/// What goes wrong with a request to AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TroubleKind {
    /// It collides with another transaction, and is not done.
    Conflict,
    /// It is done when everybody has given it up: after this step.
    Late,
    /// It is done, and the answer lost.
    Lost,
    /// Some of what was asked for is not answered.
    Partial,
    /// The service fails.
    Refused,
    /// It is not done: too many requests.
    Throttled,
    /// It is done, the answer lost, and the SDK sends it once more.
    Twice,
    /// It is not done: nothing was reached.
    Unreached,
}

/// Any schedule.
pub(crate) fn schedules() -> impl Strategy<Value = Schedule> {
    let source = select(&AlertSource::ALL[..]);
    vec(source, 1..=TENANTS).prop_flat_map(|sources| {
        let steps = vec(step(sources.clone()), 3..STEPS);
        (select(vec![true, true, true, false]), steps).prop_map(move |(is_begun, steps)| Schedule {
            sources: sources.clone(),
            is_begun,
            steps,
        })
    })
}

fn step(sources: Vec<AlertSource>) -> impl Strategy<Value = Step> {
    let tenants = sources.len();
    let troubled = || vec(trouble(8), 0..2);
    prop_oneof![
        8 => (0..tenants, happening()).prop_map(|(who, happening)| Step::AtMicrosoft(who, happening)),
        3 => run(sources.clone(), false).prop_map(Step::Run),
        4 => run(sources.clone(), true).prop_map(Step::Run),
        3 => held_up(sources).prop_map(Step::HeldUp),
        3 => decide(tenants).prop_map(Step::Decide),
        1 => troubled().prop_map(Step::Tick),
        1 => any::<bool>().prop_map(|twice| Step::Deliver { twice }),
        1 => Just(Step::Lose),
        3 => (0..3_u8, vec(trouble(4), 0..2)).prop_map(|(times, troubles)| Step::Stream { times, troubles }),
        1 => troubled().prop_map(Step::Sweep),
        1 => select(vec![2_u16, 14, 60, 26 * 60]).prop_map(|minutes| Step::Wait { minutes }),
        1 => (-30..=30_i8).prop_map(|minutes| Step::ClockOff { minutes }),
        1 => (0..tenants, any::<bool>()).prop_map(|(who, active)| Step::Switch(who, active)),
    ]
}

fn decide(tenants: usize) -> impl Strategy<Value = Decide> {
    let why = select(vec![Some("fraud"), Some("legitimate"), Some("ignore"), None]);
    let taken = select(vec![Taken::After, Taken::Before, Taken::Never, Taken::Never]);
    (0..tenants, 0..ALERTS / 2, why, taken, vec(trouble(2), 0..2))
        .prop_map(|(who, alert, why, taken, troubles)| Decide { who, alert, why, taken, troubles })
}

fn happening() -> impl Strategy<Value = Happening> {
    let severity = || select(vec!["low", "medium", "high", "high", "extreme", "informational"]);
    prop_oneof![
        4 => (0..ALERTS, severity()).prop_map(|(alert, severity)| Happening::Raised(alert, severity)),
        1 => (0..ALERTS).prop_map(Happening::RaisedResolved),
        1 => (1..8_u8).prop_map(Happening::Burst),
        3 => (0..ALERTS, select(vec!["fraud", "legitimate", "ignore"])).prop_map(|(alert, why)| Happening::Resolved(alert, why)),
        2 => (0..ALERTS).prop_map(Happening::Reopened),
        3 => (0..ALERTS, severity()).prop_map(|(alert, severity)| Happening::SeverityIs(alert, severity)),
        1 => (0..ALERTS, 1..5_000_u16).prop_map(|(alert, minutes)| Happening::BackDated(alert, minutes)),
        1 => (0..ALERTS, any::<bool>()).prop_map(|(alert, test)| Happening::MadeTest(alert, test)),
        1 => (0..ALERTS).prop_map(Happening::Renamed),
        1 => (0..ALERTS).prop_map(Happening::SeenAgain),
        1 => (0..ALERTS).prop_map(Happening::Vanished),
        1 => (0..ALERTS).prop_map(Happening::CameBack),
        1 => (0..ALERTS, 1..3_u32, severity()).prop_map(|(alert, requests, severity)| Happening::Late(alert, requests, severity)),
    ]
}

fn run(sources: Vec<AlertSource>, disturbed: bool) -> impl Strategy<Value = Run> {
    let most = if disturbed { 3 } else { 1 };
    (0..sources.len(), select(vec![0_u16, 1, 20, 61, 200]), any::<bool>()).prop_flat_map(
        move |(who, after, callback)| {
            let faults = vec(microsoft_fault(sources[who]), 0..most);
            let troubles = vec(trouble(14), 0..most);
            (faults, troubles).prop_map(move |(faults, troubles)| Run { who, after, callback, faults, troubles })
        },
    )
}

fn held_up(sources: Vec<AlertSource>) -> impl Strategy<Value = HeldUp> {
    let tenants = sources.len();
    let meanwhile = prop_oneof![
        2 => (0..tenants, happening()).prop_map(|(who, happening)| Step::AtMicrosoft(who, happening)),
        3 => run(sources.clone(), false).prop_map(Step::Run),
        1 => run(sources.clone(), true).prop_map(Step::Run),
        3 => decide(tenants).prop_map(Step::Decide),
        1 => Just(Step::Wait { minutes: 3 }),
        1 => Just(Step::Stream { times: 1, troubles: Vec::new() }),
    ];
    let targets = vec![Target::FraudEvents, Target::Get, Target::List, Target::Token];
    let at = prop_oneof![
        3 => (0..14_usize, any::<bool>()).prop_map(|(request, done)| Held::Aws { request, done }),
        2 => any::<bool>().prop_map(|done| Held::Write { done }),
        1 => (select(targets), 0..3_u32).prop_map(|(target, after)| Held::Microsoft { target, after }),
    ];
    let disturbed = any::<bool>().prop_flat_map(move |disturbed| run(sources.clone(), disturbed));
    (disturbed, at, vec(meanwhile, 0..4), any::<bool>()).prop_map(|(run, at, meanwhile, goes_on)| HeldUp {
        run,
        at,
        meanwhile,
        goes_on,
    })
}

fn trouble(most: usize) -> impl Strategy<Value = Trouble> {
    use TroubleKind::{Conflict, Late, Lost, Partial, Refused, Throttled, Twice, Unreached};
    let kinds = vec![Conflict, Late, Lost, Partial, Refused, Throttled, Twice, Unreached];
    (0..most, select(kinds)).prop_map(|(at, kind)| Trouble { at, kind })
}

fn microsoft_fault(source: AlertSource) -> impl Strategy<Value = MicrosoftFault> {
    use RetryAfter::{Absent, Date, Garbage, Seconds};
    let mut anywhere = vec![
        FaultKind::Fail { status: 500 },
        FaultKind::Fail { status: 503 },
        FaultKind::HangUp,
        FaultKind::Reset,
        FaultKind::Truncated,
    ];
    let pauses = [Absent, Date(0), Garbage, Seconds(0), Seconds(7_200)];
    anywhere.extend(pauses.map(|retry_after| FaultKind::Throttle { retry_after }));
    let bodies = [ErrorBody::Empty, ErrorBody::Gateway, ErrorBody::Graph, ErrorBody::Html, ErrorBody::PartnerCenter];
    anywhere.extend(bodies.map(|body| FaultKind::Answer { status: 429, body, retry_after: Absent }));
    anywhere.push(FaultKind::Answer { status: 403, body: ErrorBody::Graph, retry_after: Absent });

    let mut listing = anywhere.clone();
    listing.extend([
        FaultKind::AlertListedTwice,
        FaultKind::AlertSkipped,
        FaultKind::EndlessPages,
        FaultKind::ExpiredToken,
        FaultKind::MalformedAlert,
        FaultKind::MissingMfa,
        FaultKind::UnreadableAlert,
        FaultKind::UnreadableAlert,
    ]);
    let target = match source {
        AlertSource::FraudEvents => {
            listing.extend([FaultKind::NewModelIgnored, FaultKind::NewModelRefused]);
            listing.push(FaultKind::Denied(Denial::RoleMissing));
            Target::FraudEvents
        }
        AlertSource::Graph => {
            listing.extend([FaultKind::EmptyPage, FaultKind::EmptyPage, FaultKind::ForeignNextLink]);
            listing.extend([FaultKind::ExpiredNextLink, FaultKind::LoopingNextLink, FaultKind::PlainNextLink]);
            Target::List
        }
    };
    let mut signing_in = anywhere;
    signing_in.extend([FaultKind::Denied(Denial::ConsentMissing), FaultKind::NoRefreshToken]);
    let of = |target: Target, kinds: Vec<FaultKind>| {
        let faults = (select(kinds), 0..5_u32, 1..5_u32);
        faults.prop_map(move |(kind, after, times)| MicrosoftFault { target, kind, after, times })
    };
    prop_oneof![5 => of(target, listing), 1 => of(Target::Token, signing_in)]
}
