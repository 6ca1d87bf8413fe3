//! A small shop that shows the path of every log
