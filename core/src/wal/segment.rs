//! Reads the batches of one segment file and tells where they end, and why.

use core::ops::Range;

use super::batch::Found;
use super::header;

/// What lies behind the last batch that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    /// Where the last batch ends that follows the header without a gap.
    pub(super) end: u64,
    /// The highest durable mark of any batch of the file, those behind a hole included.
    pub(super) durable: u64,
    /// The end of the last byte that is not zero; `end` if only zeros follow.
    pub(super) written: u64,
    /// The CRC to which the next batch is to be chained.
    pub(super) chain: u32,
}

impl Ending {
    /// Whether something is damaged that was durable once, which no crash can do.
    pub(super) const fn is_corrupt(&self) -> bool {
        self.durable > self.end
    }
}

/// Hands the batches of a segment, whose header was found to be sound, to `each` until there are no more or it fails.
pub(super) fn read<E>(
    file: &[u8],
    salt: u64,
    mut each: impl FnMut(u64, &Found<'_>) -> Result<(), E>,
) -> Result<Ending, E> {
    let mut end = header::LEN;
    let mut durable = header::LEN;
    let mut chain = header::crc(file);
    while let Some(batch) = Found::at(file, end, salt).filter(|batch| batch.chain == chain) {
        each(end, &batch)?;
        durable = durable.max(batch.mark);
        end = batch.end;
        chain = batch.crc;
    }
    let written = written(file).max(end);
    Ok(Ending { end, durable: durable.max(behind(file, end..written, salt)), written, chain })
}

/// The end of the last byte that is not zero. The greater part of a segment is reserved and still
/// zero, so it is looked at by the block.
fn written(file: &[u8]) -> u64 {
    const BLOCK: usize = 256;
    let is_zero = |block: &&[u8]| block.iter().fold(0, |all, byte| all | byte) == 0;
    let zeros = BLOCK * file.rchunks_exact(BLOCK).take_while(is_zero).count();
    let rest = &file[..file.len() - zeros];
    rest.iter().rposition(|byte| *byte != 0).map_or(0, |at| at as u64 + 1)
}

/// The highest durable mark of the batches that begin in a range, or 0.
fn behind(file: &[u8], range: Range<u64>, salt: u64) -> u64 {
    let (mut at, mut durable) = (range.start, 0);
    while at < range.end {
        match Found::at(file, at, salt) {
            Some(batch) => {
                durable = durable.max(batch.mark);
                at = batch.end;
            }
            None => at += 8,
        }
    }
    durable
}
