//! Running as a proxy: forwarding what clients ask to a cluster that this process is no member of.
//!
//! The node finds out who the members are and which of them answer, and publishes [`Routes`]; the
//! shell asks those what becomes of a request, and pipes the bodies, which never pass the node.
//!
//! ```text
//!   source ──▶ peer URLs ──GET /members──▶ client URLs ──▶ Routes ──▶ requests
//!     ▲            │ nobody answers                ▲                     │
//!     └────────────┘                               └── failed, for a while
//! ```

mod endpoints;
mod forward;
mod machine;
mod members;
mod record;
mod routes;
mod source;

pub use forward::{FORWARDED_FOR, forwarded_for, may_ask_another, passes_on};
pub(crate) use machine::Proxy;
pub use routes::{Decision, Routes};
