//! What a record looks like to people: a table, a plot for print, a plot in text, rows for a spreadsheet, and what
//! changed between two of them. All of it is made from the record alone, so that a run of last year can be drawn
//! today; nothing here measures.

mod csv;
mod figure;
mod scale;
mod spread;
mod svg;
mod table;
mod units;

#[cfg(test)]
pub mod sample;
#[cfg(test)]
mod tests;

pub use figure::Choice;
