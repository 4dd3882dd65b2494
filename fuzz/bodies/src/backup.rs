//! The file of a backup, as it was written, and as nobody ever wrote it.

use quorate_core::Config;
use quorate_core::backup::{PIECE, Pieces, Reader, restore};
use quorate_core::config::Settings;

use crate::explained;
use crate::memory::bounded;

/// The head without its checksum.
const HEAD: usize = 88;
const CRC: usize = 4;

/// It is read as it is, and again with checksums that hold.
pub fn run(input: &[u8]) {
    read(input);
    let mut sealed = input.to_vec();
    reseal(&mut sealed);
    read(&sealed);
}

fn read(file: &[u8]) {
    let read = bounded(file.len(), || {
        let mut reader = Reader::keeping();
        reader.push(file)?;
        reader.finish()
    });
    let (head, dump) = match read {
        Ok(read) => read,
        Err(damage) => return explained(&damage.of("backup")),
    };
    let again: Vec<u8> = Pieces::new(head, dump.clone()).flatten().collect();
    assert_eq!(again.len(), file.len(), "what is read can be written again");
    let settings = Settings::new().flag("initial-cluster", "default=http://a:1,b=http://b:1");
    let config = Config::validate(settings, [1; 32]).expect("the flags are in order");
    match restore(&head, &dump, &config) {
        Err(refusal) => explained(&refusal),
        Ok(restored) => {
            assert_ne!(restored.content.owner.cluster, head.cluster, "it is another one");
            assert!(restored.store_index >= head.store_index, "indexes go on");
        }
    }
}

/// Puts each checksum right. Behind the head and each piece stands that of all before it.
fn reseal(file: &mut [u8]) {
    let mut start = 0;
    let mut len = HEAD;
    while start + CRC < file.len() {
        let end = (start + len).min(file.len() - CRC);
        let crc = crc32fast::hash(&file[..end]);
        file[end..end + CRC].copy_from_slice(&crc.to_le_bytes());
        start = end + CRC;
        len = PIECE;
    }
}
