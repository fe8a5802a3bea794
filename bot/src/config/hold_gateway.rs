//! Whether a gateway of the bot's own keeps the session with Discord, and where it listens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::value;
use super::value_error::ValueError;

/// Default of `GATEWAY_ADDR`.
pub(super) const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7878);

/// Where the gateway is, from `HOLD_GATEWAY`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum HoldGateway {
    /// There is none.
    #[default]
    Off,
    /// In the supervisor of a development host; without one, in the bot's process.
    Here,
    /// In a process of its own, `hotcord gateway`, at `DISCORD_GATEWAY_URL`.
    Remote,
}

impl HoldGateway {
    pub(super) fn parse(text: &str) -> Result<Self, ValueError> {
        if text.eq_ignore_ascii_case("remote") {
            return Ok(Self::Remote);
        }
        let is_on = value::switch(text).map_err(|_| ValueError::HoldGateway)?;
        Ok(if is_on { Self::Here } else { Self::Off })
    }
}

/// Parses `GATEWAY_ADDR`.
pub(super) fn address(text: &str) -> Result<SocketAddr, ValueError> {
    text.parse().map_err(|source| ValueError::GatewayAddress { source })
}
