use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::SystemTime;

use tempfile::TempDir;

use super::*;

/// Returns a WAV file of `seconds` at 8 kHz.
fn wav(seconds: u32) -> Vec<u8> {
    let length = seconds * 8_000 * 2;
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + length).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    for (number, bytes) in [(16, 4), (1, 2), (1, 2), (8_000, 4), (16_000, 4), (2, 2), (16, 2)] {
        wav.extend(&u32::to_le_bytes(number)[..bytes]);
    }
    wav.extend(b"data");
    wav.extend(length.to_le_bytes());
    wav.resize(44 + usize::try_from(length).unwrap(), 7);
    wav
}

fn put(folder: &Path, path: &str, bytes: &[u8]) {
    let file = folder.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, bytes).unwrap();
}

async fn library(folder: &Path) -> Library {
    let library = Library::open(Some(folder.to_owned()), &Bounds::default());
    library.refresh().await;
    library
}

fn paths(library: &Library) -> Vec<String> {
    let mut paths: Vec<_> = library.search("", 25).iter().map(|track| track.path.clone()).collect();
    paths.sort();
    paths
}

#[tokio::test]
async fn files_are_found_changed_and_forgotten() {
    let folder = TempDir::new().unwrap();
    put(folder.path(), "One.wav", &wav(1));
    put(folder.path(), "Artist/Album/Two.wav", &wav(2));
    put(folder.path(), "Artist/cover.jpg", b"no sound");
    put(folder.path(), "Artist/broken.wav", b"no sound either");
    put(folder.path(), ".hidden/Three.wav", &wav(1));
    let library = library(folder.path()).await;
    assert_eq!(library.status(), LibraryStatus::Ready { tracks: 2, left_out: 1 });
    assert_eq!(paths(&library), ["Artist/Album/Two.wav", "One.wav"]);
    let two = library.search("artist", 25).remove(0);
    assert_eq!((two.title.as_str(), two.duration), ("Two", Some(Duration::from_secs(2))));
    assert_eq!(library.get(&two.id).unwrap(), two);

    // The same size at another time, another size at the same time.
    let file = fs::File::options().write(true).open(folder.path().join("One.wav")).unwrap();
    let modified = file.metadata().unwrap().modified().unwrap();
    fs::write(folder.path().join("One.wav"), wav(3)).unwrap();
    file.set_modified(modified).unwrap();
    fs::remove_dir_all(folder.path().join("Artist/Album")).unwrap();
    library.refresh().await;
    assert_eq!(paths(&library), ["One.wav"]);
    assert_eq!(library.search("one", 1)[0].duration, Some(Duration::from_secs(3)));
    let mut same = wav(3);
    same.truncate(44);
    same[40..44].copy_from_slice(&16_000_u32.to_le_bytes());
    same.resize(wav(3).len(), 0);
    fs::write(folder.path().join("One.wav"), &same).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    library.refresh().await;
    assert_eq!(library.search("one", 1)[0].duration, Some(Duration::from_secs(1)));
}

#[tokio::test]
async fn what_was_never_played_is_chosen_first_and_then_what_was_played_the_longest_time_ago() {
    let folder = TempDir::new().unwrap();
    for path in ["One.wav", "Two.wav", "Three.wav"] {
        put(folder.path(), path, &wav(1));
    }
    let library = library(folder.path()).await;
    let chosen = |played: &[(&str, usize)]| {
        let played = played.iter().copied().collect();
        library.least_recent(&played).map(|track| track.path.clone())
    };
    for _ in 0..20 {
        assert_eq!(chosen(&[("One.wav", 0), ("Three.wav", 1)]).as_deref(), Some("Two.wav"));
    }
    let all = [("Two.wav", 3), ("One.wav", 4), ("Three.wav", 2)];
    assert_eq!(chosen(&all).as_deref(), Some("Three.wav"));
    assert_eq!(library.find("tw", 5).await, library.search("tw", 5));
    assert_eq!(Library::default().least_recent(&HashMap::new()), None);
}

#[tokio::test]
async fn no_path_leaves_the_folder() {
    let (folder, outside) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    put(outside.path(), "secret.wav", &wav(1));
    put(folder.path(), "inside.wav", &wav(1));
    put(folder.path(), "sub/deep.wav", &wav(1));
    symlink(outside.path().join("secret.wav"), folder.path().join("link.wav")).unwrap();
    symlink(outside.path(), folder.path().join("door")).unwrap();
    symlink("../..", folder.path().join("sub/up")).unwrap();
    let library = library(folder.path()).await;
    assert_eq!(paths(&library), ["inside.wav", "sub/deep.wav"]);
    assert_eq!(library.status(), LibraryStatus::Ready { tracks: 2, left_out: 3 });

    let name = outside.path().file_name().unwrap().to_str().unwrap();
    let absolute = outside.path().join("secret.wav");
    for path in [
        "link.wav",
        "door/secret.wav",
        "sub/up/inside.wav",
        &format!("../{name}/secret.wav"),
        &format!("sub/../../{name}/secret.wav"),
        absolute.to_str().unwrap(),
        "sub/./../inside.wav",
        "",
        ".",
        "sub",
        "none.wav",
    ] {
        assert_eq!(library.origin(path).open().err(), Some(SourceError::NotInLibrary), "{path}");
    }
    for path in ["inside.wav", "sub/deep.wav"] {
        assert!(library.origin(path).open().is_ok(), "{path}");
    }

    // A file at the time of indexing is a link out of the folder when it is opened.
    fs::remove_dir_all(folder.path().join("sub")).unwrap();
    put(outside.path(), "deep.wav", &wav(1));
    symlink(outside.path(), folder.path().join("sub")).unwrap();
    assert_eq!(library.origin("sub/deep.wav").open().err(), Some(SourceError::NotInLibrary));
}

#[tokio::test]
async fn a_pipe_keeps_nobody_waiting() {
    let folder = TempDir::new().unwrap();
    let library = library(folder.path()).await;
    let pipe = folder.path().join("pipe.wav");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let opened = tokio::task::spawn_blocking(move || library.origin("pipe.wav").open().err());
    let opened = tokio::time::timeout(Duration::from_secs(30), opened).await;
    assert_eq!(opened.unwrap().unwrap(), Some(SourceError::NotInLibrary));
}

#[tokio::test]
async fn a_folder_may_come_later_and_go() {
    let parent = TempDir::new().unwrap();
    let folder = parent.path().join("music");
    let library = library(&folder).await;
    assert_eq!(library.status(), LibraryStatus::Missing);
    put(&folder, "a.wav", &wav(1));
    library.refresh().await;
    assert_eq!(library.status(), LibraryStatus::Ready { tracks: 1, left_out: 0 });
    fs::remove_dir_all(&folder).unwrap();
    library.refresh().await;
    assert_eq!((library.status(), paths(&library)), (LibraryStatus::Missing, vec![]));
    assert_eq!(Library::default().status(), LibraryStatus::Absent);
    Library::default().refresh().await;
}

#[tokio::test]
async fn the_thread_ends_with_the_library() {
    let folder = TempDir::new().unwrap();
    let library = library(folder.path()).await;
    let wanted = library.0.as_ref().unwrap().wanted.clone();
    drop(library);
    // The thread held the other reference.
    tokio::task::spawn_blocking(move || {
        let until = std::time::Instant::now() + Duration::from_secs(30);
        while Arc::strong_count(&wanted) > 1 {
            assert!(std::time::Instant::now() < until, "the thread is still there");
            std::thread::yield_now();
        }
    })
    .await
    .unwrap();
}
