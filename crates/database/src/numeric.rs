//! PostgreSQL's NUMERIC, which sums of whole numbers and averages have.

use serde_json::Value;

/// Returns a NUMERIC as sent in binary: a whole number exactly, another as the nearest double; `None` if it is neither.
///
/// Four 16-bit numbers (digits, weight of the first, sign, decimals) and the digits, base 10,000: `numeric_send` in
/// PostgreSQL's src/backend/utils/adt/numeric.c.
pub(crate) fn numeric(bytes: &[u8]) -> Option<Value> {
    let mut words = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let (count, weight, sign, _decimals) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let weight = i32::from(weight.cast_signed());
    let negative = match sign {
        0x0000 => false,
        0x4000 => true,
        // NaN and the infinities are no numbers of JSON.
        _ => return None,
    };
    let digits = words.take(count.into()).collect::<Vec<_>>();
    if digits.len() != usize::from(count) {
        return None;
    }
    let is_whole = digits.len() <= usize::try_from(weight + 1).unwrap_or(0);
    if is_whole && let Some(whole) = whole(&digits, weight) {
        return i64::try_from(if negative { -whole } else { whole })
            .ok()
            .map(Value::from)
            .or_else(|| float(&digits, weight, negative));
    }
    float(&digits, weight, negative)
}

fn whole(digits: &[u16], weight: i32) -> Option<i128> {
    let places = usize::try_from(weight + 1).ok()?;
    let all = digits.iter().copied().chain(std::iter::repeat(0)).take(places);
    all.into_iter().try_fold(0_i128, |sum, digit| sum.checked_mul(10_000)?.checked_add(digit.into()))
}

fn float(digits: &[u16], weight: i32, negative: bool) -> Option<Value> {
    // Written out in decimal, so that the nearest double is found by the parser.
    let mut text = String::from(if negative { "-0." } else { "0." });
    for digit in digits {
        text += &format!("{digit:04}");
    }
    text += &format!("0e{}", (weight + 1) * 4);
    text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn bytes(words: &[u16]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn numbers_of_the_server() {
        // As PostgreSQL 15 sends 0, 12345, -1.5, 100000000, 0.0001.
        assert_eq!(numeric(&bytes(&[0, 0, 0, 0])), Some(json!(0)));
        assert_eq!(numeric(&bytes(&[2, 1, 0, 0, 1, 2345])), Some(json!(12345)));
        assert_eq!(numeric(&bytes(&[2, 0, 0x4000, 1, 1, 5000])), Some(json!(-1.5)));
        assert_eq!(numeric(&bytes(&[1, 2, 0, 0, 1])), Some(json!(100_000_000)));
        assert_eq!(numeric(&bytes(&[1, 0xffff, 0, 4, 1])), Some(json!(0.0001)));
        assert_eq!(numeric(&bytes(&[0, 0, 0xc000, 0])), None);
        assert_eq!(numeric(&bytes(&[2, 0, 0, 0, 1])), None);
    }

    proptest! {
        #[test]
        fn whole_numbers_are_exact(number: i64) {
            let mut digits = Vec::new();
            let mut rest = number.unsigned_abs();
            while rest > 0 {
                digits.insert(0, u16::try_from(rest % 10_000).unwrap());
                rest /= 10_000;
            }
            let weight = u16::try_from(digits.len()).unwrap().wrapping_sub(1);
            let mut words = vec![u16::try_from(digits.len()).unwrap(), weight, if number < 0 { 0x4000 } else { 0 }, 0];
            words.extend(digits);
            prop_assert_eq!(numeric(&bytes(&words)), Some(json!(number)));
        }

        #[test]
        fn other_bytes_are_no_panic(bytes: Vec<u8>) {
            let _ = numeric(&bytes);
        }
    }
}
