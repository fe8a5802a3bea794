//! Writes the melody of the media files as a WAV file of 16 bits: `melody FILE RATE CHANNELS`.

use std::error::Error;
use std::fs;

use e2e::audio::melody;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, rate, channels] = arguments.as_slice() else {
        return Err("usage: melody FILE RATE CHANNELS".into());
    };
    let (rate, channels): (u32, u16) = (rate.parse()?, channels.parse()?);
    let tracks: Vec<_> = (0..usize::from(channels)).map(|channel| melody(rate, channel)).collect();
    let mut data = Vec::new();
    for sample in 0..tracks.first().map_or(0, Vec::len) {
        for track in &tracks {
            #[expect(clippy::cast_possible_truncation)] // Samples are between -1 and 1.
            let value = (track[sample] * f32::from(i16::MAX)).round() as i16;
            data.extend(value.to_le_bytes());
        }
    }
    let (frame, length) = (channels * 2, u32::try_from(data.len())?);
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + length).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16_u32.to_le_bytes());
    wav.extend(1_u16.to_le_bytes());
    wav.extend(channels.to_le_bytes());
    wav.extend(rate.to_le_bytes());
    wav.extend((rate * u32::from(frame)).to_le_bytes());
    wav.extend(frame.to_le_bytes());
    wav.extend(16_u16.to_le_bytes());
    wav.extend(b"data");
    wav.extend(length.to_le_bytes());
    wav.extend(data);
    fs::write(file, wav)?;
    Ok(())
}
