//! How much is allocated for an input.

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Bytes that each byte of an input may cost. The smallest things that are read, an empty entry of
/// a log or an empty field of a form, have two bytes, and some hundred in memory.
const FACTOR: usize = 256;
/// Bytes that any input may cost.
const SLACK: usize = 64 * 1024;

/// Does `work` over an input of `len` bytes.
///
/// # Panics
/// If more is allocated at a time than that is worth. What other threads allocate counts too.
pub(crate) fn bounded<T>(len: usize, work: impl FnOnce() -> T) -> T {
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    let done = work();
    let used = ALLOCATOR.peak_usage().saturating_sub(before);
    assert!(used <= FACTOR * len + SLACK, "{used} bytes were allocated for an input of {len}");
    done
}
