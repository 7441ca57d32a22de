//! What is heard from Microsoft while a piece of work goes on, for whoever has to tell of it when a call no longer can.
//!
//! A call that is given up leaves nothing behind, and who reads an answer has not seen its headers. Work that is done [`during`] keeps
//! both: why a call that goes on had to be tried again, and what Microsoft calls the last answer. Promises nothing of work that is handed
//! to another task. Leaves to others: what is told of it, and to make one call after the other. Calls that are joined in one task must not
//! be heard: each would be told by the answer to whichever ended last. Nothing does so; whoever begins to gives each a `Heard` of its own.
//!
//! [`during`]: Heard::during

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{MicrosoftError, SupportIds};

tokio::task_local! {
    static HEARD: Heard;
}

/// What was heard last.
#[derive(Clone, Debug, Default)]
pub struct Heard(Arc<Mutex<Last>>);

#[derive(Debug, Default)]
struct Last {
    answer: Option<SupportIds>,
    failure: Option<MicrosoftError>,
}

impl Heard {
    /// Does this work, and hears what its calls hear.
    pub async fn during<F: Future>(&self, work: F) -> F::Output {
        HEARD.scope(self.clone(), work).await
    }

    /// How the last attempt failed of a call that has not ended. None where all have: then they have said it themselves.
    #[must_use]
    pub fn take_failure(&self) -> Option<MicrosoftError> {
        self.change(|last| last.failure.take())
    }

    fn change<T>(&self, change: impl FnOnce(&mut Last) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A call begins: what was heard before is of others.
pub(crate) fn begin() {
    note(|last| *last = Last::default());
}

/// An attempt of a call failed, and another follows.
pub(crate) fn failed(error: MicrosoftError) {
    note(|last| last.failure = Some(error));
}

/// A call ends, with an answer that has these ids, or with none.
pub(crate) fn end(answer: Option<SupportIds>) {
    note(|last| *last = Last { answer, failure: None });
}

/// What Microsoft calls the last answer. None where nobody listens.
pub(crate) fn last_answer() -> Option<SupportIds> {
    HEARD.try_with(|heard| heard.change(|last| last.answer.clone())).ok().flatten()
}

fn note(change: impl FnOnce(&mut Last)) {
    // Where nobody listens, nobody is told.
    let _ = HEARD.try_with(|heard| heard.change(change));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure() -> MicrosoftError {
        MicrosoftError::BadAnswer { call: "a call", tenant: "a tenant".to_owned(), problem: "cut".to_owned() }
    }

    #[tokio::test]
    async fn a_failure_is_heard_until_its_call_ends_and_an_answer_until_the_next_call_begins() {
        let heard = Heard::default();
        let ids = SupportIds::default();
        heard
            .during(async {
                begin();
                failed(failure());
                assert!(heard.take_failure().is_some(), "given up while it waits");
                failed(failure());
                end(Some(ids.clone()));
                assert!(heard.take_failure().is_none(), "it was got over");
                assert_eq!(last_answer(), Some(ids));
                begin();
                assert_eq!(last_answer(), None, "of another call");
                failed(failure());
                end(None);
                assert!(heard.take_failure().is_none(), "said by the call itself");
            })
            .await;
        failed(failure());
        assert!(heard.take_failure().is_none(), "nobody listens");
        assert_eq!(last_answer(), None);
    }
}
