//! Servers that are never silent for long and never end: they drip a byte at a time, at each point where one is read.

use futures_util::future::join_all;

use super::*;

/// The time that a test allows for all requests to a server.
const SHORT: Duration = Duration::from_millis(1_500);

/// Limits with a short time for `resolve`, `open` and a reader, and long ones for single waits.
fn short() -> Bounds {
    let long = PATIENCE * 2;
    Bounds { answer: long, silence: long, connect: long, resolve: SHORT, open: SHORT, ..bounds() }
}

/// Limits with a short time for a reader, 900 ms.
fn impatient() -> Bounds {
    let (ahead, stall) = (Duration::from_millis(600), Duration::from_millis(300));
    Bounds { ahead, stall, open: PATIENCE, resolve: PATIENCE, ..short() }
}

/// The head of an answer without end.
fn head(kind: &str, more: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{more}\r\n").into_bytes()
}

fn and(mut bytes: Vec<u8>, more: &[u8]) -> Reply {
    bytes.extend_from_slice(more);
    Reply::raw(bytes)
}

/// Returns an answer that drips at the point that the path names.
fn dripping(request: &str) -> Reply {
    let list = "#EXTM3U\n".to_owned() + &"# a remark\n".repeat(100);
    match request.split(' ').nth(1).unwrap_or_default() {
        "/head" => Reply::raw("HTTP/1.1 200 OK\r\nX-A: ").then_drip(b"x"),
        "/redirect" => Reply::raw("HTTP/1.1 302 Found\r\nLocation: /").then_drip(b"x"),
        "/redirected" => Reply::redirect("/head"),
        "/first" => and(head("audio/mpeg", ""), b"ID3").then_drip(b"x"),
        "/list" => and(head("audio/x-mpegurl", ""), list.as_bytes()).then_drip(b"#"),
        "/list-of-one" => Reply::ok("audio/x-mpegurl", "#EXTM3U\n/first\n"),
        "/sound" => and(head("audio/mpeg", ""), &media("melody.mp3")[..2_000]).then_drip(&[0]),
        "/chunk" => and(head("audio/mpeg", "Transfer-Encoding: chunked\r\n"), b"1;x=").then_drip(b"x"),
        "/trailers" => {
            let body = format!("{:x}\r\n{list}\r\n0\r\nX-A: ", list.len());
            and(head("audio/x-mpegurl", "Transfer-Encoding: chunked\r\n"), body.as_bytes()).then_drip(b"x")
        }
        "/icy" => Reply::raw("ICY 200 OK\r\nicy-name: ").then_drip(b"x"),
        "/titles" => {
            let titles = and(head("audio/mpeg", "icy-metaint: 2000\r\n"), &media("melody.mp3")[..2_000]);
            titles.then_drip(&[255])
        }
        path => panic!("nothing is at {path}"),
    }
}

const PLACES: [&str; 11] = [
    "/head",
    "/redirect",
    "/redirected",
    "/first",
    "/list",
    "/list-of-one",
    "/sound",
    "/chunk",
    "/trailers",
    "/icy",
    "/titles",
];

fn late() -> SourceError {
    SourceError::Late { most: SHORT }
}

