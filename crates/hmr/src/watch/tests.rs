//! The watcher with every way to save, move and link, by the system's events and by polling.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::SystemTime;

use super::*;

/// A watched folder, and one that is not.
struct Place {
    folder: tempfile::TempDir,
    elsewhere: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), elsewhere: tempfile::tempdir().unwrap() }
    }

    fn at(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    fn away(&self, inside: &str) -> PathBuf {
        self.elsewhere.path().join(inside)
    }

    /// Watches all of `tree`, below the folder.
    fn watch(&self, tree: &str) -> Watcher {
        self.watch_by(tree, None, &[])
    }

    fn watch_by(&self, tree: &str, poll: Option<Duration>, ignore: &[&str]) -> Watcher {
        self.watch_of(Of::All, tree, poll, ignore)
    }

    fn watch_of(&self, of: Of, tree: &str, poll: Option<Duration>, ignore: &[&str]) -> Watcher {
        let root = self.folder.path().to_path_buf();
        let trees = [(if tree.is_empty() { root.clone() } else { root.join(tree) }, of)].into();
        let ignore: Vec<_> = ignore.iter().map(ToString::to_string).collect();
        let filter = Filter::new(&root, &ignore, &[]).unwrap();
        let mode = WatchMode { debounce: Duration::from_millis(5), poll };
        Watcher::new(Scope { root, trees, files: BTreeMap::new() }, mode, filter).unwrap()
    }
}

