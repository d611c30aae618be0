//! Both lookups against each other, on made-up trees and paths.

use super::*;

/// Numbers that look random, the same in every run (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit
    }

    fn path(&mut self, longest: usize) -> String {
        const NAMES: [&str; 12] = ["a", "b", "c", "d", "a", "b", "c", ".", "..", "..", "", "missing"];
        let mut path = String::new();
        for part in 0..=self.below(longest) {
            if part > 0 {
                path.push('/');
            }
            path.push_str(NAMES[self.below(NAMES.len())]);
        }
        path
    }
}

#[test]
fn both_lookups_agree() {
    let mut agreed = 0u32;
    for seed in 1..=20 {
        let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15u64.wrapping_mul(seed));
        let temporary = Temporary::new();
        let base = temporary.path("top/root");
        fs::create_dir_all(&base).unwrap();
        let mut directories = vec![temporary.path("top"), base.clone()];
        for _ in 0..40 {
            let parent = &directories[numbers.below(directories.len())];
            let path = parent.join(["a", "b", "c", "d"][numbers.below(4)]);
            match numbers.below(8) {
                0..=2 => {
                    if fs::create_dir(&path).is_ok() {
                        directories.push(path);
                    }
                }
                3 => {
                    let _ = fs::OpenOptions::new().create_new(true).write(true).open(path);
                }
                kind => {
                    let mut target = numbers.path(4);
                    if kind == 4 {
                        let absolute = base.join(target.trim_start_matches('/'));
                        target = absolute.to_str().unwrap().to_owned();
                    }
                    let _ = symlink(target, path);
                }
            }
        }
        let root = open_root(&base).unwrap();
        let root = root.as_fd();
        for _ in 0..150 {
            let path = numbers.path(6);
            for policy in POLICIES {
                let told = format!("seed {seed} {path} {policy:?}");
                let bytes = path.as_bytes();
                for how in [OpenHow::Read, OpenHow::Path, OpenHow::Directory] {
                    let [one, other] =
                        lookups().map(|lookup| outcome(open_beneath(lookup, root, bytes, how, policy)));
                    assert_eq!(one, other, "{told} {how:?}");
                    agreed += u32::from(one.is_ok());
                }
                let [one, other] = lookups().map(|lookup| stat_beneath(lookup, root, bytes, policy));
                assert!(one == other, "{told} stat");
                let [one, other] = lookups().map(|lookup| stat_link_beneath(lookup, root, bytes, policy));
                assert!(one == other, "{told} lstat");
                let [one, other] = lookups().map(|lookup| read_link_beneath(lookup, root, bytes, policy));
                assert_eq!(one, other, "{told} readlink");
                for exclusive in [false, true] {
                    // What one lookup makes is taken away before the other looks.
                    let how = OpenHow::Create { mode: 0o600, exclusive };
                    let [one, other] = lookups().map(|lookup| {
                        let existed = stat_beneath(Lookup::Walk, root, bytes, policy).is_ok();
                        let made = open_beneath(lookup, root, bytes, how, policy);
                        if let (Ok(fd), false) = (&made, existed) {
                            let real =
                                fs::read_link(format!("/proc/self/fd/{}", AsRawFd::as_raw_fd(fd))).unwrap();
                            fs::remove_file(real).unwrap();
                        }
                        made.map(|_| ())
                    });
                    assert_eq!(one, other, "{told} {how:?}");
                }
            }
        }
    }
    assert!(agreed > 1_000);
}
