//! The attributes of an HTTP server, and the settings they are read into.

use alloc::string::String;
use alloc::vec::Vec;

use crate::tree::Buffer;

mod checks;
pub mod handler;
mod table;

pub use table::HTTP;

/// Settings of one HTTP server. Sizes are bytes, times milliseconds; [`HTTP`] tells what each one does.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
#[allow(missing_docs)] // Each field is the attribute of its name: the table is its documentation.
pub struct HttpSettings {
    /// Rules of [`crate::tree::rule::ListenRule`].
    pub enabled: bool,
    pub listen: Vec<String>,
    /// Rules of [`crate::tree::rule::ClientRule`]; the first that fits counts.
    pub clients: Vec<String>,
    pub root: Vec<u8>,
    pub files: bool,
    pub index: Vec<String>,
    pub hidden: bool,
    pub listing: bool,
    /// `never`, `inside` or `all`.
    pub symlinks: &'static str,
    pub charset: String,
    /// Empty for none.
    pub types_file: String,
    /// Some of `br`, `zstd` and `gzip`, each once.
    pub precompressed: Vec<String>,
    /// Empty for none.
    pub cache_control: String,
    pub cors: bool,
    pub spa: bool,
    /// Empty for none unless verbose.
    pub access_log: String,
    pub access_log_format: &'static str,
    pub access_log_size: u64,
    pub access_log_keep: u32,
    /// Empty for none.
    pub upload: String,
    /// 0 for none.
    pub upload_max: u64,
    pub upload_reserve: u64,
    pub auth_file: String,
    pub auth_realm: String,
    pub keep_alive: bool,
    pub max_connections: u32,
    pub max_per_address: u32,
    pub header_timeout: u64,
    pub idle_timeout: u64,
    pub rate_floor: u32,
    pub rate_grace: u64,
    pub linger_timeout: u64,
    pub request_line_max: u32,
    pub head_max: u32,
    pub fields_max: u32,
    pub body_max: u64,
    pub drain_max: u64,
    pub read_buffer: Buffer,
    pub write_buffer: Buffer,
    pub file_cache: u64,
    pub cache_file_max: u32,
    pub sendfile: bool,
    pub backlog: u32,
    pub defer_accept: u64,
    pub send_buffer: u32,
    pub receive_buffer: u32,
}

impl Default for HttpSettings {
    /// The defaults of the table.
    fn default() -> Self {
        let mut settings = Self {
            enabled: false,
            listen: Vec::new(),
            clients: Vec::new(),
            root: Vec::new(),
            files: false,
            index: Vec::new(),
            hidden: false,
            listing: false,
            symlinks: "",
            charset: String::new(),
            types_file: String::new(),
            precompressed: Vec::new(),
            cache_control: String::new(),
            cors: false,
            spa: false,
            access_log: String::new(),
            access_log_format: "",
            access_log_size: 0,
            access_log_keep: 0,
            upload: String::new(),
            upload_max: 0,
            upload_reserve: 0,
            auth_file: String::new(),
            auth_realm: String::new(),
            keep_alive: false,
            max_connections: 0,
            max_per_address: 0,
            header_timeout: 0,
            idle_timeout: 0,
            rate_floor: 0,
            rate_grace: 0,
            linger_timeout: 0,
            request_line_max: 0,
            head_max: 0,
            fields_max: 0,
            body_max: 0,
            drain_max: 0,
            read_buffer: Buffer::fixed(0),
            write_buffer: Buffer::fixed(0),
            file_cache: 0,
            cache_file_max: 0,
            sendfile: false,
            backlog: 0,
            defer_accept: 0,
            send_buffer: 0,
            receive_buffer: 0,
        };
        HTTP.defaults(&mut settings);
        settings
    }
}

/// What a server without a root wants.
pub const ROOT: &str = "the directory or file to serve";

impl HttpSettings {
    /// What is wrong with settings each of which is right: the key at fault and what was expected.
    #[must_use]
    pub fn contradiction(&self) -> Option<(&'static str, &'static str)> {
        if self.listen.is_empty() {
            return Some(("listen", "expected at least one address"));
        }
        if self.root.is_empty() {
            return Some(("root", "expected the directory or file to serve"));
        }
        if self.request_line_max > self.head_max {
            return Some((
                "request_line_max",
                "expected no more than head_max, of which the request line is a part",
            ));
        }
        // What is written at once must fit a file.
        if (1..64 * 1024).contains(&self.access_log_size) {
            return Some(("access_log_size", "expected 0, or at least 64K"));
        }
        None
    }
}

#[cfg(test)]
mod tests;
