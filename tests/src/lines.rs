//! The log lines of a test, as the functions write them on Lambda.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use crate::secrets::assert_no_secret;

/// What was written while this lives: by this thread, which is all of a test on a runtime of one thread.
#[derive(Debug)]
pub struct Lines {
    written: Written,
    _guard: DefaultGuard,
}

impl Lines {
    /// Captures what is logged at this level of `LOG_LEVEL`, in place of writing it.
    ///
    /// # Panics
    ///
    /// Where this is no level.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test that can't be set up has to fail loudly")]
    pub fn capture(level: &str) -> Self {
        let written = Written::default();
        let level = level.parse().expect("a level of tracing");
        let subscriber = runtime::log_subscriber(level, written.clone());
        Self { written, _guard: tracing::subscriber::set_default(subscriber) }
    }

    /// The text since the last time this was asked.
    ///
    /// # Panics
    ///
    /// Where a secret stands in it.
    #[must_use]
    pub fn take(&self) -> String {
        let mut bytes = self.written.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&std::mem::take(&mut *bytes)).into_owned();
        assert_no_secret(&text);
        text
    }

    /// The lines since the last time, without their time.
    ///
    /// # Panics
    ///
    /// Where a line is not a JSON object with a time.
    #[must_use]
    pub fn take_values(&self) -> Vec<Value> {
        let timeless = |line: &str| {
            let mut value: Value = serde_json::from_str(line).unwrap_or_default();
            let time = value.as_object_mut().and_then(|members| members.remove("timestamp"));
            assert!(time.is_some_and(|time| time.is_string()), "not a log line: {line}");
            value
        };
        self.take().lines().map(timeless).collect()
    }
}

#[derive(Clone, Debug, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Written {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
