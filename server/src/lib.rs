//! The LogDig server: collector, spool, batches, command line
