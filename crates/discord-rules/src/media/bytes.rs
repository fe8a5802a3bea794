//! Numbers and parts of a file, at a place that may lie outside.

/// Returns `N` bytes from a place on.
pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// Returns a 32-bit number, most significant byte first.
pub(super) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_be_bytes)
}

/// Returns a 16-bit number, most significant byte first.
pub(super) fn be16(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(|bytes| u16::from_be_bytes(bytes).into())
}

/// Returns a 16-bit number, least significant byte first.
pub(super) fn le16(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(|bytes| u16::from_le_bytes(bytes).into())
}
