//! The harness of the tests that hold LogDig to its promises to the outside.
//!
//! Everything is real here: [`Server`] runs the `logdig` program on a free
//! port over a folder of its own, [`Browser`] is Chromium, [`Site`] is a
//! customer's website on another port, which makes it another origin.
//! What a test expects comes from what it told these parts to do; what was
//! stored is read by [`sealed`] with code of its own, not with the server's.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`server`] | start, kill, restart and stop the real program |
//! | [`http`] | plain requests and answers, and raw bytes for malformed ones |
//! | [`sealed`] | the stored files: names, days and lines, checked while read |
//! | [`event`] | logs to send, as a tracker or a program would write them |
//! | [`browser`] | Chromium, driven through chromedriver |
//! | [`front`] | a proxy before the collector that fails as it is told to |
//! | [`s3`] | a real S3, over a folder |
//! | [`site`] | the pages in `tests/pages` with the tracker's script tag |
//! | [`load`] | posts that are repeated until they are acknowledged |
//! | [`pages`] | single answers, letter for letter, over http and https |
//! | [`parts`] | where real parts are that no package brings |
//! | [`process`] | children that never outlive their test |
//! | [`random`] | random moments and sizes that can be had again |
//! | [`sqs`] | a real SQS, a proxy before it that fails, and the batcher behind it |
//! | [`stage`] | the three of them together, as most browser tests want them |
//! | [`trace`] | system calls, as strace wrote them down |
//! | [`wait`] | waiting for a condition, with a deadline |

pub mod browser;
pub mod event;
pub mod front;
pub mod http;
pub mod load;
pub mod pages;
pub mod parts;
pub mod process;
pub mod random;
pub mod s3;
pub mod sealed;
pub mod server;
pub mod site;
pub mod sqs;
pub mod stage;
pub mod trace;
pub mod wait;

pub use browser::Browser;
pub use front::{Fault, Front};
pub use s3::S3;
pub use server::Server;
pub use site::Site;
pub use stage::Stage;
