//! The errors that a page shows and a server function answers.

use serde::{Deserialize, Serialize};

/// What may go wrong between the page and the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum AppError {
    /// The asked channel is not in the list.
    #[error("there is no such channel")]
    NotFound,
    /// An argument was not of its form; the text says which.
    #[error("{0}")]
    BadRequest(String),
    /// The server cannot answer now.
    #[error("the list cannot be read now")]
    Unavailable,
    /// The call did not arrive or its answer could not be read.
    #[error("the server did not answer: {0}")]
    Transport(String),
}
