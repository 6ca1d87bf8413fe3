//! From stored lines to tables, and from tables to answers. So far: what the tables are.
//!
//! Raw lines are the truth. What is made of them is derived: it can be deleted and made again at any time.

pub mod table;
