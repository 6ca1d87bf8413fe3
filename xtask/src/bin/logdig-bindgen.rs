//! `logdig-bindgen bundler|web IN.wasm OUT_DIR NAME`: wasm-bindgen as a library.
//!
//! The library is pinned beside `wasm-bindgen` itself in the workspace, so the
//! two always match and no tool of the right version has to be installed.

use std::env;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("logdig-bindgen: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [target, input, out_dir, name] = args.as_slice() else {
        bail!("usage: logdig-bindgen bundler|web IN.wasm OUT_DIR NAME");
    };
    let mut bindgen = Bindgen::new();
    match target.as_str() {
        "bundler" => bindgen.bundler(true)?,
        "web" => bindgen.web(true)?,
        other => bail!("unknown target `{other}`: bundler or web"),
    };
    bindgen
        .input_path(input)
        .out_name(name)
        .typescript(false)
        // `init()` alone shall find the wasm beside it.
        .omit_default_module_path(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(out_dir)
        .with_context(|| format!("making the JavaScript side of {input}"))
}
