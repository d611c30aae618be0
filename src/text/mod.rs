//! Small codecs on bytes: no I/O, no allocation where the caller can lend a buffer.
