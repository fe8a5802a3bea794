use proptest::prelude::*;

use super::*;
use crate::loopback::{Reply, Server};

fn client(server: &Server) -> Client {
    Client::new(&server.url("/lrc/")).unwrap()
}

#[tokio::test]
async fn what_is_known_of_a_track_finds_its_lyrics() {
    let server = Server::start(|head| match head.split(' ').nth(1).unwrap() {
        "/lrc/api/get?track_name=J%C3%B3ga&artist_name=Bj%C3%B6rk&duration=300" => Reply::ok(
            "application/json",
            r#"{"id": 1, "trackName": "Jóga", "artistName": "Björk", "duration": 305.0, "instrumental": false,
                "plainLyrics": "All these\naccidents ", "syncedLyrics": "[00:21.50] All these\n[00:25.00] accidents"}"#,
        ),
        _ => Reply::status(404),
    })
    .await;
    let client = client(&server);
    let length = Some(Duration::from_mins(5));
    let lyrics = client.find(" Jóga ", Some("Björk"), length).await.unwrap();
    assert_eq!((lyrics.title.as_str(), lyrics.plain.as_str()), ("Jóga", "All these\naccidents"));
    let second = Duration::from_millis;
    assert_eq!(
        lyrics.lines,
        [(second(21_500), "All these".to_owned()), (second(25_000), "accidents".to_owned())]
    );
    assert!(server.requests()[0].contains("user-agent: hotcord/"));
    assert_eq!(client.find("Other", Some("Björk"), length).await, Err(LyricsError::NotFound));
    assert_eq!(client.find(" ", None, None).await, Err(LyricsError::NotFound));
}

#[tokio::test]
async fn a_search_gives_the_recording_of_that_length_that_has_words() {
    let server = Server::start(|_| {
        Reply::ok(
            "application/json",
            r#"[{"trackName": "Empty", "duration": 200},
                {"trackName": "Long", "duration": 400, "plainLyrics": "long"},
                {"trackName": "Right", "duration": 201, "syncedLyrics": "[00:01.00]one\n[00:02.00]two"},
                {"trackName": "Quiet", "duration": 900, "instrumental": true}]"#,
        )
    })
    .await;
    let client = client(&server);
    let find = async |seconds: u64| client.find("x", None, Some(Duration::from_secs(seconds))).await.unwrap();
    let right = find(200).await;
    assert_eq!((right.title.as_str(), right.plain.as_str()), ("Right", "one\ntwo"));
    assert_eq!(find(398).await.plain, "long");
    assert!(find(900).await.is_instrumental);
    assert_eq!(client.find("x", None, None).await.unwrap().title, "Long");
}

#[tokio::test]
async fn a_server_in_trouble_is_told_in_a_sentence() {
    let server = Server::start(|head| match head.split(['=', ' ']).nth(2).unwrap() {
        "down" => Reply::status(500),
        "huge" => Reply::raw("HTTP/1.1 200 OK\r\n\r\n").then_repeat(vec![b' '; 4096]),
        _ => Reply::ok("text/html", "<html>"),
    })
    .await;
    let client = client(&server);
    for words in ["down", "huge", "html"] {
        let error = client.find(words, None, None).await.unwrap_err();
        assert_eq!(error, LyricsError::Unavailable, "{words}");
        assert!(error.to_string().ends_with('.'));
    }
    for wrong in ["lrclib.net", "ftp://lrclib.net", "https://lrclib.net/?x=1", ""] {
        assert!(matches!(Client::new(wrong), Err(LyricsSetupError::NoAddress)), "{wrong}");
    }
}

#[tokio::test]
async fn a_server_that_drips_is_given_up() {
    let server = Server::start(|head| match head.split(['=', ' ']).nth(2).unwrap() {
        "head" => Reply::raw("HTTP/1.1 200 OK\r\nX-A: ").then_drip(b"x"),
        _ => Reply::raw("HTTP/1.1 200 OK\r\n\r\n[").then_drip(b" "),
    })
    .await;
    let bounds = Arc::new(Bounds { answer: Duration::from_millis(400), ..Bounds::default() });
    let client = Client { bounds, ..client(&server) };
    for words in ["head", "body"] {
        assert_eq!(client.find(words, None, None).await, Err(LyricsError::TimedOut), "{words}");
    }
    assert_eq!(server.requests().len(), 2);
    server.is_left().await;
}

proptest! {
    #[test]
    fn timed_lines_are_read_in_order(lines in prop::collection::vec((0_u32..600, 0_u32..6_000, "[a-z]{0,8}"), 0..10)) {
        let text: Vec<_> = lines
            .iter()
            .map(|(minutes, hundredths, words)| {
                format!("[{minutes:02}:{:02}.{:02}] {words}\n", hundredths / 100, hundredths % 100)
            })
            .collect();
        let text = text.concat();
        let read = timed(&text);
        prop_assert_eq!(read.len(), lines.len());
        prop_assert!(read.is_sorted_by_key(|(time, _)| *time));
        for (minutes, hundredths, words) in lines {
            let time = Duration::from_millis(u64::from(minutes) * 60_000 + u64::from(hundredths) * 10);
            prop_assert!(read.iter().any(|(at, line)| at.abs_diff(time) < Duration::from_millis(1) && *line == words));
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "(?s)[\\[\\]0-9:. a\n-]{0,60}") {
        let _ = timed(&text);
    }
}
