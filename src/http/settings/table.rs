//! The attributes of the kind `http`, in the order they are shown.

use alloc::string::String;

use super::HttpSettings;
use super::checks::{
    NONE, set_access_log, set_auth_file, set_cache_control, set_charset, set_index, set_precompressed,
    set_realm, set_root,
};
use crate::tree::rule::{BACKLOG, BUFFER, SOCKET_BUFFER, set_clients, set_listen};
use crate::tree::{Attribute, Flag, Kind, Unit, Value};
use crate::{admin, live};

const KILO: u64 = 1024;
const MEGA: u64 = KILO * KILO;
const GIGA: u64 = KILO * MEGA;
const SECOND: u64 = 1000;
const DAY: u64 = 24 * 60 * 60 * SECOND;

/// A timeout that cannot be turned off, for then one client could hold a connection for ever.
const TIMEOUT: Unit = Unit::Time { min: 100, max: DAY };

/// A limit in bytes.
const fn size(min: u64, max: u64) -> Unit {
    Unit::Size { min, max, power_of_two: false }
}

/// The kind `http`: a server of files.
pub static HTTP: Kind<HttpSettings> = Kind {
    name: "http",
    help: "HTTP server",
    attributes: &[
        Attribute {
            about: admin!(
                "enabled",
                Unit::Switch,
                "on",
                "Whether it serves. Turned off, it listens no more, and finishes what was asked.",
            ),
            get: |s| Value::Switch(s.enabled),
            set: Some(|s, v| v.store_bool(&mut s.enabled)),
        },
        Attribute {
            about: admin!(
                "listen",
                Unit::Rules,
                ":8080",
                "Address to listen on, may be repeated. ADDR:PORT, :PORT for every address, localhost:PORT for \
                 the loopback ones, or unix:PATH; port 0 is any free one. Behind it may stand what differs there: \
                 read_buffer=, write_buffer=, send_buffer=, receive_buffer= and backlog=, and for a Unix socket \
                 mode=660.",
            )
            .with_flag(&Flag { short: Some('l'), long: "listen", value: "ADDR" }),
            get: |s| Value::List(s.listen.clone()),
            set: Some(|s, v| set_listen(&mut s.listen, v)),
        },
        Attribute {
            about: live!(
                "clients",
                Unit::Rules,
                "",
                "Clients with buffers of their own. NETWORK or .DOMAIN, and behind it read_buffer= or write_buffer=; the \
                 first that fits goes before the listener's, which goes before the server's. A domain is that of the \
                 client's name, if that name leads back to its address; until it is known, the client is served as one \
                 without a name. gorgon.nameservers says who is asked.",
            ),
            get: |s| Value::List(s.clients.clone()),
            set: Some(|s, v| set_clients(&mut s.clients, v)),
        },
        Attribute {
            about: admin!(
                "root",
                Unit::Text,
                ".",
                "Directory or file to serve. The same as DIR or FILE on the command line.",
            ),
            get: |s| Value::Text(String::from_utf8_lossy(&s.root).into_owned()),
            set: Some(|s, v| set_root(&mut s.root, v)),
        },
        Attribute {
            about: admin!("files", Unit::Switch, "on", "Serve what is in root. When off, only handlers answer."),
            get: |s| Value::Switch(s.files),
            set: Some(|s, v| v.store_bool(&mut s.files)),
        },
        Attribute {
            about: admin!(
                "index",
                Unit::List,
                "index.html",
                "Files that stand for their directory. The first that exists is sent.",
            ),
            get: |s| Value::List(s.index.clone()),
            set: Some(|s, v| set_index(&mut s.index, v)),
        },
        Attribute {
            about: admin!(
                "hidden",
                Unit::Switch,
                "off",
                "Serve names that begin with a dot. When off they are not found, save for /.well-known/.",
            )
            .with_flag(&Flag { short: None, long: "hidden", value: "" }),
            get: |s| Value::Switch(s.hidden),
            set: Some(|s, v| v.store_bool(&mut s.hidden)),
        },
        Attribute {
            about: admin!(
                "listing",
                Unit::Switch,
                "on",
                "List directories without an index file. When off they are answered 403.",
            )
            .with_flag(&Flag { short: None, long: "listing", value: "" }),
            get: |s| Value::Switch(s.listing),
            set: Some(|s, v| v.store_bool(&mut s.listing)),
        },
        Attribute {
            about: admin!(
                "symlinks",
                Unit::Choice("never|inside|all"),
                "inside",
                "Symbolic links to follow. never: none; inside: those that stay beneath the root; all: wherever \
                 they lead.",
            ),
            get: |s| Value::Choice(s.symlinks),
            set: Some(|s, v| v.store_choice(&mut s.symlinks)),
        },
        Attribute {
            about: admin!(
                "charset",
                Unit::Text,
                "utf-8",
                "Charset named with text/* but XML, which names its own. Empty names none.",
            ),
            get: |s| Value::Text(s.charset.clone()),
            set: Some(|s, v| set_charset(&mut s.charset, v)),
        },
        Attribute {
            about: admin!(
                "types_file",
                Unit::Text,
                "",
                "File of media types that go before those built in. Its form is that of /etc/mime.types.",
            ),
            get: |s| Value::Text(s.types_file.clone()),
            set: Some(|s, v| v.store_text(&mut s.types_file)),
        },
        Attribute {
            about: admin!(
                "precompressed",
                Unit::List,
                "",
                "Encoded files to send, of br, zstd and gzip, best first. FILE.br, FILE.zst or FILE.gz goes out in \
                 place of FILE to those who take it, unless it is older than FILE. Of each listed a file is looked \
                 for when FILE is opened.",
            ),
            get: |s| Value::List(s.precompressed.clone()),
            set: Some(|s, v| set_precompressed(&mut s.precompressed, v)),
        },
        Attribute {
            about: admin!(
                "cache_control",
                Unit::Text,
                "",
                "Cache-Control to send with files, such as max-age=3600. Empty sends none.",
            )
            .with_flag(&Flag { short: None, long: "cache-control", value: "TEXT" }),
            get: |s| Value::Text(s.cache_control.clone()),
            set: Some(|s, v| set_cache_control(&mut s.cache_control, v)),
        },
        Attribute {
            about: admin!(
                "cors",
                Unit::Switch,
                "off",
                "Let pages of any origin read what is served. Requests that ask beforehand (OPTIONS) are answered; where \
                 uploads go, such pages can upload too.",
            )
            .with_flag(&Flag { short: None, long: "cors", value: "" }),
            get: |s| Value::Switch(s.cors),
            set: Some(|s, v| v.store_bool(&mut s.cors)),
        },
        Attribute {
            about: admin!(
                "spa",
                Unit::Switch,
                "off",
                "Send the root's index file for paths that do not exist. This is for single-page applications: it \
                 goes to those who take text/html, and for names without a dot; others stay 404.",
            )
            .with_flag(&Flag { short: None, long: "spa", value: "" }),
            get: |s| Value::Switch(s.spa),
            set: Some(|s, v| v.store_bool(&mut s.spa)),
        },
        Attribute {
            about: admin!(
                "access_log",
                Unit::Text,
                "",
                "Log of requests: a file, - for stdout, or syslog:. syslog:/PATH is a log daemon at another \
                 Unix socket than /dev/log, syslog:udp:ADDR:PORT one elsewhere, off is none. A file is opened anew on \
                 USR1 and when another lies at its path. Lines are written each second, or when there are many; those \
                 that cannot be written are dropped and counted. Empty is - when verbose, off otherwise.",
            )
            .with_flag(&Flag { short: None, long: "access-log", value: "TARGET" }),
            get: |s| Value::Text(s.access_log.clone()),
            set: Some(|s, v| set_access_log(&mut s.access_log, v)),
        },
        Attribute {
            about: admin!(
                "access_log_format",
                Unit::Choice("common|combined|json"),
                "combined",
                "Form of its lines. They tell the time of the request and the bytes of the reply's body that went out; \
                 json says, too, whether that was all and how long it took. Status 499 is that of a connection that \
                 ended before its reply.",
            ),
            get: |s| Value::Choice(s.access_log_format),
            set: Some(|s, v| v.store_choice(&mut s.access_log_format)),
        },
        Attribute {
            about: admin!(
                "access_log_size",
                size(0, 1024 * GIGA),
                "0",
                "Size at which its file is rotated, 0 for never. At least 64K; FILE becomes \
                 FILE.1, that FILE.2 and so on.",
            ),
            get: |s| Value::Size(s.access_log_size),
            set: Some(|s, v| v.store_u64(&mut s.access_log_size)),
        },
        Attribute {
            about: admin!(
                "access_log_keep",
                Unit::Count { min: 0, max: 1000 },
                "5",
                "Renamed files kept. Together with the one being written they hold at most access_log_size each.",
            ),
            get: |s| Value::Count(s.access_log_keep.into()),
            set: Some(|s, v| v.store_u32(&mut s.access_log_keep)),
        },
        Attribute {
            about: admin!(
                "upload",
                Unit::Text,
                "",
                "Directory that takes files by PUT, and from its page. It is the root or lies beneath it, and is \
                 named from here or from the root. What is uploaded is served, and whoever reaches the server can \
                 replace any file there. Empty for none.",
            )
            .with_flag(&Flag { short: None, long: "upload", value: "DIR" }),
            get: |s| Value::Text(s.upload.clone()),
            set: Some(|s, v| v.store_text(&mut s.upload)),
        },
        Attribute {
            about: live!(
                "upload_max",
                size(0, 1024 * 1024 * GIGA),
                "0",
                "Largest file that can be uploaded, 0 for what the disk holds. A larger one is answered 413; \
                 body_max does not hold for uploads.",
            ),
            get: |s| Value::Size(s.upload_max),
            set: Some(|s, v| v.store_u64(&mut s.upload_max)),
        },
        Attribute {
            about: live!(
                "upload_reserve",
                size(0, 1024 * 1024 * GIGA),
                "16M",
                "Free space that uploads leave. One that would take of it is answered 507; 0 lets them fill the disk.",
            ),
            get: |s| Value::Size(s.upload_reserve),
            set: Some(|s, v| v.store_u64(&mut s.upload_reserve)),
        },
        Attribute {
            about: admin!(
                "auth_file",
                Unit::Text,
                "none",
                "File of users, as htpasswd makes it; nobody else is let in. The scheme is Basic, which hides the \
                 password from nobody on the way: TLS or a trusted network has to. A file that changes is read \
                 again.",
            )
            .with_flag(&Flag { short: None, long: "auth-file", value: "FILE" }),
            get: |s| Value::Text(if s.auth_file.is_empty() { String::from(NONE) } else { s.auth_file.clone() }),
            set: Some(|s, v| set_auth_file(&mut s.auth_file, v)),
        },
        Attribute {
            about: admin!(
                "auth_realm",
                Unit::Text,
                "Gorgon",
                "Name of what auth_file protects. Browsers may show it when they ask for the password.",
            ),
            get: |s| Value::Text(s.auth_realm.clone()),
            set: Some(|s, v| set_realm(&mut s.auth_realm, v)),
        },
        Attribute {
            about: live!(
                "keep_alive",
                Unit::Switch,
                "on",
                "Keep connections for further requests.",
            ),
            get: |s| Value::Switch(s.keep_alive),
            set: Some(|s, v| v.store_bool(&mut s.keep_alive)),
        },
        Attribute {
            about: live!(
                "max_connections",
                Unit::Count { min: 0, max: 10_000_000 },
                "0",
                "Connections held at once, 0 for all there are descriptors for. The one that has been idle for \
                 longest, a second at least, makes room for a new one. Where none does, those beyond a number that \
                 is set are answered 503, and those beyond the descriptors wait.",
            ),
            get: |s| Value::Count(s.max_connections.into()),
            set: Some(|s, v| v.store_u32(&mut s.max_connections)),
        },
        Attribute {
            about: live!(
                "max_per_address",
                Unit::Count { min: 0, max: 1_000_000 },
                "0",
                "Connections of one client at once, 0 for any number. Further ones are answered 503. IPv6 addresses \
                 count by their first 64 bits; loopback addresses and Unix sockets are not counted.",
            ),
            get: |s| Value::Count(s.max_per_address.into()),
            set: Some(|s, v| v.store_u32(&mut s.max_per_address)),
        },
        Attribute {
            about: live!(
                "header_timeout",
                TIMEOUT,
                "10s",
                "Time for a whole request head. What comes in does not renew it.",
            ),
            get: |s| Value::Time(s.header_timeout),
            set: Some(|s, v| v.store_u64(&mut s.header_timeout)),
        },
        Attribute {
            about: live!(
                "idle_timeout",
                TIMEOUT,
                "1m",
                "Time a connection may wait between requests.",
            ),
            get: |s| Value::Time(s.idle_timeout),
            set: Some(|s, v| v.store_u64(&mut s.idle_timeout)),
        },
        Attribute {
            about: live!(
                "rate_floor",
                size(0, GIGA),
                "240",
                "Bytes a second below which a client is given up. It holds for request bodies and for replies, \
                 once rate_grace has passed; 0 waits for ever.",
            ),
            get: |s| Value::Size(s.rate_floor.into()),
            set: Some(|s, v| v.store_u32(&mut s.rate_floor)),
        },
        Attribute {
            about: live!("rate_grace", TIMEOUT, "20s", "Time before rate_floor holds."),
            get: |s| Value::Time(s.rate_grace),
            set: Some(|s, v| v.store_u64(&mut s.rate_grace)),
        },
        Attribute {
            about: live!(
                "linger_timeout",
                Unit::Time { min: 0, max: DAY },
                "5s",
                "Time to let a client read a last reply. Until then what it still sends is read and dropped, for a \
                 connection closed on unread input takes the reply with it.",
            ),
            get: |s| Value::Time(s.linger_timeout),
            set: Some(|s, v| v.store_u64(&mut s.linger_timeout)),
        },
        Attribute {
            about: live!(
                "request_line_max",
                size(256, 64 * KILO),
                "8K",
                "Longest request line. A longer one is answered 414.",
            ),
            get: |s| Value::Size(s.request_line_max.into()),
            set: Some(|s, v| v.store_u32(&mut s.request_line_max)),
        },
        Attribute {
            about: live!(
                "head_max",
                size(512, 64 * KILO),
                "16K",
                "Longest request head. A longer one is answered 431.",
            ),
            get: |s| Value::Size(s.head_max.into()),
            set: Some(|s, v| v.store_u32(&mut s.head_max)),
        },
        Attribute {
            about: live!(
                "fields_max",
                Unit::Count { min: 1, max: 1000 },
                "100",
                "Most header fields of a request. More are answered 431.",
            ),
            get: |s| Value::Count(s.fields_max.into()),
            set: Some(|s, v| v.store_u32(&mut s.fields_max)),
        },
        Attribute {
            about: live!(
                "body_max",
                size(0, 1024 * GIGA),
                "1M",
                "Longest body of a request that uploads no file. If Content-Length says more, the answer is 413 and the \
                 body is not read.",
            ),
            get: |s| Value::Size(s.body_max),
            set: Some(|s, v| v.store_u64(&mut s.body_max)),
        },
        Attribute {
            about: live!(
                "drain_max",
                size(0, GIGA),
                "64K",
                "Longest unwanted body read to keep a connection. A longer one, or one in chunks, ends it.",
            ),
            get: |s| Value::Size(s.drain_max),
            set: Some(|s, v| v.store_u64(&mut s.drain_max)),
        },
        Attribute {
            about: live!("read_buffer", BUFFER, "4K", "Most bytes read at once, a power of two or a range. auto:4K..64K lets it grow for those who fill it."),
            get: |s| Value::Buffer(s.read_buffer),
            set: Some(|s, v| v.store_buffer(&mut s.read_buffer)),
        },
        Attribute {
            about: live!(
                "write_buffer",
                BUFFER,
                "16K",
                "Most produced bytes held for a client. A power of two, or a range such as auto:4K..64K, in which it grows for \
                 those who fill it, to 64K at most, and shrinks again. Files go out by sendfile, beside it.",
            ),
            get: |s| Value::Buffer(s.write_buffer),
            set: Some(|s, v| v.store_buffer(&mut s.write_buffer)),
        },
        Attribute {
            about: live!(
                "file_cache",
                size(0, 1024 * GIGA),
                "1M",
                "Memory for small files kept ready, 0 for none.",
            ),
            get: |s| Value::Size(s.file_cache),
            set: Some(|s, v| v.store_u64(&mut s.file_cache)),
        },
        Attribute {
            about: live!("cache_file_max", size(0, MEGA / 2), "16K", "Largest file kept in file_cache."),
            get: |s| Value::Size(s.cache_file_max.into()),
            set: Some(|s, v| v.store_u32(&mut s.cache_file_max)),
        },
        Attribute {
            about: live!(
                "sendfile",
                Unit::Switch,
                "on",
                "Let the kernel send files. When off they are read and written, as some filesystems need.",
            ),
            get: |s| Value::Switch(s.sendfile),
            set: Some(|s, v| v.store_bool(&mut s.sendfile)),
        },
        Attribute {
            about: admin!(
                "backlog",
                BACKLOG,
                "1024",
                "Connections the kernel queues for us.",
            ),
            get: |s| Value::Count(s.backlog.into()),
            set: Some(|s, v| v.store_u32(&mut s.backlog)),
        },
        Attribute {
            about: admin!(
                "defer_accept",
                Unit::Time { min: 0, max: 60 * 60 * SECOND },
                "1s",
                "Time the kernel holds back a silent connection. In whole seconds, where the system can; 0 hands \
                 it over at once.",
            ),
            get: |s| Value::Time(s.defer_accept),
            set: Some(|s, v| v.store_u64(&mut s.defer_accept)),
        },
        Attribute {
            about: admin!(
                "send_buffer",
                SOCKET_BUFFER,
                "0",
                "The kernel's send buffer (SO_SNDBUF), 0 for its own choice.",
            ),
            get: |s| Value::Size(s.send_buffer.into()),
            set: Some(|s, v| v.store_u32(&mut s.send_buffer)),
        },
        Attribute {
            about: admin!(
                "receive_buffer",
                SOCKET_BUFFER,
                "0",
                "The kernel's receive buffer (SO_RCVBUF), 0 for its own choice.",
            ),
            get: |s| Value::Size(s.receive_buffer.into()),
            set: Some(|s, v| v.store_u32(&mut s.receive_buffer)),
        },
    ],
};
