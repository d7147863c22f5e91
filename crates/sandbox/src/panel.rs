//! The control panel of a stand-in: its knobs, which request meets which fault, and how much it has to do.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::faults::{Fault, Turn};

/// Arrivals looked at for the busiest second.
const ARRIVALS_KEPT_MAX: usize = 100_000;

/// What came in since the start, whatever became of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) requests: u64,
    pub(crate) faults: u64,
    pub(crate) concurrent: usize,
    pub(crate) concurrent_max: usize,
    pub(crate) per_second_max: usize,
}

/// A request that has just come in.
pub(crate) struct Arrival {
    /// Its number, from 1.
    pub(crate) seq: u64,
    /// The fault it meets before anything is done for it.
    pub(crate) fault: Option<Fault>,
    /// What was asked for is to be done, and the answer to be lost.
    pub(crate) answer_lost: bool,
}

pub(crate) struct Panel<K> {
    knobs: watch::Sender<K>,
    /// Counts what is worth another look for those who wait.
    changes: watch::Sender<u64>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    traffic: Traffic,
    arrivals: VecDeque<Instant>,
    /// Requests, and faults among them, since the knobs were set.
    drawn: u64,
    hits: u64,
    knobs_set_at: Option<Instant>,
}

/// Counts a request as being answered for as long as it lives.
pub(crate) struct Answering<K: Turn>(Arc<Panel<K>>);

impl<K: Turn> Drop for Answering<K> {
    fn drop(&mut self) {
        self.0.lock().traffic.concurrent -= 1;
    }
}

impl<K: Turn> Panel<K> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            knobs: watch::Sender::new(K::default()),
            changes: watch::Sender::new(0),
            inner: Mutex::default(),
        })
    }

    pub(crate) fn knobs(&self) -> K {
        self.knobs.borrow().clone()
    }

    pub(crate) fn watch_knobs(&self) -> watch::Receiver<K> {
        self.knobs.subscribe()
    }

    /// Replaces all knobs, unless a value is out of its range.
    pub(crate) fn set_knobs(&self, knobs: K) -> Result<(), String> {
        knobs.check()?;
        let mut inner = self.lock();
        inner.drawn = 0;
        inner.hits = 0;
        inner.knobs_set_at = Some(Instant::now());
        self.knobs.send_replace(knobs);
        Ok(())
    }

    /// When the knobs were last set; nothing where they never were.
    pub(crate) fn knobs_set_at(&self) -> Option<Instant> {
        self.lock().knobs_set_at
    }

    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Wakes those who wait for something to happen.
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|changes| *changes = changes.wrapping_add(1));
    }

    pub(crate) fn answering(self: &Arc<Self>) -> Answering<K> {
        let mut inner = self.lock();
        inner.traffic.concurrent += 1;
        inner.traffic.concurrent_max = inner.traffic.concurrent_max.max(inner.traffic.concurrent);
        Answering(Arc::clone(self))
    }

    /// Counts a request and draws its fault.
    pub(crate) fn arrived(&self) -> Arrival {
        self.arrived_where(|_| true)
    }

    /// Counts a request and draws its fault, unless the knobs spare requests of its kind.
    pub(crate) fn arrived_where(&self, exposed: impl FnOnce(&K) -> bool) -> Arrival {
        let mut inner = self.lock();
        let now = Instant::now();
        inner.traffic.requests += 1;
        keep(&mut inner.arrivals, now, ARRIVALS_KEPT_MAX);
        while inner.arrivals.front().is_some_and(|first| now.duration_since(*first) >= Duration::from_secs(1))
        {
            inner.arrivals.pop_front();
        }
        inner.traffic.per_second_max = inner.traffic.per_second_max.max(inner.arrivals.len());
        let knobs = self.knobs.borrow();
        let exposed = exposed(&knobs);
        let fault = if exposed { knobs.faults().fault(inner.drawn, inner.hits) } else { None };
        drop(knobs);
        inner.drawn += u64::from(exposed);
        if fault.is_some() {
            inner.hits += 1;
            inner.traffic.faults += 1;
        }
        let answer_lost = fault == Some(Fault::AnswerLost);
        Arrival { seq: inner.traffic.requests, fault: fault.filter(|_| !answer_lost), answer_lost }
    }

    pub(crate) fn traffic(&self) -> Traffic {
        self.lock().traffic.clone()
    }

    /// A panic elsewhere leaves at worst a count that is off by one: go on.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds to a list that forgets its oldest entry where it would grow beyond `max`.
pub(crate) fn keep<T>(list: &mut VecDeque<T>, item: T, max: usize) {
    if list.len() >= max {
        list.pop_front();
    }
    list.push_back(item);
}
