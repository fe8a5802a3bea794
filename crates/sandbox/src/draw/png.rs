//! A canvas as PNG (RFC 2083): one IDAT chunk of 8-bit RGB, without filters.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::Canvas;

impl Canvas {
    /// Returns the bytes of a PNG.
    pub(super) fn png(&self) -> Vec<u8> {
        let side = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        let mut header = Vec::with_capacity(13);
        header.extend(side(self.width));
        header.extend(side(self.height));
        // 8 bits, RGB, the only compression, the only set of filters, not interlaced.
        header.extend([8, 2, 0, 0, 0]);
        let mut rows = Vec::with_capacity(self.height * (1 + 3 * self.width));
        for row in self.pixels.chunks(self.width) {
            rows.push(0);
            rows.extend(row.iter().flatten());
        }
        let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
        chunk(&mut file, *b"IHDR", &header);
        chunk(&mut file, *b"IDAT", &zlib(&rows));
        chunk(&mut file, *b"IEND", &[]);
        file
    }
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

fn chunk(file: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    file.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    let mut sum = flate2::Crc::new();
    sum.update(&name);
    sum.update(data);
    file.extend(name);
    file.extend(data);
    file.extend(sum.sum().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::state::picture::dimensions;

    #[test]
    fn the_pixels_can_be_read_back() {
        let mut canvas = Canvas::new(3, 2, [1, 2, 3]);
        canvas.set(2, 1, [9, 8, 7]);
        canvas.set(3, 0, [0; 3]);
        let file = canvas.png();
        assert_eq!(dimensions(&file), Some((3, 2)));
        // Signature, and a header of 13 bytes with 12 around it.
        let data = &file[33..];
        let length = u32::from_be_bytes(data[..4].try_into().unwrap()) as usize;
        assert_eq!(&data[4..8], b"IDAT");
        let mut rows = Vec::new();
        flate2::read::ZlibDecoder::new(&data[8..8 + length]).read_to_end(&mut rows).unwrap();
        assert_eq!(rows, [0, 1, 2, 3, 1, 2, 3, 1, 2, 3, 0, 1, 2, 3, 1, 2, 3, 9, 8, 7]);
        // The known sum of the empty last chunk.
        assert_eq!(&file[file.len() - 12..], [0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82]);
    }
}
