//! Promises to the outside, kept by tests
