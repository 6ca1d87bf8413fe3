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

/// What has a column in the history.
const N_COLUMNS: usize = 6;

type Sizes = [Size; N_COLUMNS];

/// What something may weigh.
struct Budget {
    name: &'static str,
    bytes: u64,
    bytes_max: u64,
    /// What we would like; nothing fails above it.
    bytes_goal: u64,
}

/// The last row of the history.
struct Row {
    what: String,
    sizes: Sizes,
}

/// Builds the tracker and prints its sizes.
///
/// # Errors
/// When it does not build, or is over a budget.
pub fn size(workspace: &Workspace, format: Format) -> Result<()> {
    setup(workspace, &[Need::Build])?;
    let now = tracker::build(workspace)?;
    let budgets = budgets(&now);
    let last = last_row(workspace)?;
    match format {
        Format::Json => println!("{}", to_json(&now, &budgets, last.as_ref())),
        Format::Text => print(&now, &budgets, last.as_ref()),
    }
    budgets.iter().try_for_each(Budget::check)
}

/// # Errors
/// When something is over its budget.
pub fn check_budgets(packed: &Packed) -> Result<()> {
    budgets(packed).iter().try_for_each(Budget::check)
}

/// In bytes, brotli. The inline snippet has its own, where it is made (`server/src/tags.rs`).
fn budgets(packed: &Packed) -> [Budget; 3] {
    let budget = |name, size: Size, bytes_max, bytes_goal| Budget { name, bytes: size.brotli, bytes_max, bytes_goal };
    [
        budget("logdig.js", packed.script(), 8_000, 6_000),
        budget("everything on", packed.everything(), 14_000, 12_000),
        budget("logdig.nowasm.js", packed.nowasm(), 10_000, 10_000),
    ]
}

impl Budget {
    fn check(&self) -> Result<()> {
        let Self { name, bytes, bytes_max, .. } = self;
        if bytes > bytes_max {
            bail!("the tracker is too large: {name}: {bytes} bytes brotli, {bytes_max} at most (`cargo xtask size`)");
        }
        Ok(())
    }
}

/// The columns of the history, in its order.
fn columns(packed: &Packed) -> [(&'static str, Size); N_COLUMNS] {
    [
        ("wasm", packed.wasm),
        ("JavaScript", packed.js),
        ("logdig.js", packed.script()),
        ("everything on", packed.everything()),
        ("logdig.nowasm.js", packed.nowasm()),
        ("npm", packed.npm()),
    ]
}

fn last_row(workspace: &Workspace) -> Result<Option<Row>> {
    let text = fs::read_to_string(workspace.root.join(HISTORY)).with_context(|| format!("reading {HISTORY}"))?;
    Ok(text.lines().rev().find_map(Row::read))
}

impl Row {
    /// `| 2026-11-25 | First version | 3,381 / 1,796 / 1,639 | … |`: a date, what changed, and the columns.
    fn read(line: &str) -> Option<Self> {
        let cells: Vec<&str> = line.trim().strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
        let [date, change, sizes @ ..] = cells.as_slice() else { return None };
        let sizes: Vec<Size> = sizes.iter().map(|cell| read_cell(cell)).collect::<Option<_>>()?;
        Some(Self { what: format!("{date}, {change}"), sizes: sizes.try_into().ok()? })
    }
}

fn read_cell(cell: &str) -> Option<Size> {
    let mut numbers = cell.split('/').map(|number| number.trim().replace(',', "").parse().ok());
    Some(Size { raw: numbers.next()??, gzip: numbers.next()??, brotli: numbers.next()?? })
}

fn print(now: &Packed, budgets: &[Budget], last: Option<&Row>) {
    match last {
        Some(row) => println!("tracker, bytes (difference to {HISTORY}: {})\n", row.what),
        None => println!("tracker, bytes ({HISTORY} has no row of this form yet)\n"),
    }
    println!("{:<18}{:>18}{:>18}{:>18}", "", "raw", "gzip", "brotli");
    let columns = columns(now);
    for (nth, (name, size)) in columns.iter().enumerate() {
        print_line(name, *size, last.map(|row| row.sizes[nth]));
    }
    println!("\n{:<18}{:>18}{:>18}{:>18}", "brotli", "is", "goal", "at most");
    for Budget { name, bytes, bytes_max, bytes_goal } in budgets {
        let [bytes, goal, max] = [bytes, bytes_goal, bytes_max].map(|number| with_commas(*number));
        println!("{name:<18}{bytes:>18}{goal:>18}{max:>18}");
    }
    let cells: Vec<String> = columns.iter().map(|(_, size)| cell(*size)).collect();
    println!("\nrow for {HISTORY}:\n| DATE | CHANGE | {} |", cells.join(" | "));
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
    println!("{name:<18}{:>18}{:>18}{:>18}", number(|s| s.raw), number(|s| s.gzip), number(|s| s.brotli));
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

fn to_json(now: &Packed, budgets: &[Budget], last: Option<&Row>) -> Value {
    let size = |size: Size| json!({"raw": size.raw, "gzip": size.gzip, "brotli": size.brotli});
    let table = |sizes: Sizes| -> Value {
        columns(now).iter().zip(sizes).map(|((name, _), of)| ((*name).to_owned(), size(of))).collect()
    };
    let budget = |budget: &Budget| json!({"name": budget.name, "bytes": budget.bytes, "max": budget.bytes_max, "goal": budget.bytes_goal});
    json!({
        "now": table(columns(now).map(|(_, size)| size)),
        "files": now.files.iter().map(|(name, of)| (name.clone(), size(*of))).collect::<Value>(),
        "last": last.map(|row| json!({"what": row.what, "sizes": table(row.sizes)})),
        "budgets": budgets.iter().map(budget).collect::<Value>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_row_of_the_history_and_no_other_line() {
        let cells =
            "3,381 / 1,796 / 1,639 | 2116 / 1081 / 968 | 1 / 2 / 3 | 4 / 5 / 6 | 7 / 8 / 9 | 7,618 / 3,270 / 2,708";
        let row = Row::read(&format!("| 2026-11-25 | First version | {cells} |")).expect("a row");
        assert_eq!(row.what, "2026-11-25, First version");
        assert_eq!((row.sizes[0].raw, row.sizes[1].gzip, row.sizes[5].brotli), (3381, 1081, 2708));
        for line in
            ["| date | change | wasm | JavaScript |", "| --- | --- | --- |", "| a | b | 1 / 2 / 3 |", "text", ""]
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
        let budget = |bytes| Budget { name: "file", bytes, bytes_max: 8_000, bytes_goal: 6_000 };
        assert!(budget(8_000).check().is_ok());
        assert!(budget(8_001).check().is_err());
    }
}
