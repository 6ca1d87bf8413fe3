//! From the type of a struct's field to a column.

use arrow::array::{
    ArrayBuilder, BooleanBuilder, Date32Builder, Float64Builder, Int32Builder, Int64Builder, StringBuilder,
};
use arrow::datatypes::DataType;

/// A day of the calendar: days since 1970-01-01.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub i32);

/// A type that a column can have.
pub(super) trait Cell {
    type Builder: ArrayBuilder + Default;
    const DATA_TYPE: DataType;
    const CAN_BE_NULL: bool = false;

    fn append(&self, builder: &mut Self::Builder);
    fn append_null(builder: &mut Self::Builder);
}

macro_rules! cells {
    ($($type:ty, $builder:ty, $data_type:expr, |$value:ident| $raw:expr;)*) => { $(
        impl Cell for $type {
            type Builder = $builder;
            const DATA_TYPE: DataType = $data_type;

            fn append(&self, builder: &mut $builder) {
                let $value = self;
                builder.append_value($raw);
            }

            fn append_null(builder: &mut $builder) {
                builder.append_null();
            }
        }
    )* };
}

cells! {
    String, StringBuilder, DataType::Utf8, |text| text;
    i64, Int64Builder, DataType::Int64, |number| *number;
    i32, Int32Builder, DataType::Int32, |number| *number;
    f64, Float64Builder, DataType::Float64, |number| *number;
    bool, BooleanBuilder, DataType::Boolean, |flag| *flag;
    Date, Date32Builder, DataType::Date32, |date| date.0;
}

impl<T: Cell> Cell for Option<T> {
    type Builder = T::Builder;
    const DATA_TYPE: DataType = T::DATA_TYPE;
    const CAN_BE_NULL: bool = true;

    fn append(&self, builder: &mut T::Builder) {
        match self {
            Some(value) => value.append(builder),
            None => T::append_null(builder),
        }
    }

    fn append_null(builder: &mut T::Builder) {
        T::append_null(builder);
    }
}

/// Makes a row, its columns and what gathers them from one table, so that they can't part.
macro_rules! table {
    (
        $(#[$doc:meta])* $table:literal $row:ident $batch:ident
        $( $(#[doc = $column_doc:literal])* $name:ident: $type:ty; )*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $row { $( $(#[doc = $column_doc])* pub $name: $type, )* }

        #[doc = concat!("Gathers rows of the table `", $table, "`.")]
        #[derive(Debug, Default)]
        pub struct $batch { n_rows: usize, $( $name: <$type as crate::table::column::Cell>::Builder, )* }

        impl crate::table::Row for $row {
            const TABLE: &'static str = $table;
            type Batch = $batch;

            fn columns() -> Vec<crate::table::Column> {
                use crate::table::column::Cell;
                vec![$( crate::table::Column {
                    name: crate::table::column::without_raw(stringify!($name)),
                    data_type: <$type>::DATA_TYPE,
                    can_be_null: <$type>::CAN_BE_NULL,
                    doc: [$($column_doc),*].map(str::trim).join(" "),
                }, )*]
            }
        }

        impl crate::table::Batch for $batch {
            type Row = $row;

            fn push(&mut self, row: &$row) {
                use crate::table::column::Cell;
                $( row.$name.append(&mut self.$name); )*
                self.n_rows += 1;
            }

            fn n_rows(&self) -> usize {
                self.n_rows
            }

            fn finish(&mut self) -> arrow::record_batch::RecordBatch {
                self.n_rows = 0;
                let columns: Vec<arrow::array::ArrayRef> =
                    vec![$( std::sync::Arc::new(self.$name.finish()), )*];
                arrow::record_batch::RecordBatch::try_new(<$row as crate::table::Row>::schema(), columns)
                    .expect("every row has every column")
            }
        }
    };
}

pub(super) use table;

/// `r#type` is how Rust spells the name `type`.
pub(super) fn without_raw(name: &'static str) -> &'static str {
    name.strip_prefix("r#").unwrap_or(name)
}
