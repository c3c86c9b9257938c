//! What is done: catalogue, delivery, chat and conversion behind one [`fn@serve`].

mod addresses;
pub mod cache;
pub mod catalog;
pub mod chat;
pub mod cli;
pub mod client_address;
pub mod clock;
pub mod config;
pub mod data_dir;
pub mod delivery;
pub mod doctor;
pub mod error;
pub mod hls;
pub mod http;
pub mod metrics;
pub mod posters;
mod probe;
pub mod rum;
pub mod serve;
pub mod sources;
pub mod storage;
pub mod tasks;
pub mod telemetry;
pub mod transcode;
pub mod transfer;
pub mod websocket;

pub use self::serve::{ServeError, serve};
