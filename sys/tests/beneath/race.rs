//! Lookups while others rename.

use super::*;

/// While a directory and a link out of the root take turns at one name, nothing outside is ever opened.
#[test]
fn renames_cannot_lead_outside() {
    const SWAPS: u32 = 20_000;
    for lookup in lookups() {
        let temporary = tree();
        let at = |name: &str| temporary.path(name);
        fs::create_dir_all(at("root/swap/dir")).unwrap();
        fs::write(at("root/swap/secret"), "inside").unwrap();
        fs::write(at("root/swap/dir/secret"), "inside").unwrap();
        symlink("../outside", at("root/link")).unwrap();
        let outside = [inode(&at("outside/secret")), inode(&at("outside/dir/secret"))];
        let allowed = [inode(&at("root/swap/secret")), inode(&at("root/swap/dir/secret"))];
        let root = open_root(at("root")).unwrap();
        let done = AtomicBool::new(false);
        let mut opened = 0;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..SWAPS {
                    fs::rename(at("root/swap"), at("root/aside")).unwrap();
                    fs::rename(at("root/link"), at("root/swap")).unwrap();
                    // The directory leaves the root too: `..` in it would lead outside.
                    fs::rename(at("root/aside"), at("outside/moved")).unwrap();
                    fs::rename(at("root/swap"), at("root/link")).unwrap();
                    fs::rename(at("outside/moved"), at("root/swap")).unwrap();
                }
                done.store(true, Ordering::Release);
            });
            let paths: [&[u8]; 5] = [
                b"swap/secret",
                b"swap/dir/secret",
                b"swap/dir/../secret",
                b"swap/../secret",
                b"link/secret",
            ];
            while !done.load(Ordering::Acquire) {
                for path in paths {
                    for policy in [Symlinks::Never, Symlinks::Inside] {
                        let found = outcome(open_beneath(lookup, root.as_fd(), path, OpenHow::Read, policy));
                        match found {
                            Ok(inode) => {
                                assert!(!outside.contains(&inode), "{lookup:?} led outside");
                                assert!(allowed.contains(&inode), "{lookup:?} led elsewhere");
                                opened += 1;
                            }
                            Err(errno) => assert!(
                                [Errno::NOENT, Errno::NOTDIR, Errno::LOOP, Errno::XDEV].contains(&errno),
                                "{lookup:?} {errno}"
                            ),
                        }
                    }
                }
            }
        });
        assert!(opened > 0);
    }
}
