//! [`Loop`]: all that the loop owns besides the services, and what a service may ask of it.

use alloc::vec::Vec;

use gorgon_sys::{Address, Child, Errno, OwnedFd, Poller, PollerKind, Ready};

use super::buffers::{Buffers, SizeRange, Streaks};
use super::clients::ClientId;
use super::conn::{Conn, Flags, Mode, NONE, Slots};
use super::disk::Disk;
use super::limits::Counters;
use super::listener::{Listener, NO_LISTENER};
use super::naming::Naming;
use super::output::Outputs;
use super::pages::{PageId, Pages};
use super::refused::Refused;
use super::services::ServiceState;
use super::statistics::Statistics;
use super::timeouts::{NO_LIST, Timeouts};
use super::timers::{Owner, Timers};
use super::values::{ConnId, FileRange, Files, Flow, Key, Now, TICK_MILLISECONDS, Tick, Timeout};

/// Nanoseconds.
const SECOND: i64 = 1_000_000_000;
/// Nanoseconds.
const MILLISECOND: u64 = 1_000_000;

/// What is left of a connection that is gone.
#[derive(Clone, Copy)]
pub(super) struct Leaving {
    pub(super) id: ConnId,
    pub(super) service: u8,
    pub(super) client: ClientId,
}

/// The loop's own things.
pub struct Loop {
    pub(super) poller: Poller,
    pub(super) slots: Slots,
    pub(super) pages: Pages,
    pub(super) outputs: Outputs,
    pub(super) files: Files,
    pub(super) refused: Refused,
    pub(super) listeners: Vec<Option<Listener>>,
    /// The last listener's serial number.
    pub(super) listener_serial: u32,
    pub(super) paused: usize,
    /// Connections that lead to parts of the program.
    pub(super) inside: usize,
    pub(super) reserve: Option<OwnedFd>,
    pub(super) services: Vec<ServiceState>,
    /// Connections whose clients' names are waited for.
    pub(super) naming: Naming,
    pub(super) timeouts: Timeouts,
    pub(super) timers: Timers,
    /// When the program wants a turn to end, in milliseconds.
    alarm: Option<u64>,
    pub(super) trim_set: bool,
    pub(super) accept_set: bool,
    pub(super) now: Now,
    started_ns: u64,
    /// When the millisecond of `now` began, by the clock that is never set, in nanoseconds.
    now_ns: u64,
    /// How far into its tick that is, in milliseconds.
    into_tick: u64,
    /// When the clock of the day was read, and how far ahead it was, in nanoseconds.
    day: (u64, i64),
    /// Connections that go on in the next turn though nothing is reported of them.
    pub(super) queue: Vec<ConnId>,
    /// Connections that go on when the disk may have answered.
    pub(super) disk_queue: Vec<ConnId>,
    /// What the kernel tells of files in memory.
    pub(super) disk: Disk,
    /// A connection was closed since the last settling: there may be room for others.
    pub(super) released: bool,
    /// Something was put off after the last settling.
    pub(super) unsettled: bool,
    pub(super) woken: Vec<ConnId>,
    pub(super) doomed: Vec<ConnId>,
    pub(super) starved: Vec<ConnId>,
    /// A timer is set for them.
    pub(super) starved_set: bool,
    /// The connection that is gone but whose service is being told: its address may still be asked for.
    pub(super) leaving: Option<Leaving>,
    /// Bytes for the connection that is about to be closed that are nowhere kept.
    pub(super) lost: u64,
    pub(super) draining: bool,
    /// When the time for that is over, in milliseconds.
    pub(super) grace_until: u64,
    /// Services that drain, and one more when all does.
    pub(super) drainings: usize,
    /// Services that are to be removed.
    pub(super) removing: usize,
    /// Services or listeners that go are to be looked after.
    pub(super) chores: bool,
    pub(super) stopped: bool,
    /// Helper processes that were ended and may still run.
    pub(super) children: Vec<Child>,
    /// But for the bytes, which are counted by service; here are those of services that are gone.
    pub(super) counters: Counters,
    pub(super) statistics: Statistics,
}

