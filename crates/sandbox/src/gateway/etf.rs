//! Erlang's external term format, as far as the gateway uses it (`encoding=etf`).
//!
//! Source: [External Term Format](https://www.erlang.org/doc/apps/erts/erl_ext_dist.html) and "Using ETF Encoding" in
//! Discord's documentation. What the gateway sends has atoms as keys, `nil` for null, and ids as 64-bit integers. What
//! it reads has texts as keys.

use serde_json::{Map, Number, Value};

/// First byte of every term.
const VERSION: u8 = 131;
/// Deepest nesting that is read.
const MAX_DEPTH: usize = 64;
/// Longest atom, in characters; what is longer is a binary.
const MAX_ATOM: usize = 255;

mod tag {
    pub(super) const NEW_FLOAT: u8 = 70;
    pub(super) const SMALL_INTEGER: u8 = 97;
    pub(super) const INTEGER: u8 = 98;
    pub(super) const FLOAT: u8 = 99;
    pub(super) const ATOM: u8 = 100;
    pub(super) const SMALL_TUPLE: u8 = 104;
    pub(super) const LARGE_TUPLE: u8 = 105;
    pub(super) const NIL: u8 = 106;
    pub(super) const STRING: u8 = 107;
    pub(super) const LIST: u8 = 108;
    pub(super) const BINARY: u8 = 109;
    pub(super) const SMALL_BIG: u8 = 110;
    pub(super) const SMALL_ATOM: u8 = 115;
    pub(super) const MAP: u8 = 116;
    pub(super) const ATOM_UTF8: u8 = 118;
    pub(super) const SMALL_ATOM_UTF8: u8 = 119;
}

/// Why bytes are no term that the gateway reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It does not begin with the version.
    #[error("it does not begin with byte 131")]
    Version,
    /// It ends in the middle of a term.
    #[error("it ends in the middle of a term")]
    Truncated,
    /// Bytes follow the term.
    #[error("bytes follow the term")]
    Trailing,
    /// A term is of a kind that is not read, such as a compressed one.
    #[error("a term has the tag {0}, which is not read here")]
    Tag(u8),
    /// A key is an atom or no text.
    #[error("the keys of a map must be strings")]
    Key,
    /// A text is no UTF-8.
    #[error("a text is no UTF-8")]
    Text,
    /// A number has more than 64 bits, or is not finite.
    #[error("a number is out of range")]
    Number,
    /// Terms are nested too deeply.
    #[error("terms are nested too deeply")]
    Depth,
}

/// Which keys a map may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Texts, as Discord demands of clients.
    Texts,
    /// Atoms too, as Discord sends them.
    TextsAndAtoms,
}

/// Returns JSON as a term, in the form in which the gateway sends it.
pub fn encode(value: &Value) -> Vec<u8> {
    let mut out = vec![VERSION];
    write(&mut out, value, None);
    out
}

/// Returns a term as JSON. An atom is a text, except for `nil`, `null`, `true` and `false`.
///
/// # Errors
/// If it is no term, or one that has no meaning in JSON.
pub fn decode(bytes: &[u8], keys: Keys) -> Result<Value, Error> {
    let [VERSION, rest @ ..] = bytes else { return Err(Error::Version) };
    let mut reader = Reader { rest, keys };
    let value = reader.term(0)?;
    if reader.rest.is_empty() { Ok(value) } else { Err(Error::Trailing) }
}

fn write(out: &mut Vec<u8>, value: &Value, key: Option<&str>) {
    match value {
        Value::Null => atom(out, "nil"),
        Value::Bool(true) => atom(out, "true"),
        Value::Bool(false) => atom(out, "false"),
        Value::Number(number) => write_number(out, number),
        // The name of an event.
        Value::String(text) if key == Some("t") && is_atom(text) => atom(out, text),
        Value::String(text) => match key.filter(|key| is_id(key)).and_then(|_| id(text)) {
            Some(id) => write_integer(out, id.into()),
            None => binary(out, text),
        },
        Value::Array(items) if items.is_empty() => out.push(tag::NIL),
        Value::Array(items) => {
            out.push(tag::LIST);
            length(out, items.len());
            for item in items {
                write(out, item, key);
            }
            out.push(tag::NIL);
        }
        Value::Object(fields) => {
            out.push(tag::MAP);
            length(out, fields.len());
            for (name, value) in fields {
                if is_atom(name) {
                    atom(out, name);
                } else {
                    binary(out, name);
                }
                write(out, value, Some(name));
            }
        }
    }
}

fn write_number(out: &mut Vec<u8>, number: &Number) {
    if let Some(integer) = number.as_i128() {
        write_integer(out, integer);
    } else {
        out.push(tag::NEW_FLOAT);
        out.extend(number.as_f64().unwrap_or_default().to_be_bytes());
    }
}

fn write_integer(out: &mut Vec<u8>, integer: i128) {
    if let Ok(small) = u8::try_from(integer) {
        out.extend([tag::SMALL_INTEGER, small]);
    } else if let Ok(word) = i32::try_from(integer) {
        out.push(tag::INTEGER);
        out.extend(word.to_be_bytes());
    } else {
        let digits = integer.unsigned_abs().to_le_bytes();
        let used = digits.iter().rposition(|digit| *digit != 0).map_or(0, |last| last + 1);
        out.extend([tag::SMALL_BIG, u8::try_from(used).unwrap_or(u8::MAX), u8::from(integer < 0)]);
        out.extend(&digits[..used]);
    }
}

fn atom(out: &mut Vec<u8>, text: &str) {
    out.push(tag::ATOM);
    out.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend(text.as_bytes());
}

