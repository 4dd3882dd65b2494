//! Checksums that hold for whatever the fuzzer made of a log.
//!
//! A changed byte breaks a CRC, and what is behind the CRCs would never be reached. So the format,
//! as `core/src/wal` states it, is read here a second time, and each checksum is put right.

/// The length of the header of a segment, whose last four bytes are its CRC.
const SEGMENT: usize = 256;
/// The length of the header of a batch.
const BATCH: usize = 32;
/// The length of the header of a record.
const RECORD: usize = 12;

/// Puts the checksums of a segment right, and all that has to be like something else: the salt of
/// each batch, the number of its records, its chain, its padding. Ends at the first batch whose
/// lengths do not fit.
pub(crate) fn reseal(file: &mut [u8]) {
    let Some((header, _)) = file.split_at_mut_checked(SEGMENT) else { return };
    let salt: [u8; 8] = header[40..48].try_into().unwrap_or_default();
    let mut chain = crc32fast::hash(&header[..SEGMENT - 4]);
    header[SEGMENT - 4..].copy_from_slice(&chain.to_le_bytes());
    let mut at = SEGMENT;
    while let Some((crc, len)) =
        file.get_mut(at..).and_then(|bytes| seal_batch(bytes, at as u64, salt, chain))
    {
        (chain, at) = (crc, at + len);
    }
}

/// The CRC and the length of a batch that was put right.
fn seal_batch(bytes: &mut [u8], at: u64, salt: [u8; 8], chain: u32) -> Option<(u32, usize)> {
    let body_len = number(bytes, 8)?;
    let len = BATCH.checked_add(body_len)?.checked_next_multiple_of(8)?;
    let (header, rest) = bytes.get_mut(..len)?.split_at_mut(BATCH);
    let (body, padding) = rest.split_at_mut(body_len);
    padding.fill(0);
    header[..8].copy_from_slice(&salt);
    header[24..28].copy_from_slice(&chain.to_le_bytes());
    let mark = header[16..24].try_into().map_or(0, u64::from_le_bytes);
    header[16..24].copy_from_slice(&mark.clamp(SEGMENT as u64, at).to_le_bytes());
    let (mut records, mut start) = (0_u32, 0);
    let mut headers = Vec::new();
    while start < body.len() {
        let content = start.checked_add(RECORD)?;
        let end = content.checked_add(number(body, start)?)?;
        let crc = crc32fast::hash(body.get(content..end)?);
        body[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
        headers.extend_from_slice(&body[start..content]);
        (records, start) = (records + 1, end);
    }
    header[12..16].copy_from_slice(&records.to_le_bytes());
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&at.to_le_bytes());
    hasher.update(&header[..BATCH - 4]);
    hasher.update(&headers);
    let crc = hasher.finalize();
    header[BATCH - 4..].copy_from_slice(&crc.to_le_bytes());
    Some((crc, len))
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..)?.first_chunk::<4>()?;
    usize::try_from(u32::from_le_bytes(*bytes)).ok()
}
