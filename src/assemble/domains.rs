//! Who is asked for the names of clients: a resolver that runs for as long as some server has rules for domains.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::SocketAddr;

use gorgon_sys::read_file;

use crate::cli::process::{DNS_PORT, nameserver};
use crate::config::settings::{HttpServer, Settings};
use crate::engine::Reactor;
use crate::engine::names::{HasNames, Names};
use crate::engine::resolver::Resolver;
use crate::text::dns;
use crate::tree::rule::Clients;
use crate::world::World;

/// Where the system says whom to ask: resolv.conf(5).
const SYSTEM: &str = "/etc/resolv.conf";
/// The most of it that is read, in bytes.
const LENGTH: usize = 1 << 16;

/// The resolver, if it runs.
#[derive(Default)]
pub(super) struct Domains {
    /// The servers of the system, as far as they could be read.
    system: Vec<SocketAddr>,
    /// The number of the service, and whom it asks.
    runs: Option<(u8, Vec<SocketAddr>)>,
}

/// Whether a server wants to know what its clients are called.
fn wants_names(server: &HttpServer) -> bool {
    server.settings.enabled && server.clients.iter().any(|rule| matches!(rule.clients, Clients::Domain(_)))
}

impl Domains {
    /// Reads who the system's servers are. Where that cannot be read any more, what was read before holds.
    pub(super) fn read(&mut self) {
        let text = match read_file(SYSTEM, LENGTH) {
            Ok(text) => text,
            Err(_) if self.system.is_empty() => Vec::new(),
            Err(_) => return,
        };
        self.system = dns::servers(&text).into_iter().map(|ip| SocketAddr::new(ip, DNS_PORT)).collect();
    }

    /// Starts, changes or stops the resolver as the settings want it.
    pub(super) fn follow(&mut self, settings: &Settings, reactor: &mut Reactor<World>) {
        let wanted = settings.servers.iter().any(wants_names).then(|| self.servers(settings));
        if self.runs.as_ref().map(|(_, servers)| servers) == wanted.as_ref() {
            return;
        }
        if let Some((number, _)) = self.runs.take() {
            reactor.remove_service(number);
            // What others have said holds no more.
            *reactor.world().names() = Names::default();
            reactor.lp().forget_names();
        }
        let Some(servers) = wanted else { return };
        match reactor.add_service(Box::new(Resolver::new(servers.clone())), Resolver::limits()) {
            Ok(number) => self.runs = Some((number, servers)),
            Err(error) => {
                let now = reactor.now();
                let words = ["no names of clients: ", &gorgon_sys::describe(error)];
                reactor.world().note(now, &words);
            }
        }
    }

    /// Whom to ask.
    fn servers(&mut self, settings: &Settings) -> Vec<SocketAddr> {
        let mut given = Vec::new();
        settings.process.nameservers.iter().for_each(|text| given.extend(nameserver(text)));
        if !given.is_empty() {
            return given;
        }
        self.read();
        self.system.clone()
    }
}
