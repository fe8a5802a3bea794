//! RTP packets, as far as a voice server reads them. Source: RFC 3550, section 5.1; RFC 3711, section 3.1.

/// Length of a header without contributing sources and extension, in bytes.
const FIXED: usize = 12;
/// Opus frame of silence (Voice, "Voice Data Interpolation").
pub(crate) const SILENCE: [u8; 3] = [0xf8, 0xff, 0xfe];

/// Header of an RTP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Number of the packet in its stream, modulo 2^16.
    pub(crate) sequence: u16,
    /// Time of its first sample, in samples, modulo 2^32.
    pub(crate) timestamp: u32,
    /// Synchronisation source.
    pub(crate) ssrc: u32,
    /// Length of what is never encrypted, in bytes: up to the contributing sources and the preamble of the extension.
    pub(crate) clear: usize,
    /// Length of the extension behind its preamble, in bytes, which is encrypted with the payload.
    extension: usize,
    padded: bool,
}

impl Header {
    /// Reads a header; returns `None` if this is no RTP packet of version 2.
    pub(crate) fn read(packet: &[u8]) -> Option<Self> {
        let fixed: &[u8; FIXED] = packet.first_chunk()?;
        if fixed[0] >> 6 != 2 || is_control(packet) {
            return None;
        }
        let mut clear = FIXED + 4 * usize::from(fixed[0] & 0x0f);
        let mut extension = 0;
        if fixed[0] & 0x10 != 0 {
            // The profile (0xBEDE for one-byte elements, 0x100x for two-byte ones), then the length in words.
            let preamble: &[u8; 4] = packet.get(clear..)?.first_chunk()?;
            extension = 4 * usize::from(u16::from_be_bytes([preamble[2], preamble[3]]));
            clear += preamble.len();
        }
        (packet.len() >= clear).then(|| Self {
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
            clear,
            extension,
            padded: fixed[0] & 0x20 != 0,
        })
    }

    /// Returns the media in a decrypted body, without the rest of the extension and without padding.
    pub(crate) fn payload<'a>(&self, body: &'a [u8]) -> Option<&'a [u8]> {
        let payload = body.get(self.extension..)?;
        if !self.padded {
            return Some(payload);
        }
        // The last byte of the padding is its length, itself included.
        let padding = usize::from(*payload.last()?);
        if padding == 0 { None } else { payload.get(..payload.len().checked_sub(padding)?) }
    }
}

/// Returns whether this is RTCP, which shares the port. Source: RFC 5761, section 4.
pub(crate) fn is_control(packet: &[u8]) -> bool {
    packet.len() >= 2 && packet[0] >> 6 == 2 && (192..=223).contains(&packet[1])
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::{Header, is_control};

    proptest! {
        #[test]
        fn no_packet_makes_the_reader_panic(packet in vec(any::<u8>(), 0..200), body in vec(any::<u8>(), 0..200)) {
            if let Some(header) = Header::read(&packet) {
                prop_assert!(header.clear <= packet.len());
                if let Some(payload) = header.payload(&body) {
                    prop_assert!(payload.len() <= body.len());
                }
            }
        }

        #[test]
        fn a_header_is_as_long_as_its_sources_and_the_preamble_say(
            sequence: u16, timestamp: u32, ssrc: u32,
            sources in vec(any::<u32>(), 0..16),
            extension in proptest::option::of((prop_oneof![Just(0xbede_u16), 0x1000_u16..0x1010], vec(any::<u32>(), 0..8))),
            payload in vec(any::<u8>(), 0..50),
            padding in 0_u8..9,
        ) {
            let first = 0x80
                | u8::from(padding > 0) << 5
                | u8::from(extension.is_some()) << 4
                | u8::try_from(sources.len()).unwrap();
            let mut clear = vec![first, 0x78];
            clear.extend(sequence.to_be_bytes());
            clear.extend(timestamp.to_be_bytes());
            clear.extend(ssrc.to_be_bytes());
            clear.extend(sources.iter().flat_map(|source| source.to_be_bytes()));
            let mut body = Vec::new();
            if let Some((profile, words)) = &extension {
                clear.extend(profile.to_be_bytes());
                clear.extend(u16::try_from(words.len()).unwrap().to_be_bytes());
                body.extend(words.iter().flat_map(|word| word.to_be_bytes()));
            }
            body.extend(&payload);
            body.resize(body.len() + usize::from(padding), padding);
            let packet = [clear.clone(), body.clone()].concat();
            let header = Header::read(&packet).unwrap();
            prop_assert_eq!(header.clear, clear.len());
            prop_assert_eq!((header.sequence, header.timestamp, header.ssrc), (sequence, timestamp, ssrc));
            prop_assert_eq!(header.payload(&body), Some(&payload[..]));
        }
    }

    #[test]
    fn what_is_no_audio_is_told_apart() {
        let mut packet = vec![0x80, 0x78];
        packet.resize(12, 0);
        assert!(Header::read(&packet).is_some());
        assert!(Header::read(&packet[..11]).is_none());
        packet[1] = 201;
        assert!(Header::read(&packet).is_none() && is_control(&packet));
        packet[..2].copy_from_slice(&[0x40, 0x78]);
        assert!(Header::read(&packet).is_none() && !is_control(&packet));
    }
}
