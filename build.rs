//! Makes the release binary smaller: see `discard.ld`.
#![forbid(unsafe_code)]

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=discard.ld");
    println!("cargo:rerun-if-env-changed=KEEP_UNWIND_TABLES");
    let set = |name: &str| std::env::var(name).unwrap_or_default();
    let keeps =
        !set("KEEP_UNWIND_TABLES").is_empty() || set("DEBUG") != "false" || set("PROFILE") != "release";
    if set("CARGO_CFG_TARGET_OS") == "linux" && !keeps {
        let root = set("CARGO_MANIFEST_DIR");
        println!("cargo:rustc-link-arg-bin=gorgon=-Wl,-T,{root}/discard.ld");
    }
}
