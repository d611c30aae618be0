//! Every system call Gorgon makes, and all of its unsafe code.
