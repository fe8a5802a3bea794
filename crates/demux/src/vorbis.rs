//! The headers of Vorbis, as far as the duration of packets and a decoder's memory depend on them:
//! <https://xiph.org/vorbis/doc/Vorbis_I_spec.html>, section 4.2.

use symphonia::core::errors::{Error, Result};
use symphonia::core::io::{BitReaderRtl, ReadBitsRtl as _};

use crate::bytes::Cursor;

/// Size of the first header, in bytes.
pub(crate) const IDENT: usize = 30;
/// Maximum number of samples of a block.
pub(crate) const LONGEST: u64 = 8_192;
/// Maximum number of entries of all codebooks together; coders write some 20,000.
const ENTRIES: u64 = 1 << 17;
/// Maximum number of values of all codebooks together.
const VALUES: u64 = 1 << 21;

pub(crate) fn broken() -> Error {
    Error::DecodeError("a broken header of Vorbis")
}

/// First header.
#[derive(Clone)]
pub(crate) struct Ident {
    pub(crate) channels: u8,
    pub(crate) rate: u32,
    /// Samples of a short and of a long block.
    pub(crate) blocks: [u64; 2],
}

impl Ident {
    pub(crate) fn read(header: &[u8]) -> Option<Self> {
        let mut header = Cursor(header);
        if header.take(11)? != b"\x01vorbis\0\0\0\0" {
            return None;
        }
        let (channels, rate) = (header.u8()?, header.u32_le()?);
        header.take(12)?;
        let sizes = header.u8()?;
        let (short, long) = (sizes & 0xf, sizes >> 4);
        let is_good = (1..=8).contains(&channels) && rate > 0 && (6..=13).contains(&short);
        let is_good = is_good && (short..=13).contains(&long) && header.u8()? & 1 == 1;
        is_good.then_some(Self { channels, rate, blocks: [1 << short, 1 << long] })
    }
}

/// Which of a stream's modes have long blocks.
#[derive(Clone)]
pub(crate) struct Modes {
    is_long: Vec<bool>,
    blocks: [u64; 2],
    before: Option<u64>,
}

impl Modes {
    /// Reads the last header.
    ///
    /// # Errors
    /// When it is broken, or requires more memory than audio needs.
    pub(crate) fn read(ident: &Ident, header: &[u8]) -> Result<Self> {
        let body = header.strip_prefix(b"\x05vorbis").ok_or(broken())?;
        let mut bits = BitReaderRtl::new(body);
        let bits = &mut bits;
        let (mut entries, mut values) = (0, 0);
        for _ in 0..=number(bits, 8)? {
            codebook(bits, &mut entries, &mut values)?;
        }
        for _ in 0..=number(bits, 6)? {
            number(bits, 16)?;
        }
        for _ in 0..=number(bits, 6)? {
            floor(bits)?;
        }
        for _ in 0..=number(bits, 6)? {
            residue(bits)?;
        }
        for _ in 0..=number(bits, 6)? {
            mapping(bits, ident.channels)?;
        }
        let mut is_long = Vec::new();
        for _ in 0..=number(bits, 6)? {
            is_long.push(bits.read_bool()?);
            number(bits, 32)?;
            number(bits, 8)?;
        }
        if !bits.read_bool()? {
            return Err(broken());
        }
        Ok(Self { is_long, blocks: ident.blocks, before: None })
    }

    /// Returns how many samples a packet adds to those before it.
    pub(crate) fn samples(&mut self, packet: &[u8]) -> u64 {
        let Some(first) = packet.first().filter(|first| *first & 1 == 0) else { return 0 };
        let mode = usize::from(first >> 1) & ((1 << ilog(self.is_long.len() as u64 - 1)) - 1);
        let Some(is_long) = self.is_long.get(mode) else { return 0 };
        let block = self.blocks[usize::from(*is_long)];
        self.before.replace(block).map_or(0, |before| before / 4 + block / 4)
    }

    /// Resets for another position.
    pub(crate) fn reset(&mut self) {
        self.before = None;
    }
}

type Bits<'a, 'b> = &'a mut BitReaderRtl<'b>;

fn number(bits: Bits<'_, '_>, width: u32) -> Result<u32> {
    Ok(bits.read_bits_leq32(width)?)
}

