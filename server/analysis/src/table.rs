//! The derived tables: columns, their types and meaning, said once.
//!
//! Parquet files, `docs/TABLES.md` and the reports' SQL all follow from what stands here. A row is a plain struct;
//! [`Batch`] gathers rows column by column for Arrow.

mod column;
mod event;
mod prop;
mod session;

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use arrow::record_batch::RecordBatch;

pub use column::Date;
pub use event::EventRow;
pub use prop::PropRow;
pub use session::SessionRow;

/// Raised whenever rows of the same logs would come out otherwise: all tables are then made anew.
pub const TABLES_VERSION: u32 = 1;

/// A row of one of the tables.
pub trait Row: Sized {
    /// The table's name, in SQL and in file names; e.g. `events`.
    const TABLE: &'static str;
    /// Gathers rows.
    type Batch: Batch<Row = Self>;

    /// The columns, in their order.
    fn columns() -> Vec<Column>;

    /// The columns as Arrow says them.
    fn schema() -> Arc<Schema> {
        let fields = Self::columns().into_iter().map(|column| column.field()).collect::<Vec<_>>();
        Arc::new(Schema::new(fields))
    }
}

/// Rows of one kind, column by column.
pub trait Batch: Default {
    /// What it holds.
    type Row;

    /// Adds a row.
    fn push(&mut self, row: &Self::Row);

    /// How many rows there are.
    fn n_rows(&self) -> usize;

    /// Takes all rows out, as Arrow has them.
    fn finish(&mut self) -> RecordBatch;
}

/// What is known of a column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name; where it is a field of a log, that field's.
    pub name: &'static str,
    /// Its type.
    pub data_type: DataType,
    /// Whether it may say nothing.
    pub can_be_null: bool,
    /// What it is, with unit and source: the words of `docs/TABLES.md`.
    pub doc: String,
}

impl Column {
    fn field(self) -> arrow::datatypes::Field {
        arrow::datatypes::Field::new(self.name, self.data_type, self.can_be_null)
    }

    /// The type in the words of SQL; e.g. `BIGINT`.
    pub fn sql_type(&self) -> &'static str {
        match self.data_type {
            DataType::Utf8 => "TEXT",
            DataType::Int64 => "BIGINT",
            DataType::Int32 => "INT",
            DataType::Float64 => "DOUBLE",
            DataType::Boolean => "BOOLEAN",
            DataType::Date32 => "DATE",
            _ => unreachable!("no column has another type"),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};

    use super::*;

    /// The ten of the original and all else that a log's field gives are called as on the wire.
    #[test]
    fn names_stay_those_of_the_wire() {
        let names: Vec<_> = EventRow::columns().iter().map(|column| column.name).collect();
        for name in
            ["user_key", "current_page", "link", "x", "y", "spent_milli_sec", "user_agent", "load_count", "type"]
        {
            assert!(names.contains(&name), "{name}");
        }
    }

    #[test]
    fn every_column_has_words_and_a_type_of_sql() {
        for column in [EventRow::columns(), SessionRow::columns(), PropRow::columns()].concat() {
            assert!(column.doc.ends_with('.') || column.doc.ends_with('`'), "{column:?}");
            assert!(!column.sql_type().is_empty());
        }
    }

    #[test]
    fn rows_become_columns_and_leave_the_batch_empty() {
        let mut batch = <PropRow as Row>::Batch::default();
        let row = PropRow { key: "colour".to_owned(), text: Some("red".to_owned()), ..PropRow::default() };
        batch.push(&row);
        batch.push(&PropRow { text: None, number: Some(1.5), ..row });
        assert_eq!(batch.n_rows(), 2);
        let columns = batch.finish();
        assert_eq!((batch.n_rows(), columns.num_rows()), (0, 2));
        let text = columns.column_by_name("text").expect("a column").as_string::<i32>();
        assert_eq!((text.value(0), text.is_null(1)), ("red", true));
        assert_eq!(columns.schema(), PropRow::schema());
    }
}
