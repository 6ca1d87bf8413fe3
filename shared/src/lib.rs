//! The log types that the tracker and the collector both compile against
