//! dev-env.sh without Docker, or with one that fails in several ways; and the allowed content of the files for Docker.
//! A program named `docker` stands in for the engine's.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};

use e2e::playground::workspace;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A folder with dev-env.sh and the files for Docker, and another with stand-ins for programs.
struct Place {
    folder: TempDir,
    programs: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap(), programs: tempfile::tempdir().unwrap() };
        for file in ["dev-env.sh", "Dockerfile.dev", "docker-compose.dev.yml"] {
            fs::copy(workspace().join(file), place.folder.path().join(file)).unwrap();
        }
        fs::create_dir(place.folder.path().join("scripts")).unwrap();
        for script in fs::read_dir(workspace().join("scripts"))
            .unwrap()
            .flatten()
            .filter(|entry| entry.path().is_file())
        {
            fs::copy(script.path(), place.folder.path().join("scripts").join(script.file_name())).unwrap();
        }
        // The programs that the script uses, without an engine.
        for program in [
            "awk", "basename", "bash", "cat", "cksum", "cut", "dirname", "env", "find", "grep", "head", "id",
            "mkdir", "mkfifo", "ps", "rm", "sed", "sleep", "tr", "uname",
        ] {
            let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
            let path = String::from_utf8(found.stdout).unwrap();
            std::os::unix::fs::symlink(path.trim(), place.programs.path().join(program)).unwrap();
        }
        place
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.programs.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Writes a docker that responds, and whose Compose runs `compose`. Its arguments are recorded in `calls`.
    ///
    /// A running bot is in `running`, one that has ended in `ended`; its sandbox, if there is one, in `sandbox`. If `image`
    /// exists, it has every image.
    fn docker(&self, compose: &str) {
        let script = r#"
cd 'FOLDER'; echo "$*" >>calls
case "$*" in
'compose version') ;;
version*) echo 20.10 ;;
compose*) COMPOSE ;;
'ps '*service=sandbox*) cat sandbox 2>/dev/null ;;
'ps --all'*) cat running ended 2>/dev/null ;;
ps*) cat running 2>/dev/null ;;
inspect*) echo 126 ;;
'image inspect'*) test -e image ;;
logs*5a4db0c5) echo 'the sandbox is listening'; exec sleep 600 ;;
logs*) echo 'exec ./dev-env.sh: permission denied' ;;
esac"#;
        let folder = self.folder.path().display().to_string();
        self.program("docker", &script.replace("FOLDER", &folder).replace("COMPOSE", compose));
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default()
    }

    fn start(&self, words: &[&str]) -> Child {
        hmr::signals::set_back().unwrap();
        let bash = self.programs.path().join("bash");
        self.start_with(Command::new(bash).arg("dev-env.sh").args(words))
    }

    /// Starts the script as a shell does in which these signals are ignored.
    fn start_ignoring(&self, signals: &str, words: &[&str]) -> Child {
        let script = format!("trap '' {signals}; exec \"$0\" dev-env.sh \"$@\"");
        let bash = self.programs.path().join("bash");
        self.start_with(Command::new(&bash).args(["-c", &script]).arg(&bash).args(words))
    }

    fn start_with(&self, command: &mut Command) -> Child {
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", self.programs.path())
            .env("HOME", self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Returns the exit code and the whole output.
    fn run(&self, words: &[&str]) -> (Option<i32>, String) {
        let output = self.start(words).wait_with_output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }

    /// Checks that a command fails with this code, and with one sentence that contains all of `parts`.
    fn fails(&self, words: &[&str], code: i32, parts: &[&str]) {
        let (given, said) = self.run(words);
        let sentences: Vec<_> = said.lines().filter(|line| line.starts_with("dev-env: ")).collect();
        assert_eq!((given, sentences.len()), (Some(code), 1), "{words:?}: {said}");
        for part in parts {
            assert!(sentences[0].contains(part), "{words:?} should say {part:?}: {said}");
        }
    }
}

#[test]
fn without_an_engine_each_word_says_so_and_names_the_way_out() {
    let place = Place::new();
    for word in ["hmr", "up", "dev", "shell", "build", "rebuild", "clean"] {
        place.fails(
            &[word],
            69,
            &["Docker is not installed", "docs.docker.com", &format!("./dev-env.sh {word} --local")],
        );
    }
    place.fails(
        &["test", "--docker"],
        69,
        &["Docker is not installed", "./dev-env.sh test alone needs none"],
    );
}

#[test]
fn rust_is_fetched_without_a_terminal_only_when_asked() {
    let place = Place::new();
    place.program("curl", "echo fetched >&2; exit 3");
    place.fails(
        &["build", "--local"],
        69,
        &["Rust is not installed", "HOTCORD_INSTALL_RUST=1", "https://rustup.rs"],
    );
}

#[test]
fn a_folder_above_lends_no_settings() {
    let outside = tempfile::tempdir().unwrap();
    let place = Place::new();
    let inside = outside.path().join("inside");
    fs::create_dir(&inside).unwrap();
    for name in ["dev-env.sh", "scripts"] {
        std::os::unix::fs::symlink(place.folder.path().join(name), inside.join(name)).unwrap();
    }
    fs::write(outside.path().join(".env"), "DISCORD_TOKEN=a.b.c\n").unwrap();
    for (folder, holds) in [(&*inside, false), (outside.path(), true)] {
        if holds {
            for name in ["dev-env.sh", "scripts"] {
                std::os::unix::fs::symlink(place.folder.path().join(name), folder.join(name)).unwrap();
            }
        }
        let said = Command::new(place.programs.path().join("bash"))
            .args(["dev-env.sh", "doctor"])
            .current_dir(folder)
            .env_clear()
            .env("PATH", place.programs.path())
            .env("HOME", folder)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        assert_eq!(said.contains("DISCORD_TOKEN is set"), holds, "{said}");
    }
}

#[test]
fn an_engine_that_does_not_answer_is_told_from_one_that_refuses_the_user() {
    let place = Place::new();
    place.program("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1");
    place.fails(
        &["hmr"],
        69,
        &["engine does not answer", "systemctl start docker", "Docker Desktop", "--local"],
    );
    place.program("docker", "echo 'permission denied while trying to connect' >&2; exit 1");
    place.fails(&["hmr"], 69, &["refuses this user", "usermod -aG docker"]);
}

#[test]
fn doctor_tells_which_javascript_runtime_yt_dlp_has_or_what_is_missing() {
    let place = Place::new();
    let told = || {
        let (_, said) = place.run(&["doctor"]);
        let lines: Vec<_> =
            said.lines().skip_while(|line| !line.starts_with("For /play")).skip(1).take(2).collect();
        lines.iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    assert!(told()[0].starts_with("missing yt-dlp"), "{:?}", told());
    place.program("yt-dlp", "echo 2026.10.26");
    let missing = "install Deno 2.3 or Node.js 22, without which YouTube lacks formats";
    for (name, script, words) in [
        ("node", "echo v20.20.2", format!("missing JavaScript node 20.20.2 is too old; {missing}")),
        // It prints its version with its help, and fails.
        ("qjs", "echo 'QuickJS version 2025-04-26'; exit 1", "ok JavaScript qjs 2025-04-26".to_owned()),
        ("node", "echo v22.0.0", "ok JavaScript node 22.0.0".to_owned()),
        ("deno", "echo 'deno 2.9.8 (stable)'", "ok JavaScript deno 2.9.8".to_owned()),
    ] {
        place.program(name, script);
        assert_eq!(told(), ["ok yt-dlp 2026.10.26".to_owned(), words]);
    }
}

#[test]
fn an_old_compose_or_none_is_told() {
    let place = Place::new();
    place.program("docker", "case \"$1\" in version) echo 20.10 ;; *) exit 1 ;; esac");
    place.fails(&["hmr"], 69, &["Compose is not installed", "docs.docker.com/compose"]);
    for (version, is_old) in [("1.25.0", true), ("1.27.4", true), ("1.29.2", false), ("2.26.1", false)] {
        place.program("docker-compose", &format!("echo {version}"));
        let (_, said) = place.run(&["build"]);
        assert_eq!(said.contains(&format!("docker-compose {version} is too old")), is_old, "{said}");
    }
}

#[test]
fn a_port_that_is_taken_is_told_with_another() {
    let place = Place::new();
    place.docker("case \"$*\" in *' up '*) echo 'Bind for 127.0.0.1:8787 failed: port is already allocated'; exit 1 ;; esac");
    place.fails(&["hmr"], 75, &["port 8787", "SANDBOX_PORT=8788 ./dev-env.sh hmr"]);
    assert!(place.calls().lines().last().unwrap().contains(" down"), "{}", place.calls());
    assert!(!place.folder.path().join(".hotcord/docker").exists());
}

#[test]
fn without_a_token_the_sandbox_comes_along_and_a_missing_env_is_told() {
    let place = Place::new();
    place.docker(":");
    let (code, said) = place.run(&["up"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("install -m 600 .env.example .env") && said.contains("./dev-env.sh logs"),
        "{said}"
    );
    assert!(place.calls().contains("sandbox bot"), "{}", place.calls());

    fs::write(place.folder.path().join(".env"), "DISCORD_TOKEN=a.b.c\n").unwrap();
    let (code, said) = place.run(&["up"]);
    assert_eq!(code, Some(0), "{said}");
    let last = place.calls();
    let last = last.lines().rfind(|call| call.contains(" up ")).unwrap();
    assert!(last.ends_with("--force-recreate bot"), "{last}");
}

#[test]
fn the_base_image_is_one_digest_unless_docker_has_the_tag_or_the_user_names_another() {
    let place = Place::new();
    place.docker("printf '%s' \"$RUST_IMAGE\" >base");
    let base = |place: &Place| fs::read_to_string(place.folder.path().join("base")).unwrap();
    let (code, said) = place.run(&["build"]);
    assert_eq!(code, Some(0), "{said}");
    let pinned = base(&place);
    let (tag, digest) = pinned.split_once("@sha256:").unwrap_or_else(|| panic!("{pinned} has no digest"));
    assert!(digest.len() == 64 && tag.starts_with("rust:"), "{pinned}");

    fs::write(place.folder.path().join("image"), "").unwrap();
    assert_eq!(place.run(&["build"]).0, Some(0));
    assert_eq!(base(&place), tag);

    let bash = place.programs.path().join("bash");
    let script = "RUST_IMAGE=example.test/rust:1 exec \"$0\" dev-env.sh build";
    let child = place.start_with(Command::new(&bash).args(["-c", script]).arg(&bash));
    assert!(child.wait_with_output().unwrap().status.success());
    assert_eq!(base(&place), "example.test/rust:1");
}

#[test]
fn words_for_a_bot_find_the_container_that_runs_it() {
    let place = Place::new();
    place.docker(":");
    place.fails(&["exec", "true"], 69, &["no bot of this folder is running", "./dev-env.sh hmr"]);
    assert_eq!(place.run(&["up"]).0, Some(0));
    fs::write(place.folder.path().join("running"), "0123abcd\n").unwrap();
    for words in
        [&["say", "/ping"][..], &["status", "--json"], &["events"], &["reload"], &["sandbox", "users"]]
    {
        assert_eq!(place.run(words).0, Some(0));
        let call = format!("exec --interactive 0123abcd ./dev-env.sh service attended {}", words.join(" "));
        assert!(place.calls().lines().any(|line| line == call), "{call}: {}", place.calls());
    }
    place.fails(&["hmr"], 75, &["in Docker already", "./dev-env.sh down"]);
    let (code, said) = place.run(&["down"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(!place.calls().contains("--volumes"), "{}", place.calls());
    // With its former name.
    assert_eq!(place.run(&["down-volumes"]).0, Some(0));
    assert!(place.calls().contains("down --remove-orphans --volumes"), "{}", place.calls());
}

#[test]
fn a_bot_that_has_ended_by_itself_is_shown_and_cleared_up() {
    let place = Place::new();
    place.docker("case \"$*\" in *' up '*) echo 0123abcd >ended; echo 5a4db0c5 >sandbox ;; esac");
    // In the foreground: its output and its exit code, although its sandbox keeps running.
    let (code, said) = place.run(&["hmr"]);
    assert_eq!(code, Some(126), "{said}");
    assert!(said.contains("permission denied"), "{said}");
    assert!(place.calls().lines().last().unwrap().contains(" down"), "{}", place.calls());

    // In the background: until it is cleaned up, `logs` shows its output.
    assert_eq!(place.run(&["up"]).0, Some(0));
    let (code, said) = place.run(&["logs"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("ended, with exit code 126") && said.contains("permission denied"), "{said}");
    place.fails(&["say", "/ping"], 69, &["no sandbox is running"]);
    let before = place.calls().matches(" down ").count();
    assert_eq!(place.run(&["down"]).0, Some(0));
    assert_eq!(place.calls().matches(" down ").count(), before + 1, "{}", place.calls());
    let (_, said) = place.run(&["down"]);
    assert!(said.contains("No bot of this folder is running."), "{said}");
}

#[test]
fn a_bot_on_this_machine_that_has_ended_is_shown_and_its_number_is_nobody_elses() {
    let place = Place::new();
    fs::create_dir_all(place.folder.path().join(".hotcord")).unwrap();
    fs::write(place.folder.path().join(".hotcord/bot.log"), "dev-env: the bot does not build\n").unwrap();
    // This test's own process stands for another program that got the same process id.
    fs::write(place.folder.path().join(".hotcord/local.pid"), std::process::id().to_string()).unwrap();
    let (code, said) = place.run(&["logs"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("has ended") && said.contains("the bot does not build"), "{said}");
    let (code, said) = place.run(&["down"]);
    assert_eq!((code, said.trim()), (Some(0), "No bot of this folder is running."));
}

#[test]
fn an_end_while_something_is_built_is_an_end() {
    ends_while_building(Place::start);
    // Some service managers and CI runners start programs in this way.
    ends_while_building(|place, words| place.start_ignoring("INT TERM HUP QUIT", words));
}

fn ends_while_building(start: impl Fn(&Place, &[&str]) -> Child) {
    let place = Place::new();
    // What would be started if the failure were treated as a plugin's.
    let host = place.folder.path().join("target/hmr/debug");
    fs::create_dir_all(&host).unwrap();
    fs::create_dir_all(place.folder.path().join("bot")).unwrap();
    fs::create_dir_all(place.folder.path().join("crates")).unwrap();
    fs::write(host.join("hotcord"), "#!/bin/sh\necho the bot was started\n").unwrap();
    fs::set_permissions(host.join("hotcord"), fs::Permissions::from_mode(0o755)).unwrap();
    let sign = place.folder.path().join("building");
    let made = Command::new("mkfifo").arg(&sign).status().unwrap();
    assert!(made.success());
    place.program("cargo", &format!("echo building >'{}'\nexec sleep 600", sign.display()));
    place.program("cc", ":");
    place.program("pkg-config", ":");
    let script = start(&place, &["hmr", "--local"]);
    // Opens when the stand-in writes, which has then been started.
    assert_eq!(fs::read_to_string(&sign).unwrap(), "building\n");
    let pid = Pid::from_raw(i32::try_from(script.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let output = script.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_eq!(output.status.code(), Some(143), "{said}");
    assert!(!said.contains("Not every plugin") && !said.contains("was started"), "{said}");
    assert!(!place.folder.path().join(".hotcord/local.pid").exists());
}

#[test]
fn a_port_for_the_sandbox_is_the_one_it_listens_on_without_docker_too() {
    let place = Place::new();
    let at = |path: &str| place.folder.path().join(path);
    for folder in ["target/hmr/debug", "bot", "crates"] {
        fs::create_dir_all(at(folder)).unwrap();
    }
    for program in ["cargo", "cc", "pkg-config"] {
        place.program(program, ":");
    }
    // It gets the address to listen on, and finds the port in use.
    let sandbox = at("target/hmr/debug/sandbox");
    fs::write(
        &sandbox,
        format!(
            "#!/bin/sh\nuntil [ \"$1\" = --listen ]; do shift; done\necho \"$2\" >>'{}'\nexit 1\n",
            at("asked").display()
        ),
    )
    .unwrap();
    fs::set_permissions(&sandbox, fs::Permissions::from_mode(0o755)).unwrap();
    fs::copy(&sandbox, at("target/hmr/debug/hotcord")).unwrap();
    let bash = place.programs.path().join("bash");
    for (port, expected) in [
        ("", "127.0.0.1:8787\n127.0.0.1:0\n"),
        ("SANDBOX_PORT=8788", "127.0.0.1:8788\n"),
        ("SANDBOX_PORT=0", "127.0.0.1:0\n"),
    ] {
        let script = format!("{port} exec \"$0\" dev-env.sh hmr --local");
        let output = place
            .start_with(Command::new(&bash).args(["-c", &script]).arg(&bash))
            .wait_with_output()
            .unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!output.status.success(), "{said}");
        assert_eq!(fs::read_to_string(at("asked")).expect(&said), expected, "{said}");
        fs::remove_file(at("asked")).unwrap();
    }
}

#[test]
fn a_wrong_word_suggests_the_near_one_and_help_names_every_word() {
    let place = Place::new();
    for (wrong, near) in
        [("dwon", "down"), ("rebild", "rebuild"), ("log-s", "logs"), ("hrm", "hmr"), ("shel", "shell")]
    {
        place.fails(&[wrong], 64, &[&format!("did you mean '{near}'?")]);
    }
    place.fails(&["hmr", "--locl"], 64, &["'--locl'", "./dev-env.sh hmr [--local]"]);
    for (word, wrong) in [("down", "--volumes"), ("build", "--fast"), ("ps", "-a"), ("clean", "--al")] {
        place.fails(&[word, wrong], 64, &[word, wrong, "./dev-env.sh help"]);
    }
    let (code, help) = place.run(&["help"]);
    assert_eq!(code, Some(0));
    let script = fs::read_to_string(workspace().join("dev-env.sh")).unwrap();
    let list = script.split("COMMANDS=\"").nth(1).unwrap().split('"').next().unwrap();
    let told: BTreeSet<&str> = help
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split("  ").next())
        .flat_map(|words| words.split([' ', ',']))
        .collect();
    for word in list.split_whitespace() {
        assert!(told.contains(word), "{word} is not in the help:\n{help}");
    }
}

/// Returns the content of a file of the workspace without its comments.
fn read(file: &str) -> String {
    let text = fs::read_to_string(workspace().join(file)).unwrap();
    text.split_inclusive('\n').filter(|line| !line.trim_start().starts_with('#')).collect()
}

#[test]
fn only_development_in_docker_turns_hot_reload_on() {
    for file in ["Dockerfile", "docker-compose.yml"] {
        let text = fs::read_to_string(workspace().join(file)).unwrap();
        assert!(!text.contains("ENABLE_HMR") && !text.contains("bot/hmr"), "{file}");
    }
    assert!(!read("Dockerfile.dev").contains("ENABLE_HMR"));
    assert_eq!(read("docker-compose.dev.yml").matches("ENABLE_HMR=true").count(), 1);
}

#[test]
fn the_files_for_docker_suit_both_builders_and_hold_nothing_of_one_machine() {
    for file in ["Dockerfile", "Dockerfile.dev"] {
        let text = fs::read_to_string(workspace().join(file)).unwrap();
        assert!(!text.to_lowercase().contains("# syntax="), "{file} needs a frontend from a registry");
        assert!(!text.contains("<<"), "{file} has a heredoc, which the classic builder does not know");
        assert!(
            !text.contains("--mount"),
            "{file} mounts while it builds, which the classic builder does not know"
        );
    }
    assert!(read("Dockerfile").contains("USER 65532:65532"));
    assert!(read("Dockerfile").contains(r#"CMD ["hotcord", "health"]"#));
    let production = read("docker-compose.yml");
    for line in ["read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", "stop_grace_period: 15s"] {
        assert!(production.contains(line), "{line}");
    }
    let scale = read("docker-compose.scale.yml");
    for line in ["- SHARDS=auto", "replicas: 3", "condition: service_healthy", "cap_drop: [ALL]"] {
        assert!(scale.contains(line), "{line}");
    }
    for file in ["docker-compose.yml", "docker-compose.dev.yml", "docker-compose.scale.yml"] {
        assert!(!read(file).contains("\nversion:") && !read(file).contains("\nname:"), "{file}");
    }
}

#[test]
fn the_pinned_base_images_are_those_that_the_files_name() {
    let pinned = read("scripts/base-images.env");
    let files = ["Dockerfile", "Dockerfile.dev", "docker-compose.yml", "docker-compose.dev.yml"].map(read);
    for line in pinned.lines() {
        let (name, image) = line.split_once('=').unwrap();
        let (tag, digest) = image.split_once("@sha256:").unwrap();
        assert!(digest.len() == 64 && digest.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')), "{line}");
        let forms = [format!("ARG {name}={tag}\n"), format!("${{{name}:-{tag}}}")];
        let named =
            files.iter().flat_map(|text| forms.iter().map(|form| text.matches(form).count())).sum::<usize>();
        let all = files.iter().map(|text| {
            text.matches(&format!("ARG {name}=")).count() + text.matches(&format!("${{{name}:-")).count()
        });
        assert_eq!(named, all.sum::<usize>(), "{tag} is not what every file has for {name}");
        assert!(named > 0, "no file has {name}");
    }
}

#[test]
fn every_variable_reaches_the_container_from_the_shell() {
    let composed = read("docker-compose.dev.yml");
    let example = fs::read_to_string(workspace().join(".env.example")).unwrap();
    let variables =
        example.lines().filter_map(|line| line.strip_prefix('#')?.split_once('=')).map(|(name, _)| name);
    let is_name = |name: &&str| name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    // These are set in the container itself.
    for name in variables.filter(is_name).filter(|name| !["ENABLE_HMR", "HMR_WORKSPACE"].contains(name)) {
        assert!(
            composed.lines().any(|line| line.trim() == format!("- {name}")),
            "docker-compose.dev.yml lacks {name}"
        );
    }
}
