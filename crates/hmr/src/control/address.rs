//! Where the socket is, and how it is created so that only its owner can open it.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use super::ControlError;

/// Most bytes of a socket's path. The system's own limit is 107 on Linux.
const LONGEST: usize = 100;
/// Connections that wait to be accepted.
const BACKLOG: i32 = 16;

fn socket_file(workspace: &Path) -> PathBuf {
    workspace.join(".hotcord/control.sock")
}

fn path_file(workspace: &Path) -> PathBuf {
    workspace.join(".hotcord/control.path")
}

fn is_short(path: &Path) -> bool {
    path.as_os_str().len() <= LONGEST
}

/// Files that are removed with the socket.
#[derive(Debug)]
pub(super) struct Files {
    socket: PathBuf,
    /// Folder of its own among the temporary files, and the file that names the socket.
    elsewhere: Option<(PathBuf, PathBuf)>,
}

impl Drop for Files {
    fn drop(&mut self) {
        // A file that is already gone, for example with its folder, is not an error.
        let _ = fs::remove_file(&self.socket);
        if let Some((folder, pointer)) = &self.elsewhere {
            let _ = fs::remove_dir(folder);
            let _ = fs::remove_file(pointer);
        }
    }
}

/// Creates the socket of a workspace, replacing one that a bot left behind.
pub(super) fn listen(workspace: &Path) -> Result<(UnixListener, Files), ControlError> {
    let wanted = socket_file(workspace);
    let state = workspace.join(".hotcord");
    fs::create_dir_all(&state).map_err(ControlError::io("made", &state))?;
    if connect(workspace).is_ok() {
        return Err(ControlError::Taken);
    }
    let pointer = path_file(workspace);
    let files = if is_short(&wanted) {
        remove_stale(&wanted)?;
        let _ = fs::remove_file(&pointer);
        Files { socket: wanted, elsewhere: None }
    } else {
        let folder = private_folder()?;
        let socket = folder.join("control.sock");
        fs::write(&pointer, socket.as_os_str().as_encoded_bytes())
            .map_err(ControlError::io("written", &pointer))?;
        Files { socket, elsewhere: Some((folder, pointer)) }
    };
    let listener = bind(&files.socket).map_err(ControlError::io("made", &files.socket))?;
    Ok((listener, files))
}

/// Opens the socket of a workspace.
pub(super) fn connect(workspace: &Path) -> io::Result<UnixStream> {
    let direct = socket_file(workspace);
    if is_short(&direct)
        && let Ok(stream) = connect_trusted(&direct)
    {
        return Ok(stream);
    }
    let pointer = path_file(workspace);
    let named = fs::read_to_string(&pointer)?;
    check_owner(&pointer)?;
    connect_trusted(Path::new(named.trim()))
}

/// Opens a socket unless it belongs to another user, who would receive commands and whose answers would be taken for
/// the bot's.
fn connect_trusted(socket: &Path) -> io::Result<UnixStream> {
    check_owner(socket)?;
    UnixStream::connect(socket)
}

fn check_owner(path: &Path) -> io::Result<()> {
    let owner = fs::symlink_metadata(path)?.uid();
    if is_trusted(owner, rustix::process::geteuid().as_raw()) {
        return Ok(());
    }
    let problem = format!("{} belongs to another user, with id {owner}", path.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, problem))
}

/// Returns whether files of a user are trusted as those of a bot: this user's own, and root's.
const fn is_trusted(owner: u32, user: u32) -> bool {
    owner == 0 || owner == user
}

fn remove_stale(path: &Path) -> Result<(), ControlError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => {
            fs::remove_file(path).map_err(ControlError::io("removed", path))
        }
        Ok(_) => {
            let source = io::Error::other("something that is no socket is in its place");
            Err(ControlError::Io { action: "made", path: path.to_owned(), source })
        }
        Err(_) => Ok(()),
    }
}

/// Creates a folder that no other user can read.
fn private_folder() -> Result<PathBuf, ControlError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let folder = std::env::temp_dir().join(format!("hotcord-{}-{now:x}", std::process::id()));
    DirBuilder::new().mode(0o700).create(&folder).map_err(ControlError::io("made", &folder))?;
    Ok(folder)
}

/// Binds, then sets the mode, then listens, so that at no moment can others connect.
fn bind(path: &Path) -> io::Result<UnixListener> {
    let socket: OwnedFd = rustix::net::socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )?;
    rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(UnixListener::from(socket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_its_owners_replaces_a_stale_one_and_goes_with_its_bot() {
        let folder = tempfile::tempdir().unwrap();
        assert!(connect(folder.path()).is_err());
        let (listener, files) = listen(folder.path()).unwrap();
        let mode = fs::metadata(socket_file(folder.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(matches!(listen(folder.path()), Err(ControlError::Taken)));
        // As after a crash: the file exists, but no process listens.
        drop(listener);
        std::mem::forget(files);
        assert!(connect(folder.path()).is_err());
        let (_listener, files) = listen(folder.path()).unwrap();
        assert!(connect(folder.path()).is_ok());
        drop(files);
        assert!(!socket_file(folder.path()).exists());
    }

    #[test]
    fn a_path_that_is_too_long_leads_to_one_that_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("d".repeat(120));
        let (_listener, files) = listen(&deep).unwrap();
        assert!(connect(&deep).is_ok());
        let named = fs::read_to_string(path_file(&deep)).unwrap();
        let mode = fs::metadata(Path::new(&named).parent().unwrap()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        drop(files);
        assert!(!Path::new(&named).exists() && !path_file(&deep).exists());
    }

    #[test]
    fn what_belongs_to_another_user_is_not_asked() {
        assert!(
            is_trusted(1000, 1000) && is_trusted(0, 1000) && !is_trusted(1001, 1000) && !is_trusted(1000, 0)
        );
        let folder = tempfile::tempdir().unwrap();
        let (_listener, _files) = listen(folder.path()).unwrap();
        // Only root can give files away. For other users, the check above has to be enough.
        if rustix::process::geteuid().is_root() {
            let socket = socket_file(folder.path());
            std::os::unix::fs::chown(&socket, Some(65_534), None).unwrap();
            let error = connect_trusted(&socket).unwrap_err();
            assert!(error.to_string().contains("another user, with id 65534"), "{error}");
            assert!(connect(folder.path()).is_err());
        }
    }

    #[test]
    fn a_file_in_its_place_is_left_alone_and_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".hotcord")).unwrap();
        fs::write(socket_file(folder.path()), "notes").unwrap();
        let error = listen(folder.path()).unwrap_err().to_string();
        assert!(error.contains("control.sock could not be made"), "{error}");
        assert_eq!(fs::read_to_string(socket_file(folder.path())).unwrap(), "notes");
    }
}
