//! What other servers call a setting: whoever writes such a word is told what it is here.

use alloc::string::String;

use super::kind::NodeKind;
use crate::text::join::joined;
use crate::text::split::split_once;

/// A key, or a sentence where there is none, and the words of others for it: in small letters, without `_`, `-` and `.`.
const WORDS: &str = "\
listen: port bind bindaddress listenaddress address interface
root: documentroot docroot webroot wwwroot serverroot alias
index: indexfile indexfiles directoryindex indexes
listing: autoindex dirlisting directorylisting
log_level: errorlog loglevel stderrlogfile verbosity
access_log: accesslogfile customlog transferlog logfile stdoutlogfile
access_log_format: logformat
access_log_size: logfilemaxbytes stdoutlogfilemaxbytes
access_log_keep: logfilebackups stdoutlogfilebackups
body_max: clientmaxbodysize limitrequestbody maxrequestsize maxbodysize
head_max: largeclientheaderbuffers maxrequestfieldsize
fields_max: limitrequestfields
request_line_max: limitrequestline
header_timeout: clientheadertimeout requestreadtimeout
idle_timeout: keepalivetimeout maxkeepaliveidle
rate_grace: sendtimeout clientbodytimeout
max_connections: workerconnections maxclients maxconn maxrequestworkers
max_per_address: limitconn maxconnectionsperip
types_file: mimetypes mimetypeassign typesconfig types
cache_control: expires addheader
precompressed: gzip gzipstatic deflate
auth_file: authbasicuserfile authuserfile htpasswd
auth_realm: authbasic authname
symlinks: followsymlink followsymlinks disablesymlinks
spa: tryfiles
pid_file: pidfile pid
user: username setuid group
grace: shutdowntimeout stopwaitsecs workershutdowntimeout
nameservers: resolver
key_file: password
to: redirect return rewrite redirectmatch
match: location
one process with one thread serves all: workerprocesses workers worker threads processes
a server answers to every name: servername serveralias hostname virtualhost
a proxy in front of it speaks TLS: ssl tls sslcertificate sslcertificatekey certfile keyfile
";

/// What goes behind `no such setting of ..` for a word that is none of that kind: `; did you mean listen?`
#[must_use]
pub fn hint(word: &str, own: NodeKind) -> Option<String> {
    let word = word.strip_prefix("server.").unwrap_or(word);
    let letters = word.chars().filter(|letter| !matches!(letter, '_' | '-' | '.'));
    let plain: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
    let found = WORDS.lines().find_map(|line| {
        let (key, words) = split_once(line, ": ")?;
        words.split(' ').any(|known| known == plain).then_some(key)
    });
    // The key itself may be one of another kind.
    let key = found.unwrap_or(word);
    if key.contains(' ') {
        return found.map(|sentence| joined(&["; ", sentence]));
    }
    let has = |kind: NodeKind| kind.find(key).is_some_and(|about| !about.fact);
    if has(own) {
        return Some(joined(&["; did you mean ", key, "?"]));
    }
    let kind = NodeKind::ALL.iter().copied().find(|kind| has(*kind))?;
    let name = match (kind.is_handler(), kind.is_named()) {
        (true, _) => ":SERVER/NAME",
        (_, true) => ":NAME",
        (_, false) => "",
    };
    Some(joined(&["; did you mean ", key, " of [", kind.word(), name, "]?"]))
}

#[cfg(test)]
#[cfg(all(feature = "http", feature = "monitor"))]
mod tests {
    use super::*;

    #[test]
    fn words_of_others_are_known() {
        for (kind, word, wanted) in [
            (NodeKind::Http, "port", "; did you mean listen?"),
            (NodeKind::Http, "document_root", "; did you mean root?"),
            (NodeKind::Http, "DocumentRoot", "; did you mean root?"),
            (NodeKind::Http, "server.document-root", "; did you mean root?"),
            (NodeKind::Http, "error_log", "; did you mean log_level of [gorgon]?"),
            (NodeKind::Http, "log_level", "; did you mean log_level of [gorgon]?"),
            (NodeKind::Http, "worker_processes", "; one process with one thread serves all"),
            (NodeKind::Http, "server_name", "; a server answers to every name"),
            (NodeKind::Http, "ssl_certificate", "; a proxy in front of it speaks TLS"),
            (NodeKind::Http, "autoindex", "; did you mean listing?"),
            (NodeKind::Http, "client_max_body_size", "; did you mean body_max?"),
            (NodeKind::Http, "keepalive_timeout", "; did you mean idle_timeout?"),
            (NodeKind::Http, "location", "; did you mean match of [handler:SERVER/NAME]?"),
            (NodeKind::Http, "chroot", "; did you mean chroot of [gorgon]?"),
            (NodeKind::Process, "pidfile", "; did you mean pid_file?"),
            (NodeKind::Process, "username", "; did you mean user?"),
            (NodeKind::Process, "index", "; did you mean index of [http:NAME]?"),
            (NodeKind::Process, "access_log", "; did you mean access_log of [http:NAME]?"),
            (NodeKind::Process, "stdout_logfile", "; did you mean access_log of [http:NAME]?"),
            (NodeKind::Monitor, "port", "; did you mean listen?"),
            (NodeKind::Monitor, "password", "; did you mean key_file?"),
        ] {
            assert_eq!(hint(word, kind).as_deref(), Some(wanted), "{word}");
        }
        for word in ["", "x", "grce", "server.", "uptime", "sockets", "Grace", "one process"] {
            assert_eq!(hint(word, NodeKind::Process), None, "{word}");
        }
    }

    #[test]
    fn what_is_named_is_there() {
        let mut seen: Vec<&str> = Vec::new();
        for line in WORDS.lines() {
            let (key, words) = line.split_once(": ").unwrap();
            let settable = |kind: &NodeKind| kind.find(key).is_some_and(|about| !about.fact);
            assert!(key.contains(' ') || NodeKind::ALL.iter().any(settable), "{key}");
            for word in words.split(' ') {
                assert!(
                    word.bytes().all(|byte| byte.is_ascii_lowercase()) && !seen.contains(&word),
                    "{word}"
                );
                seen.push(word);
            }
        }
    }
}
