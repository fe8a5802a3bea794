//! What a frame looks like from outside (DAVE protocol, "Payload Format" and "Silence Packets").

/// Opus frame of silence, which passes in plain: a server may put it in place of a muted source.
const SILENCE: [u8; 3] = [0xF8, 0xFF, 0xFE];

const MARKER: [u8; 2] = [0xFA, 0xFA];

/// Length of the authentication tag, in bytes.
const TAG: usize = 8;

/// Length of what surrounds a nonce, in bytes: the tag before, and the size and the marker behind.
const AROUND_NONCE: usize = TAG + 1 + MARKER.len();

pub(super) fn is_silence(frame: &[u8]) -> bool {
    frame == SILENCE
}

/// Returns whether this is a frame of Opus in the protocol's format: tag, nonce, size and marker fit each other.
///
/// Ranges in plain occur between nonce and size in frames of other codecs; Opus is encrypted whole.
pub(super) fn is_encrypted(frame: &[u8]) -> bool {
    let Some([rest @ .., size]) = frame.strip_suffix(&MARKER) else { return false };
    let Some(nonce_size) = usize::from(*size).checked_sub(AROUND_NONCE) else { return false };
    let Some(start) = rest.len().checked_sub(nonce_size) else { return false };
    start >= TAG && is_nonce(&rest[start..])
}

/// Returns whether these bytes are one number of 32 bits in ULEB128.
fn is_nonce(bytes: &[u8]) -> bool {
    let Some((last, before)) = bytes.split_last() else { return false };
    let continued = before.iter().all(|byte| byte & 0x80 != 0);
    let fits = before.len() < 4 || (before.len() == 4 && *last < 0x10);
    continued && fits && last & 0x80 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a frame of some ciphertext, a tag, these bytes of nonce and this size.
    fn frame(ciphertext: usize, nonce: &[u8], size: usize) -> Vec<u8> {
        let mut frame = vec![0; ciphertext + TAG];
        frame.extend(nonce);
        frame.extend([u8::try_from(size).expect("small"), 0xFA, 0xFA]);
        frame
    }

    #[test]
    fn tag_nonce_size_and_marker_make_an_encrypted_frame() {
        for nonce in [&[0][..], &[0x7f], &[0x80, 0x01], &[0xff, 0xff, 0xff, 0xff, 0x0f]] {
            for ciphertext in [0, 1, 40] {
                assert!(is_encrypted(&frame(ciphertext, nonce, AROUND_NONCE + nonce.len())), "{nonce:?}");
            }
        }
    }

    #[test]
    fn anything_else_is_a_plain_frame() {
        assert!(!is_encrypted(&frame(40, &[], AROUND_NONCE)), "no nonce");
        assert!(!is_encrypted(&frame(40, &[0], AROUND_NONCE + 2)), "two numbers, or none that ends");
        assert!(!is_encrypted(&frame(40, &[0x80], AROUND_NONCE + 1)), "a nonce that does not end");
        assert!(!is_encrypted(&frame(40, &[0xff, 0xff, 0xff, 0xff, 0x10], AROUND_NONCE + 5)), "33 bits");
        assert!(!is_encrypted(&frame(40, &[0x80; 20], AROUND_NONCE + 20)), "no number has 20 bytes");
        assert!(!is_encrypted(&frame(0, &[0], 200)), "a size longer than the frame");
        assert!(!is_encrypted(&frame(0, &[0], AROUND_NONCE + 1)[1..]), "half a tag");
        assert!(!is_encrypted(&SILENCE) && !is_encrypted(&[]) && !is_encrypted(&MARKER));
    }
}
