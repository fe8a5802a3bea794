//! Audio that a server refuses to the bot, and that yt-dlp fetches.

use super::*;

/// A page whose audio the server sends for a while, and then refuses. yt-dlp has all of it.
struct Refused {
    server: Server,
    sources: Sources,
    folder: tempfile::TempDir,
    page: Playable,
}

impl Refused {
    /// Creates a page of whose audio the server sends `given` bytes. yt-dlp runs `fetch` to fetch it.
    async fn after(given: usize, fetch: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sound = wav(60);
        std::fs::write(folder.path().join("sound"), &sound).unwrap();
        let server = Server::start(move |head| match range_of(head) {
            Some(0) if given > 0 => Reply::file(head, "audio/wav", &sound).cut(given),
            _ => Reply::status(403),
        })
        .await;
        let script = format!(
            "printf '%s\\n' \"$@\" >>arguments; echo $$ >pid\n\
             case \"$*\" in *'--output -'*) {fetch}; exit;; esac\n\
             echo '{{\"title\": \"x\", \"protocol\": \"http\", \"format_id\": \"251\", \"url\": \"{}\"}}'",
            server.url("/sound")
        );
        let sources = with_yt_dlp(&server, folder.path(), &script);
        let page = Playable::YtDlp { url: server.url("/page") };
        Self { server, sources, folder, page }
    }

    fn arguments(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("arguments")).unwrap()
    }

    /// Waits until the last yt-dlp that was started has ended.
    fn is_over(&self) {
        let pid = std::fs::read_to_string(self.folder.path().join("pid")).unwrap();
        let stat = Path::new("/proc").join(pid.trim()).join("stat");
        let until = Instant::now() + PATIENCE;
        while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
            assert!(Instant::now() < until, "yt-dlp still runs");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn seconds(heard: &[f32]) -> Vec<u32> {
    heard.chunks(8_000).map(|second| told(second[second.len() / 2])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_after_its_first_part_is_fetched_by_yt_dlp_and_plays_on() {
    let refused = Refused::after(200_000, "cat sound").await;
    let opened = refused.sources.open_track(&refused.page).await.unwrap();
    let updates = opened.updates.clone();
    let heard = all(&mut parsed(opened));
    assert_eq!(seconds(&heard), (0..60).collect::<Vec<_>>());
    assert_eq!(updates.borrow().failure, None);
    // The same format of the page, whose bytes are the same.
    let arguments = refused.arguments();
    let arguments: Vec<_> = arguments.lines().collect();
    let [.., before, last] = arguments[..] else { panic!("{arguments:?}") };
    assert_eq!((before, last), ("--", refused.server.url("/page").as_str()));
    assert!(arguments.windows(2).any(|two| two == ["--format", "251"]), "{arguments:?}");
    assert!(arguments.windows(2).any(|two| two == ["--output", "-"]), "{arguments:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_altogether_is_fetched_and_can_be_sought_in() {
    let refused = Refused::after(0, "cat sound").await;
    let mut parsed = parsed(refused.sources.open_track(&refused.page).await.unwrap());
    for second in [40, 5, 50] {
        assert_eq!(second_at(&mut parsed, second), second);
    }
    // It is fetched once, even if it is opened for another position.
    let again = refused.sources.open_track(&refused.page).await.unwrap();
    assert!(all(&mut super::parsed(again)).len() >= 60 * 8_000);
    assert_eq!(refused.arguments().matches("--output").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn yt_dlp_ends_with_the_track_and_leaves_no_file() {
    let files = || {
        let all = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten();
        let own = format!("hotcord-{}-", std::process::id());
        all.filter(|file| file.file_name().to_string_lossy().starts_with(&own)).count()
    };
    let refused = Refused::after(0, "cat sound; sleep 600").await;
    let mut parsed = parsed(refused.sources.open_track(&refused.page).await.unwrap());
    assert!(!next(&mut parsed).is_empty());
    // It has no name while it is read either.
    assert_eq!(files(), 0);
    drop(parsed);
    refused.is_over();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_yt_dlp_cannot_fetch_or_is_too_large_ends_in_a_sentence() {
    for (fetch, error) in [
        ("exit 1", SourceError::Page),
        ("cat sound sound sound", SourceError::TooLarge),
        (":", SourceError::Page),
    ] {
        let refused = Refused::after(0, fetch).await;
        let bounds = Bounds { spool: 500_000, ..super::bounds() };
        let allow = HostList::parse(&refused.server.address.to_string()).unwrap();
        let program = refused.folder.path().join("yt-dlp");
        let sources =
            Sources::new(SourceConfig { yt_dlp: Some(program), allow, bounds, ..SourceConfig::default() });
        // Too large a file is noticed once that much of it has arrived. It may play by then.
        let told = match sources.open_track(&refused.page).await {
            Ok(opened) => {
                let mut updates = opened.updates.clone();
                let heard = all(&mut parsed(opened));
                assert!(heard.len() < 60 * 8_000 + 1);
                let failed =
                    tokio::time::timeout(PATIENCE, updates.wait_for(|updates| updates.failure.is_some()))
                        .await;
                failed.unwrap().unwrap().failure.clone().unwrap()
            }
            Err(error) => error,
        };
        assert_eq!(told, error, "{fetch}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yt_dlp_that_drips_is_given_up_and_ended() {
    let fetch = "head -c 9000 sound; while :; do printf x; sleep 0.05; done";
    let refused = Refused::after(0, fetch).await;
    let (ahead, stall) = (Duration::from_millis(600), Duration::from_millis(300));
    let bounds = Bounds { stall, ahead, ..super::bounds() };
    let allow = HostList::parse(&refused.server.address.to_string()).unwrap();
    let program = refused.folder.path().join("yt-dlp");
    let sources =
        Sources::new(SourceConfig { yt_dlp: Some(program), allow, bounds, ..SourceConfig::default() });
    let opened = sources.open_track(&refused.page).await.unwrap();
    let mut updates = opened.updates.clone();
    let failed = tokio::time::timeout(PATIENCE, updates.wait_for(|updates| updates.failure.is_some())).await;
    assert_eq!(failed.unwrap().unwrap().failure, Some(SourceError::Stalled));
    drop(opened);
    refused.is_over();
}
