use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serenity::all::{GuildId, UserId};
use tempfile::TempDir;

use super::super::{Caller, HostList, Limits, Query, SourceConfig, Sources};
use super::*;
use sdk_core::voice::Playable;

/// A script in place of yt-dlp: it writes its arguments to a file, one a line, and then runs `does`.
struct Double {
    folder: TempDir,
}

impl Double {
    fn new(does: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let here = folder.path().display();
        let script = format!(
            "#!/bin/sh\nif [ \"$2\" = --version ]; then echo 2026.11.01; exit; fi\n\
             printf '%s\\n' \"$@\" >>'{here}/arguments'\nenv >'{here}/environment'\n{does}\n"
        );
        // A file that is written while another thread starts a program cannot be run; a renamed one can.
        let file = folder.path().join("new");
        fs::write(&file, script).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(&file, folder.path().join("yt-dlp")).unwrap();
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn arguments(&self) -> Vec<String> {
        let noted = fs::read_to_string(self.path().join("arguments")).unwrap_or_default();
        noted.lines().map(str::to_owned).collect()
    }

    fn sources(&self, bounds: Bounds) -> Sources {
        Sources::new(SourceConfig {
            yt_dlp: Some(self.path().join("yt-dlp")),
            allow: HostList::default(),
            bounds,
            ..SourceConfig::default()
        })
    }

    fn yt_dlp(&self, bounds: Bounds) -> YtDlp {
        let guard = Guard::new(HostList::default(), 2_048);
        YtDlp::find(Some(self.path().join("yt-dlp")), guard, Arc::new(bounds))
    }
}

const CALLER: Caller = Caller { guild: GuildId::new(1), user: UserId::new(2) };

fn page() -> Url {
    Url::parse("https://video.example/watch?v=1").unwrap()
}

const VIDEO: &str = r#"cat <<'END'
{"title": "A \u0007Video", "channel": "Someone", "duration": 61.5, "webpage_url": "https://video.example/watch?v=1",
 "thumbnail": "http://10.0.0.1/secret.png", "protocol": "https", "url": "https://media.example/a.webm",
 "http_headers": {"User-Agent": "Browser", "Cookie": "a=b", "Host": "evil.example", "X-Other": "c"}}
END"#;

#[tokio::test]
async fn its_version_is_told_and_nothing_is_asked_before() {
    let double = Double::new(VIDEO);
    let yt_dlp = double.yt_dlp(Bounds::default());
    assert!(yt_dlp.is_there().await);
    let YtDlpStatus::Found { path, version, .. } = yt_dlp.status() else { panic!("{:?}", yt_dlp.status()) };
    assert_eq!((path, version.as_str()), (double.path().join("yt-dlp"), "2026.11.01"));
    assert_eq!(double.arguments(), [""; 0]);

    let guard = Guard::new(HostList::default(), 2_048);
    let path = double.path().join("none");
    let absent = YtDlp::find(Some(path.clone()), guard, Arc::new(Bounds::default()));
    assert!(!absent.is_there().await);
    assert_eq!(absent.status(), YtDlpStatus::Broken { path });
    assert_eq!(absent.page(&page(), 1).await.unwrap_err(), SourceError::NoPages);
    assert_eq!(absent.search("words", 1).await.unwrap_err(), SourceError::NoSearch);
    assert_eq!(YtDlp::default().page(&page(), 1).await.unwrap_err(), SourceError::NoPages);
}

#[tokio::test]
async fn a_page_is_a_track_and_its_address_comes_last() {
    let double = Double::new(VIDEO);
    let yt_dlp = double.yt_dlp(Bounds::default());
    let found = yt_dlp.page(&page(), 7).await.unwrap();
    let [track] = &found.tracks[..] else { panic!("{found:?}") };
    assert_eq!((track.title.as_str(), track.artist.as_deref()), ("A Video", Some("Someone")));
    assert_eq!(track.duration, Some(Duration::from_millis(61_500)));
    assert_eq!(track.playable, Playable::YtDlp { url: page().to_string() });
    // Discord would fetch it, but an address that is not public is never shown.
    assert_eq!(track.artwork, None);

    let arguments = double.arguments();
    assert_eq!(&arguments[arguments.len() - 2..], ["--", page().as_str()]);
    for option in
        ["--ignore-config", "--no-exec", "--no-playlist", "--flat-playlist", "default,-generic", "1:7"]
    {
        assert!(arguments.iter().any(|argument| argument == option), "{option}");
    }
    let environment = fs::read_to_string(double.path().join("environment")).unwrap();
    let names: Vec<_> = environment.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    // The shell adds some of its own.
    let known =
        ["PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "LANG", "PWD", "SHLVL", "_", "OLDPWD"];
    assert!(names.iter().all(|name| known.contains(name)), "{names:?}");

    // A result is used for a while.
    let media = yt_dlp.media(&page()).await.unwrap();
    assert_eq!(media.url.as_str(), "https://media.example/a.webm");
    let mut headers: Vec<_> = media.headers.keys().map(HeaderName::as_str).collect();
    headers.sort_unstable();
    assert_eq!(headers, ["cookie", "user-agent"]);
    assert_eq!(double.arguments(), arguments);
    yt_dlp.forget(page().as_str());
    yt_dlp.media(&page()).await.unwrap();
    assert_ne!(double.arguments(), arguments);
}

#[tokio::test]
async fn words_are_never_an_option_nor_an_address() {
    let double = Double::new(
        r#"echo '{"title": "x", "entries": [{"title": "A", "url": "https://video.example/a", "duration": 5},
           null, {"title": "B", "url": "file:///etc/passwd"}, {"title": "C", "url": "http://127.0.0.1/"}]}'"#,
    );
    let sources = double.sources(Bounds::default());
    for words in ["--exec=id", "-f", "--", "ytsearch9:x", "a\nb\u{0}c"] {
        let found = sources.resolve(Query::from_text(words), Limits::default(), CALLER).await.unwrap();
        assert_eq!(found.tracks[0].title, "A");
        let arguments = double.arguments();
        let [.., before, last] = &arguments[..] else { panic!("{arguments:?}") };
        assert_eq!(before, "--");
        assert!(last.starts_with("ytsearch1:"), "{last}");
    }
    let found = sources.search("words", 5).await.unwrap();
    assert_eq!(found.iter().map(|track| track.title.as_str()).collect::<Vec<_>>(), ["A"]);
    let long = "x".repeat(5_000);
    sources.search(&long, 1).await.unwrap();
    assert!(double.arguments().last().unwrap().len() < 300);
}

