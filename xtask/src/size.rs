//! What the tracker weighs, beside what it weighed.

use std::fs;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::Format;
use crate::setup::{Need, setup};
use crate::tools::Workspace;
use crate::tracker::{self, Packed, Size};

/// Where the history of the sizes is kept, a row for each change that moved them.
const HISTORY: &str = "docs/SIZES.md";

/// Largest file a page may have to download for the tracker, in bytes, brotli.
pub const FILE_BROTLI_MAX: u64 = 8_000;

/// The last row of the history.
struct Row {
    what: String,
    sizes: Packed,
}

/// Builds the tracker and prints its sizes.
///
/// # Errors
/// When it does not build, or is over the budget.
pub fn size(workspace: &Workspace, format: Format) -> Result<()> {
    setup(workspace, &[Need::Build])?;
    let now = tracker::build(workspace)?;
    let last = last_row(workspace)?;
    match format {
        Format::Json => println!("{}", to_json(&now, last.as_ref())),
        Format::Text => print(&now, last.as_ref()),
    }
    check_budget(&now)
}

/// # Errors
/// When the packed tracker is over the budget.
pub fn check_budget(packed: &Packed) -> Result<()> {
    let brotli = packed.file.brotli;
    if brotli > FILE_BROTLI_MAX {
        bail!("the tracker is too large: {brotli} bytes brotli, {FILE_BROTLI_MAX} at most (`cargo xtask size`)");
    }
    Ok(())
}

fn last_row(workspace: &Workspace) -> Result<Option<Row>> {
    let file = workspace.root.join(HISTORY);
    if !file.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&file).with_context(|| format!("reading {HISTORY}"))?;
    Ok(text.lines().rev().find_map(Row::read))
}

impl Row {
    /// `| 2026-11-25 | First version | 3,381 / 1,796 / 1,639 | … | … |`: the wasm, the JavaScript, the file.
    fn read(line: &str) -> Option<Self> {
        let cells: Vec<&str> = line.trim().strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
        let [date, change, wasm, js, file] = cells.as_slice() else { return None };
        let sizes = Packed { wasm: read_cell(wasm)?, js: read_cell(js)?, file: read_cell(file)? };
        Some(Self { what: format!("{date}, {change}"), sizes })
    }
}

fn read_cell(cell: &str) -> Option<Size> {
    let mut numbers = cell.split('/').map(|number| number.trim().replace(',', "").parse().ok());
    Some(Size { raw: numbers.next()??, gzip: numbers.next()??, brotli: numbers.next()?? })
}

fn print(now: &Packed, last: Option<&Row>) {
    match last {
        Some(row) => println!("tracker, bytes (difference to {HISTORY}: {})\n", row.what),
        None => println!("tracker, bytes ({HISTORY} has no row yet)\n"),
    }
    println!("{:<12}{:>18}{:>18}{:>18}", "", "raw", "gzip", "brotli");
    let before = last.map(|row| &row.sizes);
    print_line("wasm", now.wasm, before.map(|sizes| sizes.wasm));
    print_line("JavaScript", now.js, before.map(|sizes| sizes.js));
    print_line("logdig.js", now.file, before.map(|sizes| sizes.file));
    println!("{:<12}{:>54}", "at most", with_commas(FILE_BROTLI_MAX));
    println!("\nrow for {HISTORY}:\n| DATE | CHANGE | {} | {} | {} |", cell(now.wasm), cell(now.js), cell(now.file));
}

fn print_line(name: &str, now: Size, before: Option<Size>) {
    let number = |of: fn(Size) -> u64| {
        let difference =
            before.map_or(String::new(), |before| match of(now).cast_signed() - of(before).cast_signed() {
                0 => " (=)".to_owned(),
                bytes => format!(" ({bytes:+})"),
            });
        with_commas(of(now)) + &difference
    };
    println!("{name:<12}{:>18}{:>18}{:>18}", number(|s| s.raw), number(|s| s.gzip), number(|s| s.brotli));
}

fn cell(size: Size) -> String {
    format!("{} / {} / {}", with_commas(size.raw), with_commas(size.gzip), with_commas(size.brotli))
}

/// 12345 -> `12,345`.
pub fn with_commas(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn to_json(now: &Packed, last: Option<&Row>) -> Value {
    let size = |size: Size| json!({"raw": size.raw, "gzip": size.gzip, "brotli": size.brotli});
    let packed = |sizes: &Packed| json!({"wasm": size(sizes.wasm), "js": size(sizes.js), "file": size(sizes.file)});
    let last = last.map(|row| json!({"what": row.what, "sizes": packed(&row.sizes)}));
    json!({"now": packed(now), "last": last, "file_brotli_max": FILE_BROTLI_MAX})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_row_of_the_history_and_no_other_line() {
        let row = Row::read(
            "| 2026-11-25 | First version | 3,381 / 1,796 / 1,639 | 2116 / 1081 / 968 | 7,618 / 3,270 / 2,708 |",
        );
        let row = row.expect("a row");
        assert_eq!(row.what, "2026-11-25, First version");
        assert_eq!((row.sizes.wasm.raw, row.sizes.js.gzip, row.sizes.file.brotli), (3381, 1081, 2708));
        for line in ["| date | change | wasm | JavaScript | logdig.js |", "| --- | --- | --- | --- | --- |", "text", ""]
        {
            assert!(Row::read(line).is_none(), "{line}");
        }
    }

    #[test]
    fn groups_digits_by_three() {
        let texts = [0, 12, 123, 1_234, 123_456, 1_234_567].map(with_commas);
        assert_eq!(texts, ["0", "12", "123", "1,234", "123,456", "1,234,567"]);
    }

    #[test]
    fn budget_holds_at_its_limit_and_not_one_past() {
        let packed = |brotli| {
            let size = Size { raw: 1, gzip: 1, brotli };
            Packed { wasm: size, js: size, file: size }
        };
        assert!(check_budget(&packed(FILE_BROTLI_MAX)).is_ok());
        assert!(check_budget(&packed(FILE_BROTLI_MAX + 1)).is_err());
    }
}
