use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;

use super::*;
use crate::loopback::{Reply, Server};

/// Returns limits that are short enough for a test.
fn bounds() -> Bounds {
    let short = Duration::from_millis(400);
    Bounds { answer: short, silence: short, ..Bounds::default() }
}

fn web(allow: &str) -> Web {
    Web::new(Guard::new(HostList::parse(allow).unwrap(), 2_048), Arc::new(bounds()))
}

async fn get(web: &Web, url: &str) -> Result<Response, SourceError> {
    let url = web.guard().parse(url)?;
    let answer = web.get(&url, &HeaderMap::new(), Deadline::after(Duration::from_mins(1))).await;
    answer.map_err(|failed| failed.error)
}

async fn error(web: &Web, url: &str) -> SourceError {
    match get(web, url).await {
        Ok(answer) => panic!("{url} answers {:?}", answer.head),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_redirect_is_followed_only_to_where_a_user_may_go() {
    let inner = Server::start(|_| Reply::ok("audio/mpeg", "secret")).await;
    let secret = inner.url("/");
    let server = Server::start(move |head| match head.split(' ').nth(1).unwrap() {
        "/inner" => Reply::redirect(&secret),
        "/private" => Reply::redirect("http://10.0.0.1/"),
        "/mapped" => Reply::redirect("//[::ffff:127.0.0.1]/"),
        "/metadata" => Reply::redirect("http://169.254.169.254/"),
        "/file" => Reply::redirect("file:///etc/passwd"),
        "/credentials" => Reply::redirect("http://me:secret@127.0.0.1/"),
        "/round" => Reply::redirect("/round"),
        "/relative" => Reply::redirect("there?x=1"),
        _ => Reply::ok("audio/mpeg; codecs=x", "sound"),
    })
    .await;
    let web = web(&server.address.to_string());
    for (path, expected) in [
        ("/inner", SourceError::NotPublic),
        ("/private", SourceError::NotPublic),
        ("/mapped", SourceError::NotPublic),
        ("/metadata", SourceError::NotPublic),
        ("/file", SourceError::Scheme),
        ("/credentials", SourceError::Credentials),
        ("/round", SourceError::Redirects),
    ] {
        assert_eq!(error(&web, &server.url(path)).await, expected, "{path}");
    }
    assert_eq!(inner.requests().len(), 0);
    let rounds = server.requests().iter().filter(|head| head.starts_with("GET /round ")).count();
    assert_eq!(rounds, 1 + Bounds::default().redirects);

    let answer = get(&web, &server.url("/relative")).await.unwrap();
    assert_eq!(answer.url.as_str(), server.url("/there?x=1"));
    assert_eq!(answer.head.kind, "audio/mpeg");
    assert_eq!(answer.body.whole(5).await.unwrap(), b"sound");
}

/// Returns another answer for each lookup.
struct Rebinding(Mutex<VecDeque<Vec<IpAddr>>>);

impl Lookup for Rebinding {
    fn lookup(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let answer = self.0.lock().pop_front().unwrap_or_default();
        Box::pin(async move { Ok(answer) })
    }
}

#[tokio::test]
async fn a_name_that_changes_its_address_leads_nowhere_else() {
    let public = Server::start(|_| Reply::ok("audio/mpeg", "sound")).await;
    // The same port on another loopback address, which the list does not allow.
    let address = format!("127.0.0.2:{}", public.address.port());
    let private = Server::start_at(&address, |_| Reply::ok("audio/mpeg", "secret")).await;
    let answers = [vec!["127.0.0.1"], vec!["127.0.0.2"], vec!["127.0.0.1", "127.0.0.2"], vec![]];
    let answers = answers.iter().map(|one| one.iter().map(|ip| ip.parse().unwrap()).collect()).collect();
    let guard = Guard::new(HostList::parse("127.0.0.1").unwrap(), 2_048);
    let web = Web::with_lookup(guard, Arc::new(bounds()), Arc::new(Rebinding(Mutex::new(answers))));
    let url = format!("http://radio.example:{}/", public.address.port());
    assert_eq!(get(&web, &url).await.unwrap().body.whole(5).await.unwrap(), b"sound");
    assert_eq!(error(&web, &url).await, SourceError::NotPublic);
    assert_eq!(error(&web, &url).await, SourceError::NotPublic);
    assert_eq!(error(&web, &url).await, SourceError::NoHost);
    assert_eq!(private.requests().len(), 0);
    assert_eq!(public.requests().len(), 1);
}

#[tokio::test]
async fn a_server_that_is_silent_is_given_up() {
    let server = Server::start(|head| match head.split(' ').nth(1).unwrap() {
        "/head" => Reply::raw("").then_hang(),
        "/body" => Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc").then_hang(),
        "/short" => Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"),
        "/endless" => Reply::raw("HTTP/1.1 200 OK\r\n\r\n").then_repeat(vec![b'x'; 4096]),
        _ => Reply::status(404),
    })
    .await;
    let web = web(&server.address.to_string());
    assert_eq!(error(&web, &server.url("/head")).await, SourceError::TimedOut);
    let body =
        async |path: &str| get(&web, &server.url(path)).await.unwrap().body.whole(10_000).await.unwrap_err();
    assert_eq!(body("/body").await, SourceError::TimedOut);
    assert_eq!(body("/short").await, SourceError::Broken);
    assert_eq!(body("/endless").await, SourceError::TooLarge);
    assert_eq!(error(&web, &server.url("/none")).await, SourceError::Status(404));
    let gone = server.url("/");
    drop(server);
    assert_eq!(error(&web, &gone).await, SourceError::Unreachable);
}

#[tokio::test]
async fn a_shoutcast_server_of_the_first_kind_is_understood() {
    let server = Server::start(|head| match head.split(' ').nth(1).unwrap() {
        "/full" => Reply::raw("ICY 400 Server Full\r\n\r\n"),
        "/noise" => Reply::raw("SSH-2.0-OpenSSH\r\n\r\n"),
        _ => Reply::raw("ICY 200 OK\r\nicy-name: Radio\x07 One \r\nContent-Type:audio/mpeg\r\nicy-metaint:16\r\n\r\nsound"),
    })
    .await;
    let web = web(&server.address.to_string());
    let answer = get(&web, &server.url("/")).await.unwrap();
    let head = Head {
        kind: "audio/mpeg".to_owned(),
        interval: Some(16),
        station: Some("Radio One".to_owned()),
        ..Head::default()
    };
    assert_eq!(answer.head, head);
    assert_eq!(answer.body.whole(100).await.unwrap(), b"sound");
    assert_eq!(error(&web, &server.url("/full")).await, SourceError::Status(400));
    assert_eq!(error(&web, &server.url("/noise")).await, SourceError::NoSound);
}
