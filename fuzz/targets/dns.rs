//! Any message as the answer to a question, and any text as the file that names the servers: what is taken out of it is
//! bounded, and can be asked for in turn.
#![no_main]

use gorgon::text::dns::{Question, Record, servers};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((first, rest)) = input.split_first() else { return };
    let record = [Record::Name, Record::Ipv4, Record::Ipv6].get(usize::from(*first)).copied();
    let Some(record) = record else {
        assert!((1..=3).contains(&servers(rest).len()));
        return;
    };
    let question = Question { id: 7, name: "7.2.0.192.in-addr.arpa".into(), record };
    let Ok(answer) = question.read(rest) else { return };
    assert!(answer.names.len() + answer.addresses.len() <= 16);
    assert!(answer.names.is_empty() || record == Record::Name);
    for name in answer.names {
        let again = Question { id: 7, name, record: Record::Ipv4 };
        assert!(again.push(&mut Vec::new()), "{}", again.name);
    }
});