#[tokio::test(flavor = "multi_thread")]
async fn resolving_ends_in_a_sentence_wherever_a_server_drips() {
    let server = Server::start(dripping).await;
    let sources = sources(&server, short());
    let asked = PLACES.iter().zip(1..).map(async |(path, user)| {
        let caller = Caller { guild: GuildId::new(user), user: UserId::new(user) };
        let query = Query::Url(server.url(path));
        // The limit of one opening is as short, and may be over first.
        let error = sources.resolve(query, Limits::default(), caller).await.unwrap_err();
        assert!(error == late() || error == SourceError::TimedOut, "{path}: {error:?}");
        let file = Query::Attachment { url: server.url(path), name: "a.mp3".to_owned() };
        let error = sources.resolve(file, Limits::default(), caller).await.unwrap_err();
        assert!(error == late() || error == SourceError::TimedOut, "{path}: {error:?}");
    });
    join_all(asked).await;
    assert!(server.requests().len() >= 2 * PLACES.len());
    server.is_left().await;
    // No request is counted any more.
    let all: Result<Vec<_>, _> = (0..3).map(|_| sources.admit(CALLER)).collect();
    assert!(all.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_ends_in_a_sentence_wherever_a_server_drips() {
    let server = Server::start(dripping).await;
    let sources = sources(&server, short());
    let opened = PLACES.iter().map(async |path| {
        let error = sources.open_track(&Playable::Http { url: server.url(path) }).await.unwrap_err();
        assert!(error == late() || error == SourceError::TimedOut, "{path}: {error:?}");
    });
    join_all(opened).await;
    server.is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_asks_slow_servers_is_refused_more_and_free_again_at_the_deadline() {
    let server = Server::start(dripping).await;
    let sources = sources(&server, short());
    let ask = |_| sources.resolve(Query::Url(server.url("/first")), Limits::default(), CALLER);
    let slow = tokio::spawn(join_all((0..3).map(ask)));
    let until = Instant::now() + PATIENCE;
    while server.requests().len() < 3 {
        assert!(Instant::now() < until && !slow.is_finished());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let refused = resolve(&sources, &server.url("/first")).await;
    // On a machine that was suspended meanwhile they may be over.
    assert!(refused == Err(SourceError::BusyUser(3)) || refused == Err(late()), "{refused:?}");
    assert_eq!(slow.await.unwrap(), [Err(late()), Err(late()), Err(late())]);
    assert_eq!(resolve(&sources, &server.url("/first")).await, Err(late()));
    server.is_left().await;
}

/// Waits until a track that is not played is given up, and returns the reason.
async fn given_up(opened: &Opened) -> SourceError {
    let mut updates = opened.updates.clone();
    let failed = tokio::time::timeout(PATIENCE, updates.wait_for(|updates| updates.failure.is_some())).await;
    failed.expect("it is read for ever").unwrap().failure.clone().unwrap()
}

/// Bytes of half a second of audio.
const HALF: usize = 44 + 8_000;

#[tokio::test(flavor = "multi_thread")]
async fn what_drips_once_it_can_be_played_is_given_up_though_nobody_hears_it() {
    let sound = wav(60);
    let server = Server::start(move |request| match request.split(' ').nth(1).unwrap_or_default() {
        // A file with ranges, one without, and a station.
        "/parts" => Reply::file(request, "audio/wav", &sound).cut(HALF + 150).then_drip(&[0]),
        "/whole" => Reply::ok("audio/wav", &sound).cut(HALF + 100).then_drip(&[0]),
        "/titles" => {
            let first = and(head("audio/wav", &format!("icy-metaint: {HALF}\r\n")), &sound[..HALF]);
            first.then_drip(&[255])
        }
        _ => and(head("audio/wav", ""), &sound[..HALF]).then_drip(&[0]),
    })
    .await;
    let sources = sources(&server, impatient());
    let played = ["/parts", "/whole", "/titles", "/live"].map(async |path| {
        let opened = open(&sources, &server.url(path)).await;
        assert_eq!(given_up(&opened).await, SourceError::Stalled, "{path}");
        opened
    });
    let opened = join_all(played).await;
    // It waits for its turn or is paused, and holds no connection.
    server.is_left().await;
    for opened in opened {
        // The received audio is played, and then it ends.
        let heard = all(&mut parsed(opened)).len();
        assert!((3_000..=4_100).contains(&heard), "{heard}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_sends_no_sound_without_a_pause_is_given_up() {
    let sound = media("melody.mp3");
    let server =
        Server::start(move |_| and(head("audio/mpeg", ""), &sound).then_repeat(vec![0; 4_096])).await;
    let ahead = Duration::from_secs(4);
    let sources = sources(&server, Bounds { ahead, ..impatient() });
    let opened = open(&sources, &server.url("/live")).await;
    given_up(&opened).await;
    server.is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn seeking_and_going_on_after_a_drop_end_wherever_a_server_drips() {
    let sound = wav(60);
    let server = Server::start(move |request| {
        let is_first = range_of(request) == Some(0);
        match request.split(' ').nth(1).unwrap_or_default() {
            "/seek" if is_first => Reply::file(request, "audio/wav", &sound),
            "/drop" if is_first => Reply::file(request, "audio/wav", &sound).cut(HALF + 150),
            "/seek" => Reply::file(request, "audio/wav", &sound).cut(150).then_drip(&[0]),
            _ => Reply::raw("HTTP/1.1 206 Partial Content\r\nX-A: ").then_drip(b"x"),
        }
    })
    .await;
    let bounds = Bounds { open: SHORT, ..impatient() };
    let sources = sources(&server, bounds);
    let opened = open(&sources, &server.url("/seek")).await;
    let updates = opened.updates.clone();
    let mut parsed = parsed(opened);
    let to = SeekTo::Time { time: Time::from(Duration::from_secs(50)), track_id: None };
    assert!(parsed.format.seek(SeekMode::Accurate, to).is_err());
    let mut told = updates.clone();
    let failed = tokio::time::timeout(PATIENCE, told.wait_for(|updates| updates.failure.is_some())).await;
    assert_eq!(failed.unwrap().unwrap().failure, Some(SourceError::Stalled));

    let dropped = open(&sources, &server.url("/drop")).await;
    let why = given_up(&dropped).await;
    assert!(why == SourceError::Stalled || why == late(), "{why:?}");
    drop(parsed);
    server.is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_port_that_is_no_web_servers_all_failures_are_one() {
    let server = Server::start(|request| match request.split(' ').nth(1).unwrap_or_default() {
        "/none" => Reply::status(404),
        "/let-in" => Reply::status(403),
        "/ssh" => Reply::raw("SSH-2.0-OpenSSH_9.9\r\n").then_hang(),
        "/page" => Reply::ok("text/html", "<!doctype html>"),
        "/text" => Reply::ok("text/plain", "220 mail.example ESMTP\r\n".repeat(100)),
        "/image" => Reply::ok("image/png", "PNG"),
        "/list" => Reply::ok("audio/x-mpegurl", "#EXTM3U\nfile:///etc/passwd\n"),
        "/round" => Reply::redirect("/round"),
        "/inside" => Reply::redirect("http://10.0.0.1/"),
        "/cut" => Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"),
        "/large" => Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nRIFF").then_hang(),
        "/reset" => Reply::raw(""),
        path => Reply::raw(format!("HTTP/1.1 200 OK\r\nX: {path}")).then_hang(),
    })
    .await;
    let closed = {
        let gone = Server::start(|_| Reply::raw("")).await;
        gone.url("/")
    };
    let mut allow = HostList::parse(&server.address.to_string()).unwrap();
    assert!(allow.add(closed.trim_start_matches("http://").trim_end_matches('/')));
    let bounds = Bounds { answer: SHORT, silence: SHORT, resolve: SHORT, open: SHORT, ..bounds() };
    let plain = |ports: &[u16]| {
        let bounds = Bounds { ports: ports.to_vec(), ..bounds.clone() };
        let web = Web::new(Guard::new(allow.clone(), bounds.address), Arc::new(bounds));
        Sources(Arc::new(Inner { web, ..Inner::default() }))
    };
    let odd = plain(&[80, 443]);
    let paths = [
        "/none", "/let-in", "/ssh", "/page", "/text", "/image", "/list", "/round", "/inside", "/cut",
        "/large", "/reset", "/silent",
    ];
    let urls: Vec<_> = paths.iter().map(|path| server.url(path)).chain([closed]).collect();
    for url in &urls {
        assert_eq!(resolve(&odd, url).await, Err(SourceError::NothingThere), "{url}");
        let opened = odd.open_track(&Playable::Http { url: url.clone() }).await;
        assert_eq!(opened.unwrap_err(), SourceError::NothingThere, "{url}");
    }
    // At a web server's port they are distinguished.
    let web = plain(&[server.address.port()]);
    let mut told = Vec::new();
    for url in &urls[..paths.len()] {
        told.push(resolve(&web, url).await.unwrap_err());
    }
    assert!(!told.contains(&SourceError::NothingThere), "{told:?}");
    assert!(told.contains(&SourceError::Status(404)) && told.contains(&SourceError::NotPublic), "{told:?}");
}
