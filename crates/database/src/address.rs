//! Where the database is.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;

/// Where the database is: `sqlite:FILE`, or `postgres://USER:PASSWORD@HOST/NAME`.
#[derive(Clone)]
pub enum DatabaseAddress {
    /// A file of SQLite.
    Sqlite(PathBuf),
    /// A server, with everything that is needed to connect to it.
    Postgres(Box<PgConnectOptions>),
}

impl DatabaseAddress {
    /// Returns the address of a file.
    pub fn file(path: impl AsRef<Path>) -> Self {
        Self::Sqlite(path.as_ref().to_owned())
    }

    /// Returns whether several processes may use it at once.
    pub fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

impl FromStr for DatabaseAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            // Both forms are common: sqlite:data.db and sqlite:///data.db.
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path.starts_with(':') {
                return Err(AddressError::NoFile);
            }
            if path.contains('?') {
                return Err(AddressError::Options);
            }
            return Ok(Self::file(path));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            // The error may quote the address, which has a password.
            let options = text.parse::<PgConnectOptions>().map_err(|_| AddressError::Postgres)?;
            return Ok(Self::Postgres(Box::new(options)));
        }
        Err(AddressError::Scheme)
    }
}

/// Two addresses are the same if a connection to them is made in the same way.
impl PartialEq for DatabaseAddress {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sqlite(one), Self::Sqlite(other)) => one == other,
            (Self::Postgres(one), Self::Postgres(other)) => one.to_url_lossy() == other.to_url_lossy(),
            _ => false,
        }
    }
}

/// Shows the address without its password.
impl fmt::Display for DatabaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(options) => {
                write!(f, "postgres://{}:{}", options.get_host(), options.get_port())?;
                options.get_database().map_or(Ok(()), |name| write!(f, "/{name}"))
            }
        }
    }
}

impl fmt::Debug for DatabaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseAddress({self})")
    }
}

/// Why a text is no address of a database. The texts do not repeat it, because it may have a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It begins with neither scheme.
    #[error("is neither sqlite:FILE nor postgres://USER:PASSWORD@HOST/NAME")]
    Scheme,
    /// There is no file in it.
    #[error("names no file; write sqlite:FILE")]
    NoFile,
    /// It has options, which are set by the bot.
    #[error("has options after the file's name, which a file does not take; write sqlite:FILE")]
    Options,
    /// It is no address of PostgreSQL.
    #[error(
        "is no address of PostgreSQL; write postgres://USER:PASSWORD@HOST/NAME, with special characters as %XX"
    )]
    Postgres,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, AddressError> {
        text.parse::<DatabaseAddress>().map(|address| address.to_string())
    }

    #[test]
    fn addresses_are_shown_without_the_password() {
        assert_eq!(read("sqlite:data/bot.db").unwrap(), "sqlite:data/bot.db");
        assert_eq!(read("sqlite:///var/lib/bot.db").unwrap(), "sqlite:/var/lib/bot.db");
        let shown = read("postgres://ada:s3cret@db.example:5433/bot?sslmode=require").unwrap();
        assert_eq!(shown, "postgres://db.example:5433/bot");
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_it() {
        assert_eq!(read("mysql://a:s3cret@b/c"), Err(AddressError::Scheme));
        assert_eq!(read("sqlite:"), Err(AddressError::NoFile));
        assert_eq!(read("sqlite::memory:"), Err(AddressError::NoFile));
        assert_eq!(read("sqlite:a.db?mode=ro"), Err(AddressError::Options));
        let error = read("postgres://a:s3cret@b:port/c").unwrap_err();
        assert_eq!(error, AddressError::Postgres);
        assert!(!error.to_string().contains("s3cret"));
    }
}
