//! The checksum of etcd's files: CRC-32C, carried on from one record to the next.

use crc::{CRC_32_ISCSI, Crc};

const CASTAGNOLI: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// The checksum of `bytes` behind something whose checksum is `before`; 0 for the beginning.
pub(super) fn carry_on(before: u32, bytes: &[u8]) -> u32 {
    let mut digest = CASTAGNOLI.digest_with_initial((!before).reverse_bits());
    digest.update(bytes);
    digest.finalize()
}

#[cfg(test)]
mod tests {
    use super::carry_on;

    #[test]
    fn it_is_the_known_checksum_and_can_be_carried_on() {
        assert_eq!(carry_on(0, b"123456789"), 0xe306_9283);
        assert_eq!(carry_on(carry_on(0, b"1234"), b"56789"), 0xe306_9283);
        assert_eq!(carry_on(0, b""), 0);
    }
}
