//! What every route of the API has in common: how a request is read, who may ask for what, and how is answered.
//!
//! Promises: a request is read strictly (what comes twice, or is not known, is a problem and never a choice), and whoever is not known, or may not, gets
//! no further: a [`Caller`](identity::Caller) comes from what `authorize` says alone, and another tenant is answered as one that isn't there. An
//! answer never holds words of a request, nor what went wrong inside. Leaves to others: what a route does (`resolve`, `dashboard`).
//!
//! | module | what it holds |
//! |---|---|
//! | `request` | a request as API Gateway hands it over (payload 2.0) |
//! | `form` | the same from a form of our own pages |
//! | `access` | who asks, and whether they may |
//! | `problem` | all that can be wrong, by type (RFC 9457) |
//! | `answer` | answers, with the headers that each has |
//! | `wire` | how they go over the wire |
//! | `cursor` | the place of a list, which leaves us and has to come back as it was |
//! | `operation` | operations, and what came of them, as they are shown |
//! | `document` | what the `OpenAPI` document says of every route |

mod access;
mod answer;
mod cursor;
pub mod document;
mod form;
pub mod operation;
mod problem;
mod request;
mod wire;

pub use access::Gate;
pub use answer::{Answer, for_gateway, json, nothing, of_problem, text};
pub use cursor::{CURSOR_LIFETIME, Cursors};
pub use form::Form;
pub use problem::{Kind, Problem};
pub use request::{MOST_BODY_BYTES, Request, caller};
pub use wire::{on_the_wire, packed_for_gateway};

/// What the path of every route begins with.
pub const PREFIX: &str = "/api/v1";
