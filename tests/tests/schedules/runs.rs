//! Runs of `poll`: how messages reach it, what holds it up, and what has to hold when one is over.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use models::{Queued, ReconcileCause};
use serde_json::json;
use simulator::{Fault, FaultKind};
use tests::queue_record;

use crate::{
    history::Sight,
    plan::{Happening, Held, HeldUp, Run, Who},
    script::Script,
    world::{IDS, TENANTS, TOLERANCE, World},
};

/// How long a lease runs and how far apart two runs start, as the stage's variables have it.
const LEASE: SignedDuration = SignedDuration::from_secs(150);
const GAP: SignedDuration = SignedDuration::from_secs(1);
/// Most requests that one run makes: to AWS, and to Microsoft. Far above what any schedule's handful of alerts takes.
const MOST_REQUESTS: (usize, u64) = (400, 150);
/// After what time a tick has been overtaken by the next.
const PERIOD: SignedDuration = SignedDuration::from_mins(5);

impl World<'_> {
    pub(crate) async fn run(&mut self, run: &Run) {
        self.wait(SignedDuration::from_secs(run.after.into()));
        self.hand_over(run.who, &message(run), run, Script::new(&run.troubles)).await;
    }

    /// Has each tenant's first complete run, which finds three alerts.
    pub(crate) async fn begin(&mut self) {
        for who in 0..self.sources.len() {
            for (alert, severity) in (0..).zip(["high", "high", "low"]) {
                self.happen(who, &Happening::Raised(alert, severity));
            }
            let run = Run { who, after: 2, callback: false, faults: Vec::new(), troubles: Vec::new() };
            self.run(&run).await;
        }
    }

    /// Hands a message to `poll`, and looks at what became of it.
    async fn hand_over(&mut self, who: Who, body: &str, run: &Run, script: Arc<Script>) {
        let can_run = self.can_run(who);
        let asked_before = self.asked_of_microsoft();
        self.set_faults(run);
        let done = script.play(self.poll.handle(invocation(body), None)).await.unwrap();
        self.stage.microsoft.clear_faults();
        self.account.settle();
        let requests = (script.requests(), self.asked_of_microsoft() - asked_before);
        let bounded = requests.0 <= MOST_REQUESTS.0 && requests.1 <= MOST_REQUESTS.1;
        self.expect(bounded, || format!("a run of tenant {who} made {requests:?} requests"));
        let failed = !done.batch_item_failures.is_empty();
        if failed {
            // SQS tries again.
            self.queue.push(body.to_owned());
        }
        // A message about names asks for no run, and a tick that the next one has overtaken for none any more.
        if !body.contains("\"names\"") && !self.is_overtaken(body) && can_run {
            self.look_at(who, run);
        }
        if run.is_undisturbed() {
            self.expect(!failed, || format!("an undisturbed message of tenant {who} failed"));
        }
    }

    /// What has to hold after a run that nobody kept from beginning.
    fn look_at(&mut self, who: Who, run: &Run) {
        if run.is_undisturbed() {
            self.expect(self.is_complete(who), || format!("an undisturbed run of tenant {who} is not complete"));
        }
        if run.troubles.is_empty() {
            self.expect(self.is_free(who), || format!("a run of tenant {who} has not given its lease back"));
        }
        // One that can't be read hides no other.
        let unreadable = run.faults.iter().filter(|fault| fault.kind == FaultKind::UnreadableAlert);
        let (kinds, most) = unreadable.fold((0, 0), |(kinds, most), fault| (kinds + 1, most + fault.times as usize));
        if run.troubles.is_empty() && run.faults.len() == kinds && !self.lagging {
            let unlike = self.unlike_microsoft(who);
            if unlike.len() > most {
                self.problems.extend(unlike);
            }
        }
    }

    /// Whether this is a tick that the next one has overtaken.
    fn is_overtaken(&self, body: &str) -> bool {
        let queued: Queued = serde_json::from_str(body).unwrap();
        queued.request.cause == ReconcileCause::Schedule && queued.is_older_than(PERIOD, self.now())
    }

    pub(crate) async fn hold_up(&mut self, held_up: &HeldUp) {
        let HeldUp { run, at, meanwhile, goes_on } = held_up;
        self.wait(SignedDuration::from_secs(run.after.into()));
        self.set_faults(run);
        if let Held::Microsoft { target, after } = *at {
            let silent = Fault::new(target, FaultKind::Silent).after(after).times(1).of(IDS[run.who]);
            self.stage.microsoft.set_fault(silent).unwrap();
        }
        let script = Script::held_up(&run.troubles, *at);
        let mut unanswered = self.stage.microsoft.unanswered();
        // In Lambda, runs at the same time are those of different instances.
        let poll = self.stage.instance(&self.parts);
        let mut first = Box::pin(script.play(async move { poll.handle(invocation(&message(run)), None).await }));
        let held_up = tokio::select! {
            biased;
            _ = &mut first => false,
            () = script.reached() => true,
            _ = unanswered.changed() => true,
        };
        self.stage.microsoft.clear_faults();
        if !held_up {
            return;
        }
        for step in meanwhile {
            Box::pin(self.play(step)).await;
        }
        if *goes_on && !matches!(at, Held::Microsoft { .. }) {
            script.release();
            first.await.unwrap();
        }
    }

    fn set_faults(&self, run: &Run) {
        for fault in &run.faults {
            let fault = Fault::new(fault.target, fault.kind).after(fault.after).times(fault.times).of(IDS[run.who]);
            self.stage.microsoft.set_fault(fault).unwrap();
        }
    }

    fn asked_of_microsoft(&self) -> u64 {
        let asked = self.stage.microsoft.requests();
        asked.fraud_events + asked.get + asked.list + asked.token
    }

    pub(crate) async fn deliver(&mut self, twice: bool) {
        for message in std::mem::take(&mut self.queue) {
            let Some(who) = (0..self.sources.len()).find(|who| message.contains(IDS[*who])) else { continue };
            let run = Run { who, after: 2, callback: false, faults: Vec::new(), troubles: Vec::new() };
            for _ in 0..=usize::from(twice) {
                self.wait(SignedDuration::from_secs(2));
                self.hand_over(who, &message, &run, Script::new(&[])).await;
            }
        }
    }

    /// Whether nothing stands in the way of a run: the tenant is on, and its lease is to be had.
    fn can_run(&self, who: Who) -> bool {
        let now = self.now();
        let Some(state) = self.account.item(TENANTS, IDS[who], "state") else { return self.active[who] };
        let moment = |name: &str| {
            let millis = state[name]["N"].as_str().map_or(0, |number| number.parse().unwrap());
            Timestamp::from_millisecond(millis).unwrap()
        };
        let (until, started) = (moment("lease_until"), moment("started"));
        let is_free = until <= now || until > now + LEASE + TOLERANCE;
        let is_time = started <= now - GAP || started > now + TOLERANCE;
        self.active[who] && is_free && is_time
    }

    /// Whether a run that has just ended was complete.
    fn is_complete(&self, who: Who) -> bool {
        let state = self.account.item(TENANTS, IDS[who], "state").unwrap_or_default();
        let success = state["last_success"]["S"].as_str().map(|text| text.parse::<Timestamp>().unwrap());
        success == Some(self.now())
    }

    /// Whether nobody has the lease.
    pub(crate) fn is_free(&self, who: Who) -> bool {
        self.account.item(TENANTS, IDS[who], "state").is_some_and(|state| state["lease_until"]["N"] == "0")
    }

    /// The alerts that Microsoft has and we have not, or not so, without a decision that is to be waited for.
    fn unlike_microsoft(&self, who: Who) -> Vec<String> {
        let there = self.stage.microsoft.alerts(IDS[who]).into_iter();
        let unlike = |alert: simulator::Alert| {
            let (key, there) = (self.key(who, &alert.id), Sight::at_microsoft(&alert));
            let kept = self.account.history(|history| history.alerts.get(&key)?.last().cloned());
            let is_right = kept.as_ref().is_some_and(|kept| match &kept.decision {
                Some(_) => kept.holds_against(&there, self.now()),
                None => kept.sight == there,
            });
            (!is_right).then(|| format!("(1) after a run {key} is {there:?}, and was kept as {kept:?}"))
        };
        there.filter_map(unlike).collect()
    }
}

fn message(run: &Run) -> String {
    let cause = if run.callback { json!({ "callback": { "event": "e".repeat(64) } }) } else { json!("schedule") };
    json!({ "tenant": IDS[run.who], "cause": cause }).to_string()
}

fn invocation(body: &str) -> poll::Invocation {
    serde_json::from_value(json!({ "Records": [queue_record("message", body)] })).unwrap()
}
