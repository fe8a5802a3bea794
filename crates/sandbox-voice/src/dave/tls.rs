//! The presentation language of TLS, as far as MLS uses it: numbers and variable-size vectors (RFC 9420, section 2.1).

/// Error of bytes that are not the message they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not as RFC 9420 and the DAVE protocol have it")]
pub(super) struct Malformed(pub(super) &'static str);

/// Returns a variable-size vector: its length as MLS writes lengths (RFC 9420, section 2.1.2), then the bytes.
pub(super) fn opaque(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("websocket messages are shorter than 1 GiB");
    let [.., third, fourth] = length.to_be_bytes();
    let mut vector = match length {
        0..0x40 => vec![fourth],
        0x40..0x4000 => vec![third | 0x40, fourth],
        _ => (length | 0x8000_0000).to_be_bytes().to_vec(),
    };
    vector.extend(bytes);
    vector
}

/// Returns the items of a variable-size vector of variable-size vectors, such as the proposals of opcode 27.
pub(super) fn inner(vector: &[u8]) -> Result<&[u8], Malformed> {
    let mut input = Input::new(vector, "the list");
    let list = input.opaque()?;
    input.end()?;
    Ok(list)
}

/// Rest of a message that is being read.
pub(super) struct Input<'a> {
    /// Bytes that have not been read.
    pub(super) rest: &'a [u8],
    /// What it should be, for the error.
    what: &'static str,
}

impl<'a> Input<'a> {
    /// Begins to read; `what` names the message in errors.
    pub(super) fn new(rest: &'a [u8], what: &'static str) -> Self {
        Self { rest, what }
    }

    pub(super) fn malformed(&self) -> Malformed {
        Malformed(self.what)
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or(self.malformed())?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Takes this many bytes.
    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(self.malformed())?;
        self.rest = rest;
        Ok(*bytes)
    }

    /// Takes these bytes.
    pub(super) fn expect<const N: usize>(&mut self, value: [u8; N]) -> Result<(), Malformed> {
        if self.take()? == value { Ok(()) } else { Err(self.malformed()) }
    }

    /// Checks that nothing follows.
    pub(super) fn end(&self) -> Result<(), Malformed> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.malformed()) }
    }

    /// Takes a variable-size vector, whose length must take as few bytes as possible.
    pub(super) fn opaque(&mut self) -> Result<&'a [u8], Malformed> {
        let [first] = self.take()?;
        let (length, least) = match first >> 6 {
            0 => (u32::from(first), 0),
            1 => {
                let [second] = self.take()?;
                (u32::from(u16::from_be_bytes([first & 0x3f, second])), 0x40)
            }
            2 => {
                let [second, third, fourth] = self.take()?;
                (u32::from_be_bytes([first & 0x3f, second, third, fourth]), 0x4000)
            }
            _ => return Err(self.malformed()),
        };
        if length < least {
            return Err(self.malformed());
        }
        self.bytes(usize::try_from(length).map_err(|_| self.malformed())?)
    }

    /// Reads a variable-size vector to its end, item by item.
    pub(super) fn inside<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, Malformed>,
    ) -> Result<(), Malformed> {
        let mut list = Self::new(self.opaque()?, self.what);
        while !list.rest.is_empty() {
            item(&mut list)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use openmls::prelude::tls_codec::{DeserializeBytes, Serialize, VLByteSlice, VLBytes};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn vectors_are_written_as_tls_codec_writes_them(length in prop_oneof![0..200_usize, 16_000..17_000_usize]) {
            let bytes = vec![7; length];
            let vector = opaque(&bytes);
            prop_assert_eq!(&vector, &VLByteSlice(&bytes).tls_serialize_detached().expect("short"));
            prop_assert_eq!(inner(&vector), Ok(&bytes[..]));
            prop_assert_eq!(inner(&vector[..vector.len() - 1]), Err(Malformed("the list")));
        }

        #[test]
        fn a_vector_that_is_read_is_one_that_tls_codec_reads(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(list) = inner(&bytes) {
                let read = VLBytes::tls_deserialize_exact_bytes(&bytes).expect("tls_codec reads it too");
                prop_assert_eq!(read.as_slice(), list);
            }
        }
    }
}