impl Loop {
    /// An empty loop over one of the host's pollers.
    ///
    /// # Errors
    /// The system's, when the poller cannot be had.
    pub fn new(poller: PollerKind, page_memory: usize) -> Result<Loop, Errno> {
        let mut lp = Loop {
            poller: Poller::new(poller)?,
            slots: Slots::default(),
            pages: Pages::new(page_memory),
            outputs: Outputs::new(),
            files: Files::default(),
            refused: Refused::default(),
            listeners: Vec::new(),
            listener_serial: 0,
            paused: 0,
            inside: 0,
            reserve: None,
            services: Vec::new(),
            naming: Naming::default(),
            timeouts: Timeouts::default(),
            timers: Timers::default(),
            alarm: None,
            trim_set: false,
            accept_set: false,
            now: Now::default(),
            started_ns: gorgon_sys::monotonic(),
            now_ns: 0,
            into_tick: 0,
            day: (0, 0),
            queue: Vec::new(),
            disk_queue: Vec::new(),
            disk: Disk::new(),
            released: false,
            unsettled: false,
            woken: Vec::new(),
            doomed: Vec::new(),
            starved: Vec::new(),
            starved_set: false,
            leaving: None,
            lost: 0,
            draining: false,
            grace_until: 0,
            drainings: 0,
            removing: 0,
            chores: false,
            stopped: false,
            children: Vec::new(),
            counters: Counters::default(),
            statistics: Statistics::default(),
        };
        lp.read_clock();
        lp.take_reserve();
        Ok(lp)
    }

    /// Reads the clock: once a turn. Says whether the millisecond is another one: in most turns it is not, and nothing is
    /// worked out. How far the clock of the day is from the one that is never set is looked at once a tick.
    pub(super) fn read_clock(&mut self) -> bool {
        let monotonic = gorgon_sys::monotonic();
        self.statistics.begin(monotonic);
        if monotonic.wrapping_sub(self.now_ns) < MILLISECOND {
            return false;
        }
        let (at, ahead) = &mut self.day;
        if *at == 0 || monotonic.wrapping_sub(*at) >= TICK_MILLISECONDS * MILLISECOND {
            let times = gorgon_sys::now();
            *at = monotonic;
            let day = times.unix_seconds.saturating_mul(SECOND).saturating_add(times.unix_nanos.into());
            *ahead = day.saturating_sub_unsigned(times.monotonic_ns);
        }
        let day = ahead.saturating_add_unsigned(monotonic);
        let milliseconds = monotonic.saturating_sub(self.started_ns) / MILLISECOND;
        self.into_tick = milliseconds % TICK_MILLISECONDS;
        self.now_ns = self.started_ns + milliseconds * MILLISECOND;
        self.now = Now {
            tick: (milliseconds / TICK_MILLISECONDS) as Tick,
            milliseconds,
            unix_seconds: day.div_euclid(SECOND),
        };
        true
    }

    /// The time of this turn.
    pub fn now(&self) -> Now {
        self.now
    }

    /// Whether it takes no new connections, and ends with those that are there.
    pub fn is_draining(&self) -> bool {
        self.draining
    }

    /// What was counted so far.
    pub fn counters(&self) -> Counters {
        let mut counters = self.counters;
        for state in &self.services {
            counters.bytes_received += state.received;
            counters.bytes_sent += state.sent;
        }
        counters
    }

    /// How many connections are open, but for those that lead to parts of the program.
    pub fn connections(&self) -> usize {
        self.slots.len() - self.inside
    }

    /// Whether those are all gone that a loop that drains waits for.
    pub(super) fn is_deserted(&self) -> bool {
        let lookers = self.services.iter().filter(|state| state.limits.looks_on);
        self.connections() <= lookers.map(|state| state.open - state.inside).sum()
    }

    /// Bytes of pages lent to connections.
    pub fn page_bytes(&self) -> usize {
        self.pages.used()
    }

    /// The table of open files.
    pub fn files(&mut self) -> &mut Files {
        &mut self.files
    }

    /// Sets a timer: `on_timer` of the service is called with the token in `milliseconds`.
    pub fn set_timer(&mut self, milliseconds: u64, service: u8, token: u32) {
        let due = self.now.milliseconds.saturating_add(milliseconds);
        self.timers.set(due, Owner::Service(service, token));
    }

    /// Has a turn end at that time, in milliseconds on the loop's clock, though nothing else happens: what then is to be
    /// done is the program's matter. It holds until it is set anew; one that is past ends every turn at once.
    pub fn set_alarm(&mut self, due: Option<u64>) {
        self.alarm = due;
    }

