//! Any configuration: it is read or something is wrong with it; what is dumped is read as the same, and what differs from
//! the defaults can be written into it.
#![no_main]

use gorgon::config::dump::dump;
use gorgon::config::files::{Files, Identity};
use gorgon::config::load::Inputs;
use gorgon::config::save::save;
use libfuzzer_sys::fuzz_target;

struct Text<'a>(&'a [u8]);

impl Files for Text<'_> {
    fn read(&self, path: &str, most: usize) -> Result<Vec<u8>, String> {
        if path != "/etc/g.conf" {
            return Err("no such file".to_owned());
        }
        Ok(self.0[..self.0.len().min(most)].to_vec())
    }

    fn list(&self, _directory: &str) -> Result<Vec<String>, String> {
        Ok(vec!["a".to_owned(), "g.conf".to_owned()])
    }

    fn identity(&self, path: &str) -> Option<Identity> {
        (path == "/etc/g.conf").then_some((1, 1))
    }
}

fuzz_target!(|text: &[u8]| {
    let inputs = Inputs {
        path: "/etc/g.conf".to_owned(),
        flags: Vec::new(),
        environment: &|name| (name == "HOME").then_some(b"/home"),
        host: "host".to_owned(),
    };
    let loaded = match inputs.load(&Text(text)) {
        Ok(loaded) => loaded,
        Err(problems) => return assert!(!problems.is_empty()),
    };
    let dumped = dump(&loaded.source, &loaded.settings);
    let Ok(again) = inputs.load(&Text(dumped.as_bytes())) else { panic!("the dump is not read:\n{dumped}") };
    assert!(again.settings == loaded.settings);
    // To save what holds changes nothing; to save something else may be refused, but never half done.
    assert!(save(&inputs, &Text(text), &loaded.settings).is_ok_and(|saved| saved.files.is_empty()));
    let mut wanted = loaded.settings;
    for server in &mut wanted.servers {
        server.settings.hidden = !server.settings.hidden;
        server.handlers.reverse();
        server.settings.index.reverse();
        server.settings.index.push("x".to_owned());
    }
    wanted.process.grace = 1234;
    if let Ok(saved) = save(&inputs, &Text(text), &wanted) {
        assert!(saved.files.len() == 1);
        let reread = inputs.load(&Text(saved.files[0].1.as_bytes()));
        assert!(reread.is_ok_and(|reread| reread.settings == wanted));
    }
});
