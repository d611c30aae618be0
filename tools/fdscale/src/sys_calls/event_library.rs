//! libevent and libev, as far as they are needed here, out of the host's shared objects.
//!
//! Both call back with a pointer of ours: it leads to a [`Slot`], which lives in a box that is not moved or freed before
//! the library was told to forget it.

use std::ffi::{CStr, c_char, c_int, c_short, c_uint, c_void};
use std::io;
use std::os::fd::RawFd;
use std::ptr::null_mut;

use libc::timeval;

use super::Library;

/// How long every descriptor has, when deadlines are renewed: longer than any run.
const DEADLINE: c_int = 60;

/// What a callback is given.
struct Slot {
    told: *mut Vec<u32>,
    token: u32,
}

/// Notes that a slot's descriptor is ready.
///
/// # Safety
/// `slot` is a [`Slot`] whose list lives, and nobody else looks at that list meanwhile.
unsafe fn note(slot: *mut c_void) {
    let slot: *const Slot = slot.cast();
    // SAFETY: as the caller promises.
    if let Some(slot) = unsafe { slot.as_ref() } {
        // SAFETY: the list lives in a box of the same owner, who is within a call of the library.
        if let Some(told) = unsafe { slot.told.as_mut() } {
            told.push(slot.token);
        }
    }
}

fn missing(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("{what} is not installed"))
}

/// Declares a table of functions, and how it is filled from a library.
macro_rules! functions {
    ($table:ident { $($field:ident: $name:literal => fn($($argument:ty),*) $(-> $result:ty)?;)* }) => {
        #[derive(Clone, Copy)]
        struct $table { $($field: unsafe extern "C" fn($($argument),*) $(-> $result)?,)* }

        impl $table {
            fn find(library: Library) -> Option<$table> {
                Some($table { $($field: {
                    let symbol = library.find($name)?;
                    // SAFETY: the library's documentation declares the function of this name so.
                    unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C" fn($($argument),*) $(-> $result)?>(symbol) }
                },)* })
            }
        }
    };
}

type EventCallback = unsafe extern "C" fn(c_int, c_short, *mut c_void);

functions!(EventFunctions {
    config_new: c"event_config_new" => fn() -> *mut c_void;
    config_avoid: c"event_config_avoid_method" => fn(*mut c_void, *const c_char) -> c_int;
    config_free: c"event_config_free" => fn(*mut c_void);
    base_new: c"event_base_new_with_config" => fn(*mut c_void) -> *mut c_void;
    base_free: c"event_base_free" => fn(*mut c_void);
    base_loop: c"event_base_loop" => fn(*mut c_void, c_int) -> c_int;
    new: c"event_new" => fn(*mut c_void, c_int, c_short, EventCallback, *mut c_void) -> *mut c_void;
    add: c"event_add" => fn(*mut c_void, *const timeval) -> c_int;
    del: c"event_del" => fn(*mut c_void) -> c_int;
    free: c"event_free" => fn(*mut c_void);
});

const EVENT_TIMEOUT: c_short = 0x01;
const EVENT_READ: c_short = 0x02;
const EVENT_PERSIST: c_short = 0x10;
const LOOP_ONCE: c_int = 0x01;
const LOOP_AT_ONCE: c_int = 0x02;

unsafe extern "C" fn event_ready(_fd: c_int, what: c_short, slot: *mut c_void) {
    if what & EVENT_READ != 0 && what & EVENT_TIMEOUT == 0 {
        // SAFETY: the library gives back what it was given.
        unsafe { note(slot) };
    }
}

unsafe extern "C" fn nothing(_fd: c_int, _what: c_short, _slot: *mut c_void) {}

/// A libevent base.
pub struct Libevent {
    functions: EventFunctions,
    base: *mut c_void,
    /// Its select takes no descriptor above 1023: a build with `_FORTIFY_SOURCE` ends the process at one.
    short: bool,
    alarm: *mut c_void,
    /// By token.
    events: Vec<Option<(*mut c_void, *mut Slot)>>,
    /// From a box; freed in the end.
    told: *mut Vec<u32>,
}

