//! Where sealed batches of logs are kept
