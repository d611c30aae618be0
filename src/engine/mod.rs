//! The loop: slots, pages, listeners, timers, and the one place where services are called.