impl Libevent {
    /// A base over the call of this name.
    ///
    /// # Errors
    /// `Unsupported`, when the library or the call is not there.
    pub fn new(call: &str) -> io::Result<Libevent> {
        let names = [
            c"libevent_core-2.1.so.7",
            c"libevent_core-2.2.so.1",
            c"libevent-2.1.so.7",
            c"libevent_core.so",
            c"libevent_core-2.1.7.dylib",
            c"libevent_core.dylib",
        ];
        let library = Library::open(&names).ok_or_else(|| missing("libevent"))?;
        let functions = EventFunctions::find(library).ok_or_else(|| missing("a libevent of version 2"))?;
        // SAFETY: the functions are called as libevent's manual says; the configuration is freed after its use.
        let base = unsafe {
            let config = (functions.config_new)();
            for other in [c"epoll", c"poll", c"select", c"kqueue", c"devpoll", c"evport", c"epoll_changelist"]
            {
                if other.to_str() != Ok(call) {
                    (functions.config_avoid)(config, other.as_ptr());
                }
            }
            let base = (functions.base_new)(config);
            (functions.config_free)(config);
            base
        };
        if base.is_null() {
            return Err(missing("libevent with this call"));
        }
        // SAFETY: the base was just made.
        let alarm = unsafe { (functions.new)(base, -1, 0, nothing, null_mut()) };
        Ok(Libevent {
            functions,
            base,
            short: call == "select",
            alarm,
            events: Vec::new(),
            told: Box::into_raw(Box::default()),
        })
    }

    /// Watches a descriptor.
    pub fn add(&mut self, fd: RawFd, token: u32) -> io::Result<()> {
        if self.short && fd >= 1024 {
            let reason = "libevent's select takes no descriptor above 1023";
            return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
        }
        let slot = Box::into_raw(Box::new(Slot { told: self.told, token }));
        // SAFETY: the base lives, and the slot does until the event is freed.
        let event = unsafe {
            (self.functions.new)(self.base, fd, EVENT_READ | EVENT_PERSIST, event_ready, slot.cast())
        };
        // SAFETY: the event was just made, and is not used when that failed.
        if event.is_null() || unsafe { (self.functions.add)(event, std::ptr::null()) } != 0 {
            // The slot is left where it is: a failed event may still know it.
            return Err(io::Error::last_os_error());
        }
        let at = token as usize;
        if self.events.len() <= at {
            self.events.resize_with(at + 1, || None);
        }
        if let Some(place) = self.events.get_mut(at) {
            *place = Some((event, slot));
        }
        Ok(())
    }

    /// Watches it no more.
    pub fn remove(&mut self, token: u32) -> io::Result<()> {
        let taken = self.events.get_mut(token as usize).and_then(Option::take);
        let (event, slot) = taken.ok_or(io::ErrorKind::NotFound)?;
        // SAFETY: the event is of this base; its slot came from a box and is freed after it.
        unsafe {
            (self.functions.del)(event);
            (self.functions.free)(event);
            drop(Box::from_raw(slot));
        }
        Ok(())
    }

    /// Gives a descriptor the full time again.
    pub fn renew(&mut self, token: u32) {
        let time = timeval { tv_sec: DEADLINE.into(), tv_usec: 0 };
        if let Some(Some((event, _))) = self.events.get(token as usize) {
            // SAFETY: the event is of this base, and the time outlives the call.
            unsafe { (self.functions.add)(*event, &raw const time) };
        }
    }

