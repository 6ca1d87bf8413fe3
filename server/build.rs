//! Puts the packed tracker into the program, compressed once, here, instead of at every request.

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

fn main() {
    let tracker = Path::new("../tracker/dist/logdig.js");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    // Watching a file that is not there would run this at every build; its folder's parent always is.
    let watched = if tracker.exists() { tracker } else { Path::new("../tracker") };
    println!("cargo:rerun-if-changed={}", watched.display());
    // Without the file all three are empty, which the program tells from a tracker.
    let bytes = fs::read(tracker).unwrap_or_default();
    let (br, gz) = if bytes.is_empty() { (vec![], vec![]) } else { (brotli(&bytes), gzip(&bytes)) };
    for (name, content) in [("logdig.js", &bytes), ("logdig.js.br", &br), ("logdig.js.gz", &gz)] {
        fs::write(out.join(name), content).expect("cargo gives a folder to write to");
    }
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::new();
    let best = brotli::enc::BrotliEncoderParams { quality: 11, size_hint: bytes.len(), ..Default::default() };
    brotli::BrotliCompress(&mut &bytes[..], &mut compressed, &best).expect("memory can be written to");
    compressed
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory can be written to")
}
