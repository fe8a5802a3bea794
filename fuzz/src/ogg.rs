//! Checksums of Ogg pages, which no mutation gets right by chance.

/// Corrects the checksums of all pages: RFC 3533, section 6.
pub fn seal(bytes: &mut [u8]) {
    let mut at = 0;
    while let Some(head) = bytes.get(at..at + 27) {
        if !head.starts_with(b"OggS") {
            at += 1;
            continue;
        }
        let lengths = bytes.get(at + 27..at + 27 + usize::from(head[26])).unwrap_or_default();
        let end = at + 27 + lengths.len() + lengths.iter().copied().map(usize::from).sum::<usize>();
        let Some(page) = bytes.get_mut(at..end) else { return };
        page[22..26].fill(0);
        let sum = checksum(page);
        page[22..26].copy_from_slice(&sum.to_le_bytes());
        at = end;
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte) << 24, |sum, _| {
            sum << 1 ^ if sum >> 31 == 1 { 0x04c1_1db7 } else { 0 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::seal;

    #[test]
    fn the_pages_of_a_file_are_sealed_as_they_were() {
        let whole = include_bytes!("../seeds/demux_decode/opus-f");
        let mut sealed = whole.to_vec();
        let head = sealed.windows(4).position(|mark| mark == b"OggS").unwrap();
        sealed[head + 22..head + 26].fill(7);
        assert_ne!(sealed, whole);
        seal(&mut sealed);
        assert_eq!(sealed, whole);
    }
}
