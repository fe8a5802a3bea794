//! A PostgreSQL server for tests. Also used by the tests of the bot.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

/// Start of a folder's name; the id of the process that made it follows.
const PREFIX: &str = "hotcord-pg-";

/// A PostgreSQL server of these tests alone, which ends with them.
pub(crate) struct Server {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    child: Mutex<Option<Child>>,
}

impl Server {
    /// Starts a server; `None` where PostgreSQL is not installed.
    pub(crate) fn start() -> io::Result<Option<Self>> {
        let Some(programs) = programs() else {
            println!(
                "PostgreSQL is not installed (Debian: apt-get install postgresql), so it is not tested."
            );
            return Ok(None);
        };
        // Below /tmp, since the path of a socket must be short. The server's user has to reach it.
        remove_stale()?;
        let prefix = format!("{PREFIX}{}-", std::process::id());
        let folder = tempfile::Builder::new().prefix(&prefix).tempdir()?.keep();
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let server = Self { programs, folder, port, child: Mutex::default() };
        if is_root() {
            Command::new("chown").arg("postgres").arg(&server.folder).status()?;
        }
        let data = server.folder.join("data");
        let data = data.to_str().unwrap();
        server.run("initdb", &["-D", data, "-U", "bot", "-A", "trust", "--no-sync", "-E", "UTF8"]);
        server.launch();
        Ok(Some(server))
    }

    /// Starts the server's process and waits until it answers. It ends with this process.
    pub(crate) fn launch(&self) {
        let port = self.port.to_string();
        let folder = self.folder.to_str().unwrap();
        let data = self.folder.join("data");
        let mut command = self.command("postgres");
        command.args([
            "-D",
            data.to_str().unwrap(),
            "-p",
            &port,
            "-k",
            folder,
            "-c",
            "listen_addresses=127.0.0.1",
        ]);
        command.args(["-c", "max_connections=400"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let (started, child) = mpsc::channel();
        // The system ends the server with the thread that has started it, so that one lives as long as the process.
        thread::spawn(move || {
            started.send(command.spawn().unwrap()).unwrap();
            loop {
                thread::park();
            }
        });
        *self.child.lock().unwrap() = Some(child.recv().unwrap());
        let began = Instant::now();
        while !self.answers() {
            assert!(began.elapsed() < Duration::from_mins(1), "PostgreSQL does not start");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends the server's process at once, as a crash does.
    pub(crate) fn crash(&self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            // The process that listens, which may be a child of the one that has changed the user.
            let file = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
            if let Some(process) = file.lines().next() {
                let _ = Command::new("kill").args(["-QUIT", process]).status();
            }
            let _ = child.wait();
        }
    }

    fn answers(&self) -> bool {
        self.client("pg_isready", &[]).stdout(Stdio::null()).status().is_ok_and(|status| status.success())
    }

    /// Creates an empty database and returns its address.
    pub(crate) fn database(&self, name: &str) -> String {
        self.run("createdb", &[name]);
        format!("postgres://bot@127.0.0.1:{}/{name}", self.port)
    }

    fn client(&self, program: &str, words: &[&str]) -> Command {
        let mut command = self.command(program);
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "bot"]).args(words);
        command
    }

    fn run(&self, program: &str, words: &[&str]) {
        let mut command = if program == "initdb" { self.command(program) } else { self.client(program, &[]) };
        let output = command.args(words).output().unwrap();
        let mut said = String::from_utf8_lossy(&output.stderr).into_owned();
        let _ = write!(said, "{}", String::from_utf8_lossy(&output.stdout));
        assert!(output.status.success(), "{program}: {said}");
    }

    /// Returns a program of PostgreSQL, which refuses to run as root.
    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = Command::new("setpriv");
        if is_root() {
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
        }
        command.arg("--pdeathsig=QUIT").arg(program).current_dir("/");
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.crash();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Removes the folders of processes that have ended. A folder stays as long as its server, which ends after the process.
fn remove_stale() -> io::Result<()> {
    for entry in fs::read_dir(std::env::temp_dir())?.flatten() {
        let name = entry.file_name();
        let process =
            name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse::<u32>().ok());
        if process.is_some_and(|process| !PathBuf::from(format!("/proc/{process}")).exists()) {
            // Another process may remove it at the same time.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Returns the folder of the newest PostgreSQL's programs, which Debian does not put into PATH.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found = versions.map(|version| version.path().join("bin")).collect::<Vec<_>>();
    found.sort();
    found.reverse();
    found.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    let programs = ["createdb", "initdb", "pg_isready", "postgres"];
    found.into_iter().find(|folder| programs.iter().all(|program| folder.join(program).exists()))
}