/// Returns the number of bits of a number.
fn ilog(number: u64) -> u32 {
    u64::BITS - number.leading_zeros()
}

fn codebook(bits: Bits<'_, '_>, all_entries: &mut u64, all_values: &mut u64) -> Result<()> {
    if number(bits, 24)? != 0x56_4342 {
        return Err(broken());
    }
    let (dimensions, entries) = (u64::from(number(bits, 16)?), u64::from(number(bits, 24)?));
    *all_entries += entries;
    *all_values += entries * dimensions;
    if dimensions == 0 || entries == 0 || *all_entries > ENTRIES || *all_values > VALUES {
        return Err(Error::LimitError("a Vorbis decoder is told of more than it may be"));
    }
    if bits.read_bool()? {
        let mut at = 0;
        number(bits, 5)?;
        while at < entries {
            at += u64::from(number(bits, ilog(entries - at))?);
            if at > entries {
                return Err(broken());
            }
        }
    } else {
        let is_sparse = bits.read_bool()?;
        for _ in 0..entries {
            if !is_sparse || bits.read_bool()? {
                number(bits, 5)?;
            }
        }
    }
    let kind = number(bits, 4)?;
    if kind == 0 {
        return Ok(());
    }
    number(bits, 32)?;
    number(bits, 32)?;
    let width = number(bits, 4)? + 1;
    bits.read_bool()?;
    let count = match kind {
        1 => root(entries, dimensions),
        2 => entries * dimensions,
        _ => return Err(broken()),
    };
    for _ in 0..count {
        number(bits, width)?;
    }
    Ok(())
}

/// Returns the largest number whose power by `dimensions` is not above `entries`.
fn root(entries: u64, dimensions: u64) -> u64 {
    let power = |base: u64| u32::try_from(dimensions).ok().and_then(|exponent| base.checked_pow(exponent));
    (1..=entries).take_while(|base| power(*base).is_some_and(|power| power <= entries)).last().unwrap_or(0)
}

fn floor(bits: Bits<'_, '_>) -> Result<()> {
    match number(bits, 16)? {
        0 => {
            for width in [8, 16, 16, 6, 8] {
                number(bits, width)?;
            }
            for _ in 0..=number(bits, 4)? {
                number(bits, 8)?;
            }
        }
        1 => {
            let mut partitions = Vec::new();
            for _ in 0..number(bits, 5)? {
                partitions.push(number(bits, 4)?);
            }
            let mut dimensions = Vec::new();
            for _ in 0..partitions.iter().max().map_or(0, |last| last + 1) {
                dimensions.push(number(bits, 3)? + 1);
                let subclasses = number(bits, 2)?;
                if subclasses > 0 {
                    number(bits, 8)?;
                }
                for _ in 0..1 << subclasses {
                    number(bits, 8)?;
                }
            }
            number(bits, 2)?;
            let width = number(bits, 4)?;
            for class in partitions {
                for _ in 0..dimensions[class as usize] {
                    number(bits, width)?;
                }
            }
        }
        _ => return Err(broken()),
    }
    Ok(())
}

fn residue(bits: Bits<'_, '_>) -> Result<()> {
    for width in [16, 24, 24, 24] {
        number(bits, width)?;
    }
    let classes = number(bits, 6)? + 1;
    number(bits, 8)?;
    let mut books = 0;
    for _ in 0..classes {
        let low = number(bits, 3)?;
        let high = if bits.read_bool()? { number(bits, 5)? } else { 0 };
        books += low.count_ones() + high.count_ones();
    }
    for _ in 0..books {
        number(bits, 8)?;
    }
    Ok(())
}

fn mapping(bits: Bits<'_, '_>, channels: u8) -> Result<()> {
    if number(bits, 16)? != 0 {
        return Err(broken());
    }
    let submaps = if bits.read_bool()? { number(bits, 4)? + 1 } else { 1 };
    if bits.read_bool()? {
        let width = ilog(u64::from(channels) - 1);
        for _ in 0..=number(bits, 8)? {
            number(bits, width)?;
            number(bits, width)?;
        }
    }
    if number(bits, 2)? != 0 {
        return Err(broken());
    }
    if submaps > 1 {
        for _ in 0..channels {
            number(bits, 4)?;
        }
    }
    for _ in 0..submaps {
        number(bits, 24)?;
    }
    Ok(())
}