    /// Makes an outbound connection for a service. `on_open` follows when it is there, `on_close` when it cannot be made.
    /// `class` bounds the time it may take.
    ///
    /// # Errors
    /// Those the system tells at once.
    pub fn connect(
        &mut self,
        service: u8,
        key: Key,
        address: &Address,
        class: Timeout,
    ) -> Result<ConnId, Errno> {
        let Some(state) = self.services.get(usize::from(service)).filter(|state| state.is_used()) else {
            return Err(Errno::INVAL);
        };
        if state.is_full() {
            return Err(Errno::MFILE);
        }
        let sizes = Buffers::fixed(state.limits.read_size, state.limits.write_size);
        let (fd, connected) = gorgon_sys::connect(address)?;
        let id = self.add_conn(fd, service, sizes, Mode::Connecting, ClientId::NONE, NO_LISTENER)?;
        if let Some(conn) = self.slots.get_mut(id) {
            conn.key = key;
            conn.class = class;
        }
        self.timeouts.arm(&mut self.slots, id, class, self.now.tick);
        if connected {
            // `on_open` is called from the queue, not within this call.
            self.go_on_later(id);
        } else {
            self.watch(id);
        }
        Ok(id)
    }

    /// Takes a socket that leads to a part of the program as a connection of a service; `on_open` follows. It counts for
    /// nothing when the loop asks whether somebody is left.
    ///
    /// # Errors
    /// When there is no room.
    pub fn adopt(&mut self, fd: OwnedFd, service: u8) -> Result<ConnId, Errno> {
        let Some(state) = self.services.get(usize::from(service)).filter(|state| state.is_used()) else {
            return Err(Errno::INVAL);
        };
        let sizes = Buffers::fixed(state.limits.read_size, state.limits.write_size);
        let id = self.add_conn(fd, service, sizes, Mode::Connecting, ClientId::NONE, NO_LISTENER)?;
        if let Some(conn) = self.slots.get_mut(id) {
            conn.flags.set(Flags::INSIDE);
            self.inside += 1;
            if let Some(state) = self.services.get_mut(usize::from(service)) {
                state.inside += 1;
            }
        }
        self.go_on_later(id);
        Ok(id)
    }

    /// Gives a connection its slot.
    pub(super) fn add_conn(
        &mut self,
        fd: OwnedFd,
        service: u8,
        buffers: Buffers,
        mode: Mode,
        client: ClientId,
        listener: u16,
    ) -> Result<ConnId, Errno> {
        let (read_range, write_range) = (SizeRange::of(buffers.read), SizeRange::of(buffers.write));
        let id = self.slots.insert(Conn {
            fd,
            generation: 0,
            key: 0,
            deadline: self.now.tick,
            opened: self.now.tick,
            previous: NONE,
            next: NONE,
            input: PageId::NONE,
            input_length: 0,
            resume: 0,
            client,
            output: NONE,
            list: NO_LIST,
            listener,
            service,
            interest: Ready::NONE,
            mode,
            flags: Flags::default(),
            class: Timeout::NEVER,
            read_size: read_range.least(),
            write_size: write_range.least(),
            read_range,
            write_range,
            streaks: Streaks::default(),
        })?;
        if let Some(state) = self.services.get_mut(usize::from(service)) {
            state.open += 1;
            state.opened += 1;
        }
        Ok(id)
    }

    /// Sends bytes on another connection of the same service, after all it holds.
    pub fn send(&mut self, id: ConnId, bytes: &[u8]) -> Flow {
        let flow = self.transmit(id, bytes, &[]);
        self.sent_from_outside(id, flow)
    }

    /// Sends a file on another connection of the same service, after all it holds. The range's hold on its file passes
    /// to that connection.
    pub fn start_file(&mut self, id: ConnId, range: FileRange) -> Flow {
        let flow = self.hold_file(id, range);
        self.sent_from_outside(id, flow)
    }

    fn sent_from_outside(&mut self, id: ConnId, flow: Flow) -> Flow {
        match flow {
            Flow::Done => {}
            Flow::Held => {
                if let Some(conn) = self.slots.get_mut(id) {
                    conn.flags.set(Flags::NOTIFY);
                }
                self.watch(id);
                self.timeouts.arm(&mut self.slots, id, Timeout::WRITE, self.now.tick);
            }
            Flow::Dead => {
                // It is closed later, and others before it.
                self.lost = 0;
                self.close(id);
            }
        }
        flow
    }

    /// Has `on_wake` called, in this turn; while output is held, `on_drained` instead, once it is out.
    pub fn wake(&mut self, id: ConnId) {
        let Some(conn) = self.slots.get_mut(id) else { return };
        if !conn.flags.has(Flags::WOKEN) {
            conn.flags.set(Flags::WOKEN);
            self.woken.push(id);
        }
    }

