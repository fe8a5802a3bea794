//! dev-env.sh as somebody meets it who has no Docker, or one that fails in a way of its own; and what the files for
//! Docker may hold. A program named `docker` stands in for the engine's.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use tempfile::TempDir;
use testbed::playground::workspace;

/// A folder with dev-env.sh and what Docker is given, and another with stand-ins for programs.
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
        for script in fs::read_dir(workspace().join("scripts")).unwrap().flatten() {
            fs::copy(script.path(), place.folder.path().join("scripts").join(script.file_name())).unwrap();
        }
        // The programs that the script is made of, and no engine's.
        for program in [
            "awk", "basename", "bash", "cat", "cksum", "cut", "dirname", "grep", "head", "id", "mkdir", "rm",
            "sed", "sleep", "tr", "uname",
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

    /// A docker that answers, and whose Compose does what `compose` says; what it was called with is in `calls`.
    fn docker(&self, compose: &str) {
        let calls = self.folder.path().join("calls");
        self.program(
            "docker",
            &format!(
                "echo \"$*\" >>'{}'\ncase \"$*\" in\n'compose version') ;;\nversion*) echo 20.10 ;;\ncompose*) {compose} \
                 ;;\nps*) cat '{}' 2>/dev/null ;;\nesac",
                calls.display(),
                self.folder.path().join("running").display()
            ),
        );
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default()
    }

    /// Gives the exit code and all that was said.
    fn run(&self, words: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(self.programs.path().join("bash"))
            .arg("dev-env.sh")
            .args(words)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", self.programs.path())
            .env("HOME", self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }

    /// Insists that words fail with this code, and in one sentence that holds all of `parts`.
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
    for word in ["hmr", "up", "dev", "shell", "build", "rebuild", "down-volumes"] {
        place.fails(
            &[word],
            69,
            &["Docker is not installed", "docs.docker.com", &format!("./dev-env.sh {word} --local")],
        );
    }
    place.fails(&["test", "--docker"], 69, &["Docker is not installed"]);
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
    assert!(said.contains("cp .env.example .env") && said.contains("./dev-env.sh logs"), "{said}");
    assert!(place.calls().contains("sandbox bot"), "{}", place.calls());

    fs::write(place.folder.path().join(".env"), "DISCORD_TOKEN=a.b.c\n").unwrap();
    let (code, said) = place.run(&["up"]);
    assert_eq!(code, Some(0), "{said}");
    let last = place.calls();
    let last = last.lines().rfind(|call| call.contains(" up ")).unwrap();
    assert!(last.ends_with("--no-deps bot"), "{last}");
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
        let call = format!("exec 0123abcd ./dev-env.sh {}", words.join(" "));
        assert!(place.calls().lines().any(|line| line == call), "{call}: {}", place.calls());
    }
    place.fails(&["hmr"], 75, &["in Docker already", "./dev-env.sh down"]);
    let (code, said) = place.run(&["down"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(!place.calls().contains("--volumes"), "{}", place.calls());
    assert_eq!(place.run(&["down-volumes"]).0, Some(0));
    assert!(place.calls().contains("down --remove-orphans --volumes"), "{}", place.calls());
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

/// Reads a file of the workspace without its comments.
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
    for file in ["docker-compose.yml", "docker-compose.dev.yml"] {
        assert!(!read(file).contains("\nversion:") && !read(file).contains("\nname:"), "{file}");
    }
}

#[test]
fn every_variable_reaches_the_container_from_the_shell() {
    let composed = read("docker-compose.dev.yml");
    let example = fs::read_to_string(workspace().join(".env.example")).unwrap();
    let variables =
        example.lines().filter_map(|line| line.strip_prefix('#')?.split_once('=')).map(|(name, _)| name);
    let is_name = |name: &&str| name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    // These are the container's own.
    for name in variables.filter(is_name).filter(|name| !["ENABLE_HMR", "HMR_WORKSPACE"].contains(name)) {
        assert!(
            composed.lines().any(|line| line.trim() == format!("- {name}")),
            "docker-compose.dev.yml lacks {name}"
        );
    }
}
