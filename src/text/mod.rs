//! Small codecs on bytes: no I/O, no allocation where the caller can lend a buffer.

pub mod accounts;
pub mod address;
pub mod base64;
pub mod calendar;
pub mod columns;
pub mod digest;
pub mod dns;
pub mod duration;
pub mod file_path;
pub mod glob;
pub mod html;
pub mod ini;
pub mod join;
pub mod json;
pub mod listen;
pub mod log_line;
pub mod log_target;
pub mod nearest;
pub mod network;
pub mod number;
pub mod order;
pub mod percent;
pub mod siphash;
pub mod size;
pub mod split;
pub mod unicode;
