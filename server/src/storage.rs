//! Where bytes live.

pub mod disk;
