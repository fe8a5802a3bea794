//! Playing the inspected connection: addresses that work once, and stations that count listeners.

use std::collections::HashSet;

use parking_lot::Mutex;

use super::*;

/// Starts a server that answers each address once.
async fn once(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Server {
    let seen = Mutex::new(HashSet::new());
    Server::start(move |head| {
        let is_first = seen.lock().insert(head.split(' ').nth(1).unwrap_or_default().to_owned());
        if is_first { answer(head) } else { Reply::status(404) }
    })
    .await
}

/// Resolves an address and plays the result. Returns the samples of the first channel.
async fn asked_and_heard(sources: &Sources, url: &str) -> Vec<f32> {
    let found = resolve(sources, url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    let opened = sources.begin_track(&found.tracks[0].playable).await;
    let opened = opened.unwrap_or_else(|error| panic!("{url}: {error}"));
    let updates = opened.updates.clone();
    let heard = all(&mut parsed(opened));
    assert_eq!(updates.borrow().failure, None, "{url}");
    heard
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_good_once_is_played() {
    const FILES: [&str; 7] =
        ["melody.aac", "melody.flac", "melody.mp3", "melody.ogg", "melody.opus", "melody.wav", "melody.webm"];
    let server = once(|head| {
        let name = head.split(' ').nth(1).unwrap().trim_start_matches('/').to_owned();
        match name.strip_prefix("parts-") {
            // A server that announces ranges, and refuses them.
            Some(name) => Reply::file(head, "", &media(name)),
            None => Reply::ok("", media(&name)),
        }
    })
    .await;
    let sources = sources(&server, bounds());
    for file in FILES {
        for prefix in ["", "parts-"] {
            let heard = asked_and_heard(&sources, &server.url(&format!("/{prefix}{file}"))).await;
            let rate = if file == "melody.wav" { 8_000 } else { 16_000 };
            assert!(heard.len() >= rate * 29 / 10, "{prefix}{file}: {} samples", heard.len());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_attached_and_the_one_entry_of_a_playlist_are_asked_for_once() {
    let server = once(|head| match head.split(' ').nth(1).unwrap() {
        "/one.m3u" => Reply::ok("audio/x-mpegurl", "#EXTM3U\n/listed.wav\n"),
        _ => Reply::ok("audio/wav", wav(3)),
    })
    .await;
    let sources = sources(&server, bounds());
    assert_eq!(asked_and_heard(&sources, &server.url("/one.m3u")).await.len(), 24_000);
    let file = Query::Attachment { url: server.url("/attached.wav"), name: "attached.wav".to_owned() };
    let found = sources.resolve(file, Limits::default(), CALLER).await.unwrap();
    let opened = sources.begin_track(&found.tracks[0].playable).await.unwrap();
    assert_eq!(all(&mut parsed(opened)).len(), 24_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_station_counts_one_listener() {
    let sound = media("melody.mp3");
    let server = Server::start(move |_| {
        Reply::raw("HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n").then_repeat(sound.clone())
    })
    .await;
    let sources = sources(&server, bounds());
    let found = resolve(&sources, &server.url("/live")).await.unwrap();
    let opened = sources.begin_track(&found.tracks[0].playable).await.unwrap();
    assert!(opened.is_live);
    assert!(!next(&mut parsed(opened)).is_empty());
    assert_eq!(server.requests().len(), 1);
    // A second query, for another guild, uses a connection of its own.
    sources.begin_track(&found.tracks[0].playable).await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_its_length_is_not_kept_open() {
    let server = Server::start(|head| Reply::file(head, "audio/wav", &wav(60))).await;
    let sources = sources(&server, bounds());
    let (url, most) = (server.url("/long.wav"), Duration::from_secs(30));
    let limits = Limits { tracks: 1, duration: Some(most) };
    let refused = sources.resolve(Query::Url(url.clone()), limits, CALLER).await.unwrap_err();
    assert_eq!(refused, SourceError::TooLong { most });
    assert!(sources.0.looked.take(&Playable::Http { url }).is_none());
}

#[tokio::test]
async fn what_is_not_played_soon_is_closed_and_no_more_than_some_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.wav"), wav(1)).unwrap();
    let sources =
        Sources::new(SourceConfig { music: Some(folder.path().to_owned()), ..SourceConfig::default() });
    let track = |number: usize| Playable::Http { url: format!("http://a.example/{number}") };
    for number in 0..20 {
        let opened = sources.open_track(&Playable::Library { path: "a.wav".to_owned() }).await.unwrap();
        sources.0.looked.keep(track(number), opened);
    }
    assert!(sources.0.looked.take(&track(0)).is_none() && sources.0.looked.take(&track(19)).is_some());
    tokio::time::pause();
    // Each entry has a task that waits for its end, once it has been run.
    tokio::task::yield_now().await;
    tokio::time::advance(looked::KEPT_FOR + Duration::from_secs(1)).await;
    tokio::task::yield_now().await;
    assert!((0..20).all(|number| sources.0.looked.take(&track(number)).is_none()));
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_at_the_end_of_a_file_does_not_cost_its_beginning() {
    // Its table is at its end: a seek there, and back to the beginning.
    let server = Server::start(|head| Reply::file(head, "audio/mp4", &media("melody.m4a"))).await;
    let sources = sources(&server, bounds());
    assert!(asked_and_heard(&sources, &server.url("/a.m4a")).await.len() > 120_000);
    let asked: Vec<_> = server.requests().iter().map(|head| range_of(head).unwrap()).collect();
    assert_eq!(asked.iter().filter(|from| **from == 0).count(), 1, "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_are_more_than_may_be_added_are_told_from_those_that_cannot_be_played() {
    let list =
        (0..700).fold("#EXTM3U\nfile:///no\n".to_owned(), |list, number| format!("{list}{number}.mp3\n"));
    let server = Server::start(move |_| Reply::ok("audio/x-mpegurl", &list)).await;
    let found = resolve(&sources(&server, bounds()), &server.url("/all.m3u")).await.unwrap();
    assert_eq!((found.tracks.len(), found.more, found.skipped, found.too_long), (100, 600, 1, 0));
}
