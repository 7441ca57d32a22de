//! Every route of the code that is for somebody who is known, tried through the gateway and `authorize` with what is no credential for it, and with a
//! session that somebody else's page sends along. A new route is tried without anybody thinking of it.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

mod credentials;
mod origins;
mod support;
