//! The part of LogDig that runs in the page