fn save(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

async fn next(watcher: &mut Watcher) -> BTreeSet<PathBuf> {
    tokio::time::timeout(Duration::from_mins(1), watcher.next()).await.expect("a save is seen").paths
}

/// Waits until all of `paths` have been seen, and returns all paths that were.
async fn seen(watcher: &mut Watcher, paths: &[&Path]) -> BTreeSet<PathBuf> {
    let mut seen = BTreeSet::new();
    while !paths.iter().all(|path| seen.contains(*path)) {
        seen.append(&mut next(watcher).await);
    }
    seen
}

/// Saves `marker`, and asserts that nothing else has been seen until then.
async fn nothing_but(watcher: &mut Watcher, marker: &Path) {
    save(marker, &format!("{:?}", Instant::now()));
    assert_eq!(next(watcher).await, [marker.to_path_buf()].into());
}

#[tokio::test]
async fn every_way_to_save_is_one_change_and_a_touch_is_none() {
    let place = Place::new();
    let (file, marker) = (place.at("a.rs"), place.at("b.rs"));
    save(&file, "1");
    let mut watcher = place.watch("");

    save(&file, "2");
    assert_eq!(next(&mut watcher).await, [file.clone()].into(), "in place");

    save(&place.at("a.rs.tmp"), "3");
    fs::rename(place.at("a.rs.tmp"), &file).unwrap();
    seen(&mut watcher, &[&file]).await;

    // As vim does with `backupcopy=no`.
    fs::rename(&file, place.at("a.rs~")).unwrap();
    save(&file, "4");
    fs::remove_file(place.at("a.rs~")).unwrap();
    seen(&mut watcher, &[&file]).await;

    fs::remove_file(&file).unwrap();
    save(&file, "5");
    seen(&mut watcher, &[&file]).await;

    let mut open = fs::File::create(&file).unwrap();
    open.write_all(b"half").unwrap();
    open.sync_all().unwrap();
    save(&marker, "x");
    assert_eq!(next(&mut watcher).await, [marker.clone()].into(), "what is being written is no save yet");
    open.write_all(b" and half").unwrap();
    drop(open);
    assert_eq!(next(&mut watcher).await, [file.clone()].into());

    save(&file, "half and half");
    fs::File::open(&file).unwrap().set_modified(SystemTime::now()).unwrap();
    nothing_but(&mut watcher, &marker).await;

    fs::remove_file(&file).unwrap();
    assert_eq!(next(&mut watcher).await, [file].into());
}

#[tokio::test]
async fn a_folder_that_is_moved_is_watched_where_it_comes_to() {
    let place = Place::new();
    save(&place.away("plugin/src/lib.rs"), "x");
    let mut watcher = place.watch("");
    for round in 0..3 {
        let (here, there) = (place.at("plugin"), place.at("renamed"));
        fs::rename(place.away("plugin"), &here).unwrap();
        seen(&mut watcher, &[&here.join("src/lib.rs")]).await;
        save(&here.join("src/lib.rs"), &format!("here {round}"));
        assert_eq!(next(&mut watcher).await, [here.join("src/lib.rs")].into());

        fs::rename(&here, &there).unwrap();
        let moved = seen(&mut watcher, &[&here, &there.join("src/lib.rs")]).await;
        assert!(moved.contains(&here.join("src/lib.rs")), "{moved:?}");
        save(&there.join("src/new.rs"), &format!("there {round}"));
        assert_eq!(next(&mut watcher).await, [there.join("src/new.rs")].into());

        fs::rename(&there, place.away("plugin")).unwrap();
        seen(&mut watcher, &[&there, &there.join("src/lib.rs")]).await;
        save(&place.away("plugin/src/lib.rs"), &format!("away {round}"));
        nothing_but(&mut watcher, &place.at("marker")).await;
    }
}

#[tokio::test]
async fn a_tree_that_goes_and_comes_back_is_watched_again() {
    let place = Place::new();
    let file = place.at("commands/echo/src/lib.rs");
    save(&file, "1");
    let mut watcher = place.watch("commands");
    for round in 0..3 {
        fs::rename(place.at("commands"), place.away("commands")).unwrap();
        seen(&mut watcher, &[&place.at("commands"), &file]).await;
        fs::rename(place.away("commands"), place.at("commands")).unwrap();
        seen(&mut watcher, &[&file]).await;
        save(&file, &format!("moved {round}"));
        assert_eq!(next(&mut watcher).await, [file.clone()].into());

        // A shell whose working folder it is keeps it alive after its deletion.
        let standing = fs::File::open(place.at("commands/echo/src")).unwrap();
        fs::remove_dir_all(place.at("commands")).unwrap();
        save(&file, &format!("made anew {round}"));
        seen(&mut watcher, &[&file]).await;
        drop(standing);
        save(&file, &format!("deleted and back {round}"));
        seen(&mut watcher, &[&file]).await;
    }
}

#[tokio::test]
async fn what_is_written_into_folders_that_just_came_is_seen() {
    let place = Place::new();
    let mut watcher = place.watch("");
    for round in 0..50 {
        let file = place.at(&format!("a{round}/b/c/lib.rs"));
        save(&file, "x");
        seen(&mut watcher, &[&file]).await;
    }
}

#[tokio::test]
async fn saves_behind_links_are_seen_under_the_links() {
    let place = Place::new();
    save(&place.away("plugin/src/lib.rs"), "1");
    save(&place.away("plugin/inner/mod.rs"), "1");
    save(&place.away("common/words.rs"), "1");
    fs::create_dir(place.at("own")).unwrap();
    symlink(place.away("plugin"), place.at("linked")).unwrap();
    symlink(place.away("plugin/inner"), place.at("own/inner")).unwrap();
    symlink(place.away("common/words.rs"), place.away("words")).unwrap();
    symlink(place.away("words"), place.at("own/words.rs")).unwrap();
    symlink("..", place.at("own/circle")).unwrap();
    let mut watcher = place.watch("");

    save(&place.away("plugin/src/lib.rs"), "2");
    assert_eq!(next(&mut watcher).await, [place.at("linked/src/lib.rs")].into());
    save(&place.away("plugin/inner/mod.rs"), "2");
    assert_eq!(
        next(&mut watcher).await,
        [place.at("linked/inner/mod.rs"), place.at("own/inner/mod.rs")].into(),
        "two links lead there"
    );
    save(&place.away("common/words.rs"), "2");
    assert_eq!(next(&mut watcher).await, [place.at("own/words.rs")].into());
    save(&place.away("common/aside"), "3");
    fs::rename(place.away("common/aside"), place.away("common/words.rs")).unwrap();
    assert_eq!(next(&mut watcher).await, [place.at("own/words.rs")].into(), "replaced behind the link");

    // A link in the middle, and a link itself, that lead elsewhere from now on.
    save(&place.away("other.rs"), "4");
    fs::remove_file(place.away("words")).unwrap();
    symlink("other.rs", place.away("words")).unwrap();
    seen(&mut watcher, &[&place.at("own/words.rs")]).await;
    fs::remove_file(place.at("own/words.rs")).unwrap();
    symlink(place.away("common/words.rs"), place.at("own/words.rs")).unwrap();
    seen(&mut watcher, &[&place.at("own/words.rs")]).await;

    // The target of a link disappears and comes back.
    fs::rename(place.away("plugin"), place.away("plugin.bak")).unwrap();
    seen(&mut watcher, &[&place.at("linked"), &place.at("own/inner/mod.rs")]).await;
    fs::rename(place.away("plugin.bak"), place.away("plugin")).unwrap();
    seen(&mut watcher, &[&place.at("linked/src/lib.rs"), &place.at("own/inner/mod.rs")]).await;
    save(&place.away("plugin/src/lib.rs"), "3");
    assert_eq!(next(&mut watcher).await, [place.at("linked/src/lib.rs")].into());
}

#[tokio::test]
async fn a_link_to_a_folder_around_it_that_comes_later_is_not_gone_through() {
    let place = Place::new();
    save(&place.at("own/lib.rs"), "1");
    let mut watcher = place.watch("");
    symlink("..", place.at("own/circle")).unwrap();
    symlink("/", place.at("own/top")).unwrap();
    nothing_but(&mut watcher, &place.at("own/lib.rs")).await;
}

#[tokio::test]
async fn polling_sees_saves_links_and_moves() {
    let place = Place::new();
    let file = place.at("a.rs");
    save(&file, "1");
    save(&place.away("lib.rs"), "1");
    symlink(place.elsewhere.path(), place.at("linked")).unwrap();
    symlink(".", place.at("circle")).unwrap();
    let mut watcher = place.watch_by("", Some(Duration::from_millis(20)), &[]);
    save(&file, "2");
    assert_eq!(next(&mut watcher).await, [file.clone()].into());
    save(&place.away("lib.rs"), "2");
    assert_eq!(next(&mut watcher).await, [place.at("linked/lib.rs")].into());
    fs::remove_file(&file).unwrap();
    assert_eq!(next(&mut watcher).await, [file].into());
    save(&place.at("new/b.rs"), "1");
    assert_eq!(next(&mut watcher).await, [place.at("new/b.rs")].into());
    fs::remove_file(place.at("linked")).unwrap();
    assert_eq!(next(&mut watcher).await, [place.at("linked/lib.rs")].into());
}

#[tokio::test]
async fn what_is_left_out_is_silent_unless_a_plugin_is_built_from_it() {
    let place = Place::new();
    let marker = place.at("tree/marker");
    save(&place.at(".gitignore"), "*.gen.rs\n/tree/cache\n");
    for file in ["a.gen.rs", "b.gen.rs", "notes.txt", "cache/x.rs", "target/y.rs", ".git/z.rs", "word.rs"] {
        save(&place.at("tree").join(file), "1");
    }
    let mut watcher = place.watch_by("tree", None, &["*.txt", "!c.gen.rs", "word.rs"]);
    let control = watcher.control();
    let mut scope = control.scope();
    scope.files = [".gitignore", "tree/a.gen.rs", "tree/word.rs"].map(|file| (place.at(file), None)).into();
    control.follow(scope);
    nothing_but(&mut watcher, &marker).await;

    for file in ["b.gen.rs", "notes.txt", "cache/x.rs", "target/y.rs", ".git/z.rs", "word.rs"] {
        save(&place.at("tree").join(file), "2");
    }
    nothing_but(&mut watcher, &marker).await;
    save(&place.at("tree/a.gen.rs"), "2");
    assert_eq!(next(&mut watcher).await, [place.at("tree/a.gen.rs")].into(), "it is followed for itself");
    save(&place.at("tree/c.gen.rs"), "1");
    assert_eq!(next(&mut watcher).await, [place.at("tree/c.gen.rs")].into(), "! brings it back");

    // A saved .gitignore applies from then on.
    save(&place.at(".gitignore"), "*.gen.rs\n/tree/sub\n");
    let brought_in = next(&mut watcher).await;
    assert_eq!(brought_in, [place.at(".gitignore"), place.at("tree/cache/x.rs")].into());
    save(&place.at("tree/cache/x.rs"), "3");
    assert_eq!(next(&mut watcher).await, [place.at("tree/cache/x.rs")].into());
    save(&place.at("tree/sub/new.rs"), "1");
    nothing_but(&mut watcher, &marker).await;

    // So does another filter.
    control.set_filter(Filter::default());
    let brought_in = next(&mut watcher).await;
    assert_eq!(brought_in, ["tree/notes.txt", "tree/word.rs"].map(|file| place.at(file)).into());
    save(&place.at("tree/notes.txt"), "4");
    assert_eq!(next(&mut watcher).await, [place.at("tree/notes.txt")].into());
}

#[tokio::test]
async fn what_was_saved_in_a_pause_is_one_burst_after_it() {
    let place = Place::new();
    for file in ["a.rs", "b.rs", "gone/c.rs"] {
        save(&place.at(file), "1");
    }
    let mut watcher = place.watch("");
    let control = watcher.control();
    assert!(control.set_paused(true) && !control.set_paused(true));
    assert!(control.is_paused());
    save(&place.at("a.rs"), "2");
    save(&place.at("b.rs"), "2");
    save(&place.at("b.rs"), "1");
    save(&place.at("new/d.rs"), "1");
    fs::remove_dir_all(place.at("gone")).unwrap();
    let early = tokio::time::timeout(Duration::from_millis(300), watcher.next()).await;
    assert!(early.is_err(), "nothing is seen in a pause: {early:?}");
    assert!(control.set_paused(false));
    let expected = ["a.rs", "gone/c.rs", "new/d.rs"].map(|file| place.at(file));
    assert_eq!(next(&mut watcher).await, expected.into());
    save(&place.at("new/d.rs"), "2");
    assert_eq!(next(&mut watcher).await, [place.at("new/d.rs")].into());

    // The mode may change while the watcher runs.
    control.set_mode(WatchMode { debounce: Duration::ZERO, poll: Some(Duration::from_millis(20)) });
    save(&place.at("a.rs"), "3");
    assert_eq!(next(&mut watcher).await, [place.at("a.rs")].into());
    control.set_mode(WatchMode { debounce: Duration::ZERO, poll: None });
    save(&place.at("a.rs"), "4");
    assert_eq!(next(&mut watcher).await, [place.at("a.rs")].into());
}

#[tokio::test]
async fn a_stream_of_saves_without_a_pause_is_followed() {
    let place = Place::new();
    let file = place.at("a.rs");
    save(&file, "0");
    let mut watcher = place.watch("");
    let writing = tokio::spawn(async move {
        for round in 0_u64.. {
            save(&file, &round.to_string());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    for _ in 0..5 {
        assert_eq!(next(&mut watcher).await, [place.at("a.rs")].into());
    }
    writing.abort();
}

#[tokio::test]
async fn of_a_tree_of_sources_no_other_file_is_looked_at_however_many_come() {
    const FILES: u64 = 20_000;
    let place = Place::new();
    let (source, last) = (place.at("plugin/src/lib.rs"), place.at("plugin/src/last.rs"));
    save(&source, "1");
    save(&place.at("plugin/.gitignore"), "*.gen.rs\n");
    let mut watcher = place.watch_of(Of::Sources, "", None, &[]);
    let before = watcher.scanner.lock().work();

    let (began, half) = (Instant::now(), tokio::sync::oneshot::channel());
    let folder = place.at("plugin/assets");
    let written = source.clone();
    let flood = tokio::task::spawn_blocking(move || {
        let mut half = Some(half.0);
        for file in 0..FILES {
            let extension = if file % 2 == 0 { "json" } else { "gen.rs" };
            save(&folder.join(format!("{}/{file}.{extension}", file % 20)), "{}");
            if file == FILES / 2 {
                save(&written, "2");
                half.take().unwrap().send(Instant::now()).unwrap();
            }
        }
    });
    assert_eq!(next(&mut watcher).await, [source.clone()].into());
    let (saved, seen) = (half.1.await.unwrap(), Instant::now());
    flood.await.unwrap();
    save(&last, "1");
    assert_eq!(next(&mut watcher).await, [last].into());
    let after = watcher.scanner.lock().work();
    let (looks, reads) = (after.looks - before.looks, after.reads - before.reads);
    // The new folders and the two sources that were saved; those and their neighbours again after each overflow of the
    // system's event queue.
    assert!(looks < FILES / 20 && reads < FILES / 200, "{looks} looks and {reads} reads for {FILES} files");
    assert!(seen - saved < Duration::from_secs(5), "the save in the flood was seen after {:?}", seen - saved);
    assert!(began.elapsed() < Duration::from_mins(1));
}

#[tokio::test]
async fn a_source_that_was_of_another_kind_until_now_counts_from_what_was_built() {
    let place = Place::new();
    let (text, marker) = (place.at("word.txt"), place.at("marker.rs"));
    save(&text, "1");
    let mut watcher = place.watch_of(Of::Sources, "", None, &[]);
    let control = watcher.control();
    let follow = |hash| {
        let mut scope = control.scope();
        scope.files = [(text.clone(), Some(hash))].into();
        control.follow(scope);
    };
    save(&text, "2");
    nothing_but(&mut watcher, &marker).await;
    // A plugin was built with its contents.
    follow(hash_of(&text).unwrap().unwrap());
    nothing_but(&mut watcher, &marker).await;
    save(&text, "3");
    assert_eq!(next(&mut watcher).await, [text.clone()].into());
    // A plugin was built with its earlier contents, and it was saved before it was known to matter.
    let mut scope = control.scope();
    scope.files.clear();
    control.follow(scope);
    nothing_but(&mut watcher, &marker).await;
    let built = hash_of(&text).unwrap().unwrap();
    save(&text, "4");
    nothing_but(&mut watcher, &marker).await;
    follow(built);
    assert_eq!(next(&mut watcher).await, [text.clone()].into());
}

#[tokio::test]
async fn a_save_counts_from_when_it_was_made_however_late_it_is_looked_at() {
    // How far the clock that stamps files may be behind.
    const COARSE: Duration = Duration::from_millis(20);
    let place = Place::new();
    let file = place.at("a.rs");
    save(&file, "0");
    let hour = Duration::from_hours(1);
    let mut watcher = place.watch("");
    let set_modified = |path: &Path, modified: SystemTime| {
        fs::File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
    };
    let ways: [(&str, &dyn Fn()); 4] = [
        ("in place", &|| save(&file, "1")),
        ("renamed into place", &|| {
            save(&place.at("a.rs.new"), "2");
            fs::rename(place.at("a.rs.new"), &file).unwrap();
        }),
        ("an old file renamed into place", &|| {
            save(&place.away("a.rs"), "3");
            set_modified(&place.away("a.rs"), SystemTime::now() - hour);
            fs::rename(place.away("a.rs"), &file).unwrap();
        }),
        ("with a time to come", &|| {
            save(&file, "4");
            set_modified(&file, SystemTime::now() + hour);
        }),
    ];
    for (way, saves) in ways {
        let before = Instant::now();
        saves();
        let after = Instant::now();
        // The watcher is not polled for a while.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut began = None;
        while let Ok(saves) = tokio::time::timeout(Duration::from_millis(500), watcher.next()).await {
            if saves.paths.contains(&file) {
                began.get_or_insert(saves.began);
            }
        }
        let began = began.expect(way);
        assert!(began + COARSE >= before, "{way}: {:?} too early", before - began);
        assert!(began <= after + COARSE * 10, "{way}: {:?} too late", began - after);
    }
}

#[tokio::test]
async fn nothing_behind_a_link_to_a_huge_tree_is_watched_until_it_leads_elsewhere() {
    for poll in [None, Some(Duration::from_millis(50))] {
        let place = Place::new();
        let (marker, link) = (place.at("marker.rs"), place.at("link"));
        for number in 0..=walk::MAX_FOLDERS {
            fs::create_dir_all(place.away(&format!("huge/{number}"))).unwrap();
        }
        save(&place.away("huge/1/a.rs"), "1");
        save(&place.away("small/a.rs"), "1");
        symlink(place.away("huge"), &link).unwrap();
        let mut watcher = place.watch_by("", poll, &[]);
        save(&place.away("huge/1/a.rs"), "2");
        nothing_but(&mut watcher, &marker).await;
        assert_eq!(watcher.scanner.lock().too_large(), std::slice::from_ref(&link));

        // A link that is made while the folder is watched.
        fs::remove_file(&link).unwrap();
        symlink(place.away("small"), &link).unwrap();
        seen(&mut watcher, &[&link.join("a.rs")]).await;
        assert!(watcher.scanner.lock().too_large().is_empty());
        save(&place.away("small/a.rs"), "2");
        seen(&mut watcher, &[&link.join("a.rs")]).await;
        fs::remove_file(&link).unwrap();
        seen(&mut watcher, &[&link.join("a.rs")]).await;
        symlink(place.away("huge"), &link).unwrap();
        nothing_but(&mut watcher, &marker).await;
    }
}
