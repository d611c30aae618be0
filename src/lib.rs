//! Gorgon: one small process, one thread, one loop, that serves files and can be examined while it runs.
#![forbid(unsafe_code)]
