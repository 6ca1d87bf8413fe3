//! From stored lines to tables, and from tables to answers.
//!
//! Raw lines are the truth. What is made of them here is derived: it can be deleted and made again at any time.

pub mod table;
