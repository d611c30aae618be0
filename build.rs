//! Makes the release binary smaller (see `discard.ld`), and completes a static one.
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
    // glibc as an archive wants the compiler's own library, which the standard library would bring.
    let features = set("CARGO_CFG_TARGET_FEATURE");
    if set("CARGO_CFG_TARGET_ENV") == "gnu" && features.split(',').any(|feature| feature == "crt-static") {
        let archives = "-Wl,-Bstatic,--start-group,-lgcc_eh,-lgcc,-lc,--end-group";
        println!("cargo:rustc-link-arg-bin=gorgon={archives}");
    }
}
