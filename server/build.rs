//! Puts the parts of the packed tracker into the program, compressed once, here, instead of at every request.

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

/// What a page may load; `src/http/tracker_file.rs` serves each.
const PARTS: [&str; 4] = ["logdig.js", "logdig.more.js", "logdig.vitals.js", "logdig.nowasm.js"];

fn main() {
    let dist = Path::new("../tracker/dist");
    // Watching a folder that is not there would run this at every build; its parent always is.
    let watched = if dist.exists() { dist } else { Path::new("../tracker") };
    println!("cargo:rerun-if-changed={}", watched.display());
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    for part in PARTS {
        embed(&dist.join(part), &out.join(part));
    }
}

/// Without the file all three forms are empty, which the program tells from a part.
fn embed(file: &Path, out: &Path) {
    let bytes = fs::read(file).unwrap_or_default();
    let (br, gz) = if bytes.is_empty() { (vec![], vec![]) } else { (brotli(&bytes), gzip(&bytes)) };
    for (extension, content) in [("js", bytes), ("js.br", br), ("js.gz", gz)] {
        fs::write(out.with_extension(extension), content).expect("cargo gives a folder to write to");
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
