//! Time on the processor: what else the machine does is not in it.

use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// How long each of these took, in nanoseconds of this thread on the processor.
pub fn each<T>(all: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>, mut work: impl FnMut(T)) -> f64 {
    let all = all.into_iter();
    let count = u32::try_from(all.len()).unwrap();
    let began = on_the_processor();
    all.for_each(&mut work);
    on_the_processor().duration_since(began).as_secs_f64() * 1e9 / f64::from(count)
}

/// The time that this thread has had on the processor, as if it had begun in 1970.
fn on_the_processor() -> Timestamp {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Timestamp::new(time.tv_sec, time.tv_nsec.try_into().unwrap()).unwrap()
}
