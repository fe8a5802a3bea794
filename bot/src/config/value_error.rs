//! What is wrong with a variable's value.

use reqwest::Url;

/// What `Url::parse` fails with.
pub(crate) type UrlError = <Url as std::str::FromStr>::Err;

/// What is wrong with a value. The text follows "NAME is 'value', which" in a sentence.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ValueError {
    #[error("is no log filter ({source}); write it like 'info,serenity=debug'")]
    LogFilter { source: tracing_subscriber::filter::ParseError },
    #[error("is no mode of this bot; use development, production or testing")]
    Mode,
    #[error("is neither on nor off; use true or false")]
    Switch,
    #[error("does not fit; use a whole number of milliseconds from {least} to {most}, or leave it unset")]
    Milliseconds { least: u64, most: u64 },
    #[error("does not fit; use a whole number from {least} to {most}, or leave it unset")]
    Number { least: u64, most: u64 },
    #[error("is no number of shards; use a whole number from 1 to {most}, or auto, or leave it unset")]
    Shards { most: u32 },
    #[error("is no id; it is a number that Discord shows under Copy {of} ID once Developer Mode is on")]
    Id { of: &'static str },
    #[error("is a folder; name a file in it, like 'state.json'")]
    Folder,
    #[error("is a file; name the folder that it is in")]
    File,
    /// An entry of a list, counted from 1.
    #[error("is no list of {of} (entry {entry} is none); {way_out}")]
    Entry { of: &'static str, entry: usize, way_out: &'static str },
    #[error("is none of these; use guild, split or global")]
    CommandScope,
    #[error("is neither; use refuse to keep the old generation, or default to start without the state")]
    OnIncompatible,
    #[error("is no address with a port; write it like '127.0.0.1:9464' or '[::1]:9464', or off")]
    HealthAddress { source: std::net::AddrParseError },
    #[error("is no address with a port; write it like '127.0.0.1:7878' or '[::1]:7878'")]
    GatewayAddress { source: std::net::AddrParseError },
    #[error("is neither; use true, remote or false")]
    HoldGateway,
    #[error("has a part after ? or #; leave that off")]
    Query,
    #[error("asks for another version of the API; this bot speaks v10")]
    ApiVersion,
    #[error("has no scheme this bot knows; begin it with {plain}:// or {secure}://, like '{example}'")]
    Scheme { plain: &'static str, secure: &'static str, example: &'static str },
    #[error("is no address ({source}); write it like '{example}'")]
    Url { source: UrlError, example: &'static str },
    #[error("holds a user name or password; leave these off, the bot identifies itself by its token")]
    Login,
}

/// What is wrong with a token. The text follows "DISCORD_TOKEN" in a sentence and does not contain the token.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("is written in quotes; write it without them")]
    Quotes,
    #[error("begins with \"{word} \"; write the token alone")]
    Word { word: &'static str },
    #[error("holds white space; copy the token again, without spaces or line breaks")]
    WhiteSpace,
    #[error("holds characters that no token has; copy the token again")]
    Characters,
    #[error(
        "does not look like a bot token, which is three parts joined by dots; copy it from the page Bot of your \
         application at https://discord.com/developers/applications (its client secret and public key are something \
         else)"
    )]
    Shape,
}
