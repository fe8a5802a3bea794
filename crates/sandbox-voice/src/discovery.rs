//! IP discovery: how a client behind a NAT learns its own address (Voice, "IP Discovery").

use std::net::SocketAddr;

/// Length of a request and of a response, in bytes.
pub(crate) const LENGTH: usize = 74;
/// Length that a packet states: without its type and this field.
const REST: u16 = 70;
const REQUEST: u16 = 1;
const RESPONSE: u16 = 2;

/// Returns the SSRC of a client that asks for its address; `None` if this is no such request.
pub(crate) fn request(packet: &[u8]) -> Option<u32> {
    let packet: &[u8; LENGTH] = packet.try_into().ok()?;
    let word = |at: usize| u16::from_be_bytes([packet[at], packet[at + 1]]);
    let ssrc = u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]);
    (word(0) == REQUEST && word(2) == REST).then_some(ssrc)
}

/// Returns the answer to a client: the address that its request came from, as text that ends with a zero byte.
pub(crate) fn response(ssrc: u32, from: SocketAddr) -> [u8; LENGTH] {
    let mut packet = [0; LENGTH];
    packet[..2].copy_from_slice(&RESPONSE.to_be_bytes());
    packet[2..4].copy_from_slice(&REST.to_be_bytes());
    packet[4..8].copy_from_slice(&ssrc.to_be_bytes());
    // The longest address is 45 characters, so there is always a zero byte.
    let text = from.ip().to_canonical().to_string();
    packet[8..8 + text.len()].copy_from_slice(text.as_bytes());
    packet[LENGTH - 2..].copy_from_slice(&from.port().to_be_bytes());
    packet
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, SocketAddr};

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::{LENGTH, request, response};

    proptest! {
        #[test]
        fn no_packet_makes_the_reader_panic(packet in vec(any::<u8>(), 0..100)) {
            let _ = request(&packet);
        }

        #[test]
        fn a_request_is_answered_with_where_it_came_from(ssrc: u32, ip: IpAddr, port: u16) {
            let mut asked = [0; LENGTH];
            asked[1] = 1;
            asked[3] = 70;
            asked[4..8].copy_from_slice(&ssrc.to_be_bytes());
            prop_assert_eq!(request(&asked), Some(ssrc));
            let answer = response(ssrc, SocketAddr::new(ip, port));
            prop_assert_eq!(&answer[..4], &[0, 2, 0, 70]);
            prop_assert_eq!(&answer[4..8], &ssrc.to_be_bytes());
            let text: Vec<u8> = answer[8..72].iter().copied().take_while(|byte| *byte != 0).collect();
            prop_assert_eq!(String::from_utf8(text).unwrap().parse::<IpAddr>().unwrap(), ip.to_canonical());
            prop_assert_eq!(&answer[72..], &port.to_be_bytes());
        }
    }

    #[test]
    fn a_response_and_a_request_of_another_length_are_no_requests() {
        assert_eq!(request(&response(1, "127.0.0.1:1".parse().unwrap())), None);
        let mut asked = [0; LENGTH];
        asked[1] = 1;
        asked[3] = 71;
        assert_eq!(request(&asked), None);
        assert_eq!(request(&asked[..70]), None);
    }
}
