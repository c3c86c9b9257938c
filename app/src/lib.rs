//! What is seen and said: views, wire types and server functions, compiled for both sides.

pub mod catalog;
pub mod error;
pub mod live;
