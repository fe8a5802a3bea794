//! Address of health and metrics.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::reader::Reader;
use super::value_error::ValueError;

/// Default of `HEALTH_ADDR`. The port is that of OpenTelemetry's exporter for Prometheus.
const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9464);

/// Where health and metrics are served, from `HEALTH_ADDR`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Health {
    /// At the default address, if it is free.
    #[default]
    Usual,
    /// At this address; port 0 means any free one.
    At(SocketAddr),
    /// Nowhere.
    Off,
}

impl Health {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        reader.or_default("HEALTH_ADDR", |text| {
            if text.eq_ignore_ascii_case("off") {
                return Ok(Self::Off);
            }
            text.parse().map(Self::At).map_err(|source| ValueError::HealthAddress { source })
        })
    }

    /// Returns the address, unless the server is off.
    pub(crate) const fn address(self) -> Option<SocketAddr> {
        match self {
            Self::Usual => Some(ADDRESS),
            Self::At(address) => Some(address),
            Self::Off => None,
        }
    }
}
