//! What is done: catalogue, delivery, chat and conversion behind one `serve`.

pub mod catalog;
pub mod config;
pub mod error;
pub mod hls;
pub mod storage;