    /// Waits; none is for as long as deadlines allow.
    pub fn wait(&mut self, milliseconds: Option<i32>) -> io::Result<()> {
        // SAFETY: the list lives as long as this, and nobody looks at it meanwhile.
        unsafe { (*self.told).clear() };
        let flags = if milliseconds == Some(0) { LOOP_ONCE | LOOP_AT_ONCE } else { LOOP_ONCE };
        if let Some(time) = milliseconds.filter(|time| *time > 0) {
            let time =
                timeval { tv_sec: (time / 1000).into(), tv_usec: (time % 1000 * 1000) as libc::suseconds_t };
            // SAFETY: the event is of this base, and the time outlives the call.
            unsafe { (self.functions.add)(self.alarm, &raw const time) };
        }
        // SAFETY: the base lives; what it calls touches only the list, which is not looked at meanwhile.
        match unsafe { (self.functions.base_loop)(self.base, flags) } {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }

    /// What the last wait told.
    pub fn told(&self) -> &[u32] {
        // SAFETY: the list lives as long as this, and changes only in calls that have this for their own.
        unsafe { &*self.told }
    }
}

impl Drop for Libevent {
    fn drop(&mut self) {
        for token in 0..self.events.len() {
            let _ = self.remove(token as u32);
        }
        // SAFETY: all events of the base but this one are freed.
        unsafe {
            (self.functions.free)(self.alarm);
            (self.functions.base_free)(self.base);
            drop(Box::from_raw(self.told));
        }
    }
}

/// What libev's watchers have in front (`ev.h`, as it is built unless somebody changes it).
#[repr(C)]
struct Head {
    active: c_int,
    pending: c_int,
    priority: c_int,
    data: *mut c_void,
    callback: unsafe extern "C" fn(*mut c_void, *mut c_void, c_int),
}

#[repr(C)]
struct IoWatcher {
    head: Head,
    next: *mut c_void,
    fd: c_int,
    events: c_int,
}

#[repr(C)]
struct TimerWatcher {
    head: Head,
    at: f64,
    repeat: f64,
}

functions!(EvFunctions {
    new: c"ev_loop_new" => fn(c_uint) -> *mut c_void;
    destroy: c"ev_loop_destroy" => fn(*mut c_void);
    run: c"ev_run" => fn(*mut c_void, c_int) -> c_int;
    backend: c"ev_backend" => fn(*mut c_void) -> c_uint;
    io_start: c"ev_io_start" => fn(*mut c_void, *mut IoWatcher);
    io_stop: c"ev_io_stop" => fn(*mut c_void, *mut IoWatcher);
    timer_again: c"ev_timer_again" => fn(*mut c_void, *mut TimerWatcher);
    timer_stop: c"ev_timer_stop" => fn(*mut c_void, *mut TimerWatcher);
});

const EV_READ: c_int = 0x01;
const EV_FD_SET: c_int = 0x80;
const EV_NO_ENVIRONMENT: c_uint = 0x0100_0000;
const EV_AT_ONCE: c_int = 1;
const EV_ONCE: c_int = 2;

unsafe extern "C" fn ev_ready(_ev: *mut c_void, watcher: *mut c_void, what: c_int) {
    let watcher: *const IoWatcher = watcher.cast();
    if what & EV_READ != 0 {
        // SAFETY: it is called for watchers that were made with it only, whose data is a slot.
        unsafe { note((*watcher).head.data) };
    }
}

unsafe extern "C" fn ev_nothing(_ev: *mut c_void, _watcher: *mut c_void, _what: c_int) {}

/// One descriptor in libev.
struct Watched {
    io: IoWatcher,
    timer: TimerWatcher,
    slot: Slot,
}

fn timer(seconds: f64) -> TimerWatcher {
    let head = Head { active: 0, pending: 0, priority: 0, data: null_mut(), callback: ev_nothing };
    TimerWatcher { head, at: seconds, repeat: seconds }
}

/// A libev loop.
pub struct Libev {
    functions: EvFunctions,
    ev: *mut c_void,
    /// From a box; freed in the end.
    alarm: *mut TimerWatcher,
    /// By token.
    watched: Vec<Option<*mut Watched>>,
    /// From a box; freed in the end.
    told: *mut Vec<u32>,
}

impl Libev {
    /// A loop over the call of this name.
    ///
    /// # Errors
    /// `Unsupported`, when the library or the call is not there.
    pub fn new(call: &str) -> io::Result<Libev> {
        let names: [&CStr; 4] = [c"libev.so.4", c"libev.so", c"libev.4.dylib", c"libev.dylib"];
        let library = Library::open(&names).ok_or_else(|| missing("libev"))?;
        let functions = EvFunctions::find(library).ok_or_else(|| missing("a libev of version 4"))?;
        let flag = match call {
            "select" => 1,
            "poll" => 2,
            "epoll" => 4,
            "kqueue" => 8,
            _ => 0,
        };
        // SAFETY: flags as libev's manual has them.
        let ev = unsafe { (functions.new)(flag | EV_NO_ENVIRONMENT) };
        if ev.is_null() {
            return Err(missing("libev with this call"));
        }
        let own = Libev {
            functions,
            ev,
            alarm: Box::into_raw(Box::new(timer(0.0))),
            watched: Vec::new(),
            told: Box::into_raw(Box::default()),
        };
        // SAFETY: the loop was just made.
        if unsafe { (functions.backend)(ev) } != flag {
            return Err(missing("libev with this call"));
        }
        Ok(own)
    }

