use proptest::prelude::*;
use serde_json::json;

use super::*;

fn chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&length[..], &kind, data, &[0; 4]].concat()
}

/// Returns a PNG with the numerators, of 10, of its frames' delays.
fn png_of(side: u32, delays: &[u16]) -> Vec<u8> {
    let mut header = [side.to_be_bytes(), side.to_be_bytes()].concat();
    header.extend([8, 6, 0, 0, 0]);
    let mut file = [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(*b"IHDR", &header)].concat();
    if !delays.is_empty() {
        let frames = u32::try_from(delays.len()).unwrap().to_be_bytes();
        file.extend(chunk(*b"acTL", &[frames, [0; 4]].concat()));
    }
    for delay in delays {
        file.extend(chunk(
            *b"fcTL",
            &[&[0; 20][..], &delay.to_be_bytes(), &10_u16.to_be_bytes(), &[0; 2]].concat(),
        ));
        file.extend(chunk(*b"fdAT", &[0; 9]));
    }
    file.extend(chunk(*b"IEND", &[]));
    file
}

/// Returns a GIF with the delays of its frames, in hundredths of a second.
fn gif_of(side: u16, delays: &[u16]) -> Vec<u8> {
    let side = side.to_le_bytes();
    let mut file = [&b"GIF89a"[..], &side, &side, &[0x80, 0, 0], &[0; 6]].concat();
    for delay in delays {
        file.extend([&[0x21, 0xf9, 4, 0][..], &delay.to_le_bytes(), &[0, 0]].concat());
        file.extend([&[0x2c, 0, 0, 0, 0][..], &side, &side, &[0x80], &[0; 6], &[2, 2, 0x4c, 1, 0]].concat());
    }
    file.push(0x3b);
    file
}

fn lottie_of(change: &serde_json::Value) -> Vec<u8> {
    let mut file = json!({ "v": "5", "w": 320, "h": 320, "fr": 30, "ip": 0, "op": 150, "layers": [] });
    for (key, value) in change.as_object().unwrap() {
        file[key] = value.clone();
    }
    file.to_string().into_bytes()
}

#[test]
fn the_four_formats_are_told_apart() {
    for (file, format) in [
        (png_of(320, &[]), Format::Png),
        (png_of(320, &[25, 25]), Format::Apng),
        (gif_of(320, &[250, 250]), Format::Gif),
        (lottie_of(&json!({})), Format::Lottie),
    ] {
        assert_eq!(check(&file).unwrap(), format);
    }
}

#[test]
fn limits_hold_at_their_edges() {
    let many = vec![0; 1001];
    for (file, code) in [
        (png_of(321, &[]), 50046),
        (png_of(320, &[25, 26]), 170_007),
        (png_of(320, &many), 170_004),
        (gif_of(321, &[1]), 50046),
        (gif_of(320, &[250, 251]), 170_007),
        (gif_of(320, &many), 170_004),
        (lottie_of(&json!({ "w": 321 })), 170_005),
        (lottie_of(&json!({ "op": 151 })), 170_007),
        (lottie_of(&json!({ "fr": 300, "op": 1001 })), 170_004),
        (lottie_of(&json!({ "fr": 0 })), 170_006),
        (lottie_of(&json!({ "layers": 1 })), 170_001),
        (lottie_of(&json!({ "assets": [{ "w": 1, "h": 1, "p": "data:image/png;base64," }] })), 170_002),
        (b"{".to_vec(), 170_001),
        (vec![0xff, 0xd8, 0xff, 0], 50046),
        (vec![b' '; MAX_BYTES + 1], 50045),
    ] {
        assert_eq!(
            check(&file).unwrap_err().code(),
            code,
            "{:?}",
            String::from_utf8_lossy(&file[..40.min(file.len())])
        );
    }
    assert!(check(&gif_of(320, &vec![0; 1000])).is_ok());
}

proptest! {
    #[test]
    fn a_file_that_is_cut_is_refused_and_noise_never_panics(cut in 0_usize..200, noise: Vec<u8>) {
        for file in [png_of(10, &[1, 2]), gif_of(10, &[1, 2]), lottie_of(&json!({}))] {
            prop_assert!(check(&file[..cut.min(file.len() - 1)]).is_err());
            let _ = check(&[&file[..cut.min(file.len())], &noise].concat());
        }
        let _ = check(&noise);
    }
}