#[tokio::test]
async fn an_address_of_another_kind_never_reaches_it() {
    let double = Double::new(VIDEO);
    let sources = double.sources(Bounds::default());
    for (text, error) in [
        ("file:///etc/passwd", SourceError::Scheme),
        ("ftp://example.org/a", SourceError::Scheme),
        ("-x://example.org/", SourceError::NoAddress),
        ("--exec=id://", SourceError::NothingFound),
        ("http://localhost.\u{0}/", SourceError::NoAddress),
        ("http://127.0.0.1:1/", SourceError::NotPublic),
        ("https://me:pw@video.example/", SourceError::Credentials),
        ("http://", SourceError::NoAddress),
    ] {
        let query = Query::from_text(text);
        if error == SourceError::NothingFound {
            assert_eq!(query, Query::Search(text.to_owned()));
            continue;
        }
        assert_eq!(query, Query::Url(text.to_owned()));
        assert_eq!(sources.resolve(query, Limits::default(), CALLER).await.unwrap_err(), error, "{text}");
        let playable = Playable::YtDlp { url: text.to_owned() };
        assert_eq!(sources.open_track(&playable).await.unwrap_err(), error, "{text}");
    }
    assert_eq!(double.arguments(), [""; 0]);
}

#[tokio::test]
async fn what_it_finds_passes_the_guard() {
    let double =
        Double::new(r#"echo '{"protocol": "http", "url": "http://169.254.169.254/latest", "title": "x"}'"#);
    let yt_dlp = double.yt_dlp(Bounds::default());
    assert_eq!(yt_dlp.media(&page()).await.err(), Some(SourceError::Page));
}

#[tokio::test]
async fn one_that_hangs_is_ended_with_all_that_it_started() {
    let double = Double::new("sleep 600 & echo $! >\"$(dirname \"$0\")/child\"; wait");
    let bounds = Bounds { find: Duration::from_secs(2), ..Bounds::default() };
    let yt_dlp = double.yt_dlp(bounds);
    assert_eq!(yt_dlp.page(&page(), 1).await.unwrap_err(), SourceError::TimedOut);
    let child = fs::read_to_string(double.path().join("child")).unwrap();
    let stat = Path::new("/proc").join(child.trim()).join("stat");
    let until = Instant::now() + Duration::from_secs(30);
    // After the kill it is a zombie until init has reaped it.
    while fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(Instant::now() < until, "its child still runs");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn one_that_writes_without_end_or_nonsense_is_given_up_and_not_quoted() {
    let bounds = || Bounds { output: 100_000, ..Bounds::default() };
    for (does, error) in [
        ("yes", SourceError::TooLarge),
        ("yes >&2 & echo nonsense-1", SourceError::Page),
        ("echo 'nonsense-2' >&2; exit 1", SourceError::Page),
        ("echo '[]'", SourceError::Page),
        ("echo '{\"entries\": []}'", SourceError::Page),
        ("kill -9 $$", SourceError::Page),
    ] {
        let told = Double::new(does).yt_dlp(bounds()).page(&page(), 1).await.unwrap_err();
        assert_eq!(told, error, "{does}");
        assert!(!told.to_string().contains("nonsense"));
    }
}

/// Puts a program into a folder that prints a version.
fn runtime(folder: &Path, name: &str, told: &str) {
    let file = folder.join("new");
    fs::write(&file, format!("#!/bin/sh\necho '{told}'\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(&file, folder.join(name)).unwrap();
}

/// Resolves a page of YouTube with these runtimes. Returns the runtime in the status, yt-dlp's arguments, and the
/// outcome.
async fn with_runtimes(
    runtimes: &[(&str, &str)],
    version: &str,
    does: &str,
) -> (String, Vec<String>, Result<Found, SourceError>) {
    let double = Double::new(does);
    let script = fs::read_to_string(double.path().join("yt-dlp")).unwrap().replace("2026.11.01", version);
    fs::write(double.path().join("new"), script).unwrap();
    fs::set_permissions(double.path().join("new"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(double.path().join("new"), double.path().join("yt-dlp")).unwrap();
    let folder = TempDir::new().unwrap();
    for (name, told) in runtimes {
        runtime(folder.path(), name, told);
    }
    let guard = Guard::new(HostList::default(), 2_048);
    let (path, folders) = (double.path().join("yt-dlp"), folder.path().as_os_str().to_owned());
    let yt_dlp = YtDlp::find_in(Some(path), folders, guard, Arc::new(Bounds::default()));
    let page = Url::parse("https://www.youtube.com/watch?v=1").unwrap();
    let found = yt_dlp.page(&page, 1).await;
    let here = folder.path().display().to_string();
    let arguments = double.arguments().iter().map(|argument| argument.replace(&here, "")).collect();
    (yt_dlp.status().to_string(), arguments, found)
}

#[tokio::test]
async fn the_runtime_that_is_new_enough_is_told_and_passed_on() {
    for (runtimes, words, passed) in [
        (&[("deno", "deno 2.9.8 (stable)"), ("node", "v24.1.0")][..], "with deno 2.9.8", None),
        (&[("deno", "deno 1.46.0"), ("node", "v22.0.0")], "with node 22.0.0", Some("node:/node")),
        (&[("node", "v20.20.2"), ("bun", "1.3.0")], "with bun 1.3.0", Some("bun:/bun")),
        (&[("qjs", "QuickJS version 2025-04-26")], "with quickjs 2025-04-26", Some("quickjs:/qjs")),
        (&[("qjs", "QuickJS-ng version 0.11.0")], "with quickjs 0.11.0", Some("quickjs:/qjs")),
        (
            &[("node", "v20.20.2")],
            "but node 20.20.2 is too old for YouTube: install Deno 2.3 or Node.js 22",
            None,
        ),
        (&[], "without a JavaScript runtime for YouTube: install Deno 2.3 or Node.js 22", None),
    ] {
        let (status, arguments, found) = with_runtimes(runtimes, "2026.11.01", VIDEO).await;
        assert!(status.ends_with(words), "{status}");
        let told = arguments.iter().position(|argument| argument == "--js-runtimes");
        assert_eq!(told.map(|at| arguments[at + 1].as_str()), passed, "{runtimes:?}");
        found.unwrap();
    }
    // An older yt-dlp does not know the option.
    let (_, arguments, _) = with_runtimes(&[("node", "v24.1.0")], "2025.09.26", VIDEO).await;
    assert!(!arguments.iter().any(|argument| argument == "--js-runtimes"), "{arguments:?}");
}

#[tokio::test]
async fn a_page_that_fails_for_want_of_a_runtime_says_what_is_missing() {
    let failed = async |runtimes: &[(&str, &str)]| {
        with_runtimes(runtimes, "2026.11.01", "exit 1").await.2.unwrap_err()
    };
    assert_eq!(failed(&[]).await, SourceError::NoRuntime);
    assert_eq!(failed(&[("node", "v20.20.2")]).await, SourceError::NoRuntime);
    assert_eq!(failed(&[("node", "v22.5.0")]).await, SourceError::Page);
}

#[tokio::test]
async fn a_list_of_more_entries_than_are_asked_for_tells_how_many_more() {
    let double = Double::new(
        r#"echo '{"title": "x", "playlist_count": 500, "entries": [{"title": "A", "url": "https://video.example/a"}]}'"#,
    );
    let found = double.yt_dlp(Bounds::default()).page(&page(), 1).await.unwrap();
    assert_eq!((found.tracks.len(), found.more, found.skipped), (1, 499, 0));
}