    /// Has `settle` of the services called without a wait before it, though this may be the last that happens in this
    /// turn: for what is put off while they settle.
    pub fn settle_soon(&mut self) {
        self.unsettled = true;
    }

    /// Closes a connection, in this turn, without waiting for its output.
    pub fn close(&mut self, id: ConnId) {
        if self.slots.get(id).is_some() {
            self.doomed.push(id);
        }
    }

    /// Accepts no more, closes idle connections, lets the others finish, and stops when all are gone or the time is over.
    pub fn drain(&mut self, milliseconds: u64) {
        if !self.draining {
            self.draining = true;
            self.drainings += 1;
            self.set_grace(milliseconds);
        }
    }

    /// Sets how long from now on the loop that drains waits for its connections, in milliseconds.
    pub fn set_grace(&mut self, milliseconds: u64) {
        if self.draining {
            self.grace_until = self.now.milliseconds.saturating_add(milliseconds);
            self.timers.set(self.grace_until, Owner::Grace);
        }
    }

    /// Sets at how many bytes the pool of pages is full. What is lent stays lent.
    pub fn set_page_memory(&mut self, bytes: usize) {
        self.pages.set_cap(bytes);
        // Those that waited for room are looked at in this turn, if there is some now.
        self.unsettled = true;
    }

    /// Whether the loop was stopped or drains: each turn from now on may be the last one.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.stopped || self.draining
    }

    /// Closes all and stops after this turn.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// Has the connection go on in the next turn.
    pub(super) fn go_on_later(&mut self, id: ConnId) {
        let Some(conn) = self.slots.get_mut(id) else { return };
        if !conn.flags.has(Flags::QUEUED) {
            conn.flags.set(Flags::QUEUED);
            self.queue.push(id);
        }
    }

    /// Has the connection go on when the disk may have answered.
    pub(super) fn go_on_after_disk(&mut self, id: ConnId) {
        let Some(conn) = self.slots.get_mut(id) else { return };
        if !conn.flags.has(Flags::QUEUED) {
            conn.flags.set(Flags::QUEUED);
            self.disk_queue.push(id);
        }
    }

    /// Sets a timer that gives spare memory back, if there is any.
    pub(super) fn plan_trim(&mut self) {
        if self.trim_set {
            return;
        }
        let has_spare = self.slots.has_spare()
            || self.pages.has_spare()
            || self.outputs.has_spare()
            || self.services.iter().any(|service| service.clients.has_spare());
        if has_spare {
            self.trim_set = true;
            self.timers.set(self.now.milliseconds + 1000, Owner::Trim);
        }
    }

    /// Gives spare memory back.
    pub(super) fn trim(&mut self) {
        self.trim_set = false;
        self.slots.trim();
        self.pages.trim();
        self.outputs.trim();
        gorgon_sys::trim_heap();
        self.services.iter_mut().for_each(|service| service.clients.trim());
    }

    /// How long the poller may wait, in milliseconds rounded up; none is for ever.
    pub(super) fn patience(&mut self) -> Option<u32> {
        // The first turn of draining closes the listeners; the last one sees that nobody is left.
        let leaving = self.draining && (self.is_deserted() || self.listeners.iter().any(Option::is_some));
        if !self.queue.is_empty()
            || !self.woken.is_empty()
            || !self.doomed.is_empty()
            || self.stopped
            || self.unsettled
            || leaving
        {
            return Some(0);
        }
        if !self.disk_queue.is_empty() {
            return Some(1);
        }
        let tick = self.timeouts.earliest(&mut self.slots, self.now.tick).map(|tick| {
            let left = i64::from(tick.wrapping_sub(self.now.tick) as i32).max(0) as u64;
            (left * TICK_MILLISECONDS).saturating_sub(self.into_tick)
        });
        let earliest = self.timers.earliest().into_iter().chain(self.alarm).min();
        let timer = earliest.map(|due| due.saturating_sub(self.now.milliseconds));
        let wait = match (tick, timer) {
            (Some(tick), Some(timer)) => tick.min(timer),
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => return None,
        };
        // The clock was read before the work of the turn, and milliseconds are cut: one more is never too early.
        Some(u32::try_from(wait.saturating_add(1)).unwrap_or(u32::MAX).min(i32::MAX as u32))
    }
}
