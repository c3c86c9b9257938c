//! What is done: catalogue, delivery, chat and conversion behind one `serve`.

pub mod catalog;
pub mod chat;
pub mod config;
pub mod error;
pub mod forwarded;
pub mod live;