    /// Watches a descriptor: the kernel is told in the next wait.
    pub fn add(&mut self, fd: RawFd, token: u32) -> io::Result<()> {
        let head = Head { active: 0, pending: 0, priority: 0, data: null_mut(), callback: ev_ready };
        let watched = Box::into_raw(Box::new(Watched {
            io: IoWatcher { head, next: null_mut(), fd, events: EV_READ | EV_FD_SET },
            timer: timer(DEADLINE.into()),
            slot: Slot { told: self.told, token },
        }));
        // SAFETY: loop and watcher live; the watcher came from a box, and is stopped before it is freed.
        unsafe {
            let slot: *mut Slot = &raw mut (*watched).slot;
            (*watched).io.head.data = slot.cast();
            (self.functions.io_start)(self.ev, &raw mut (*watched).io);
        }
        let at = token as usize;
        if self.watched.len() <= at {
            self.watched.resize_with(at + 1, || None);
        }
        if let Some(place) = self.watched.get_mut(at) {
            *place = Some(watched);
        }
        Ok(())
    }

    /// Watches it no more.
    pub fn remove(&mut self, token: u32) -> io::Result<()> {
        let taken = self.watched.get_mut(token as usize).and_then(Option::take);
        let watched = taken.ok_or(io::ErrorKind::NotFound)?;
        // SAFETY: both are watchers of this loop, or were never started, which is no matter. They came from a box.
        unsafe {
            (self.functions.io_stop)(self.ev, &raw mut (*watched).io);
            (self.functions.timer_stop)(self.ev, &raw mut (*watched).timer);
            drop(Box::from_raw(watched));
        }
        Ok(())
    }

    /// Gives a descriptor the full time again.
    pub fn renew(&mut self, token: u32) {
        if let Some(Some(watched)) = self.watched.get(token as usize) {
            // SAFETY: the watcher lives, and is stopped before it is freed.
            unsafe { (self.functions.timer_again)(self.ev, &raw mut (**watched).timer) };
        }
    }

    /// Waits; none is for as long as deadlines allow.
    pub fn wait(&mut self, milliseconds: Option<i32>) -> io::Result<()> {
        // SAFETY: the list lives as long as this, and nobody looks at it meanwhile.
        unsafe { (*self.told).clear() };
        if let Some(time) = milliseconds.filter(|time| *time > 0) {
            // SAFETY: the watcher lives, and is stopped before it is freed.
            unsafe {
                (*self.alarm).repeat = f64::from(time) / 1000.0;
                (self.functions.timer_again)(self.ev, self.alarm);
            }
        }
        let flags = if milliseconds == Some(0) { EV_AT_ONCE } else { EV_ONCE };
        // SAFETY: the loop lives; what it calls touches only the list, which is not looked at meanwhile.
        unsafe { (self.functions.run)(self.ev, flags) };
        if milliseconds.is_some_and(|time| time > 0) {
            // SAFETY: a watcher of this loop.
            unsafe { (self.functions.timer_stop)(self.ev, self.alarm) };
        }
        Ok(())
    }

    /// What the last wait told.
    pub fn told(&self) -> &[u32] {
        // SAFETY: the list lives as long as this, and changes only in calls that have this for their own.
        unsafe { &*self.told }
    }
}

impl Drop for Libev {
    fn drop(&mut self) {
        for token in 0..self.watched.len() {
            let _ = self.remove(token as u32);
        }
        // SAFETY: no watcher is left in the loop; the rest came from boxes.
        unsafe {
            (self.functions.destroy)(self.ev);
            drop(Box::from_raw(self.alarm));
            drop(Box::from_raw(self.told));
        }
    }
}
