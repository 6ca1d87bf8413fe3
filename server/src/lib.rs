//! The LogDig server: collector, spool, batches, command line

pub mod batch;
pub mod check;
pub mod clock;
pub mod data_dir;
pub mod queue;
pub mod stored_line;