fn binary(out: &mut Vec<u8>, text: &str) {
    out.push(tag::BINARY);
    length(out, text.len());
    out.extend(text.as_bytes());
}

fn length(out: &mut Vec<u8>, length: usize) {
    out.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
}

/// Returns whether a text is the name of a field or of an event, and not of something that a user named.
fn is_atom(text: &str) -> bool {
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    begins && text.len() <= MAX_ATOM && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Returns whether a field has an id, or a list of ids.
fn is_id(key: &str) -> bool {
    matches!(key, "id" | "roles" | "mention_roles" | "applied_tags")
        || (key.ends_with("_id") && key != "custom_id")
        || key.ends_with("_ids")
}

/// Returns the number of an id.
fn id(text: &str) -> Option<u64> {
    let digits = !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

struct Reader<'a> {
    rest: &'a [u8],
    keys: Keys,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Error::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Error> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        self.take(N).map(|bytes| bytes.try_into().unwrap_or([0; N]))
    }

    fn short(&mut self) -> Result<usize, Error> {
        self.array().map(|bytes| usize::from(u16::from_be_bytes(bytes)))
    }

    fn long(&mut self) -> Result<usize, Error> {
        self.array().map(|bytes| usize::try_from(u32::from_be_bytes(bytes)).unwrap_or(usize::MAX))
    }

    fn text(&mut self, length: usize) -> Result<&'a str, Error> {
        std::str::from_utf8(self.take(length)?).map_err(|_| Error::Text)
    }

    fn term(&mut self, depth: usize) -> Result<Value, Error> {
        if depth > MAX_DEPTH {
            return Err(Error::Depth);
        }
        let tag = self.byte()?;
        Ok(match tag {
            tag::SMALL_INTEGER => self.byte()?.into(),
            tag::INTEGER => i32::from_be_bytes(self.array()?).into(),
            tag::SMALL_BIG => self.big()?,
            tag::NEW_FLOAT => float(f64::from_be_bytes(self.array()?))?,
            tag::FLOAT => {
                let text = self.text(31)?.trim_end_matches('\0').trim();
                float(text.parse().map_err(|_| Error::Number)?)?
            }
            tag::ATOM | tag::ATOM_UTF8 | tag::SMALL_ATOM | tag::SMALL_ATOM_UTF8 => match self.atom(tag)? {
                "nil" | "null" => Value::Null,
                "true" => true.into(),
                "false" => false.into(),
                other => other.into(),
            },
            tag::BINARY => {
                let length = self.long()?;
                self.text(length)?.into()
            }
            // Erlang sends a list of small integers in this way, such as a shard.
            tag::STRING => {
                let length = self.short()?;
                self.take(length)?.iter().map(|byte| Value::from(*byte)).collect()
            }
            tag::NIL => Value::Array(Vec::new()),
            tag::LIST => {
                let count = self.long()?;
                let items = self.items(count, depth)?;
                // A proper list ends with the empty one.
                if self.byte()? == tag::NIL { items } else { return Err(Error::Tag(tag::LIST)) }
            }
            tag::SMALL_TUPLE => {
                let count = usize::from(self.byte()?);
                self.items(count, depth)?
            }
            tag::LARGE_TUPLE => {
                let count = self.long()?;
                self.items(count, depth)?
            }
            tag::MAP => {
                let count = self.long()?;
                let mut fields = Map::new();
                for _ in 0..count {
                    let key = self.key()?;
                    fields.insert(key, self.term(depth + 1)?);
                }
                Value::Object(fields)
            }
            other => return Err(Error::Tag(other)),
        })
    }

    fn items(&mut self, count: usize, depth: usize) -> Result<Value, Error> {
        (0..count).map(|_| self.term(depth + 1)).collect()
    }

    fn key(&mut self) -> Result<String, Error> {
        let tag = self.byte()?;
        let length = match tag {
            tag::BINARY => self.long()?,
            tag::STRING => self.short()?,
            tag::ATOM | tag::ATOM_UTF8 | tag::SMALL_ATOM | tag::SMALL_ATOM_UTF8
                if self.keys == Keys::TextsAndAtoms =>
            {
                return self.atom(tag).map(str::to_owned);
            }
            _ => return Err(Error::Key),
        };
        self.text(length).map(str::to_owned)
    }

    fn atom(&mut self, tag: u8) -> Result<&'a str, Error> {
        let length = match tag {
            tag::ATOM | tag::ATOM_UTF8 => self.short()?,
            _ => self.byte()?.into(),
        };
        self.text(length)
    }

    fn big(&mut self) -> Result<Value, Error> {
        let (count, sign) = (usize::from(self.byte()?), self.byte()?);
        let mut magnitude = 0_u64;
        for (place, digit) in self.take(count)?.iter().enumerate() {
            if *digit != 0 && place >= 8 {
                return Err(Error::Number);
            }
            if place < 8 {
                magnitude |= u64::from(*digit) << (8 * place);
            }
        }
        match sign {
            0 => Ok(magnitude.into()),
            _ => {
                let negative = i64::try_from(-i128::from(magnitude)).map_err(|_| Error::Number)?;
                Ok(negative.into())
            }
        }
    }
}

/// Returns a number. One without a fraction is an integer, since encoders of languages that have only floats send those.
fn float(number: f64) -> Result<Value, Error> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53 is exact")]
        let whole = number as i64;
        return Ok(whole.into());
    }
    Number::from_f64(number).map(Value::Number).ok_or(Error::Number)
}

#[cfg(test)]
mod tests;
