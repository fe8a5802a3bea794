//! A bot that cannot start prints why in plain sentences, and its exit code shows whether another start may help.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Output};

const TOKEN: &str = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GhIjKl.abcdefghijklmnopqrstuvwxyz0123456789AB";

/// Runs the bot with these variables and no others, in a folder without `.env`.
fn hotcord(variables: &[(&str, &str)]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_hotcord"))
        .env_clear()
        .env("HEALTH_ADDR", "off")
        .envs(variables.iter().copied())
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .output()
        .unwrap();
    for stream in [&output.stdout, &output.stderr] {
        assert!(!String::from_utf8_lossy(stream).contains("GhIjKl"), "the token is printed");
    }
    output
}

fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
#[cfg(not(feature = "sandbox"))]
fn without_a_token_the_bot_names_two_ways_out() {
    let output = hotcord(&[]);
    assert_eq!(output.status.code(), Some(78));
    let errors = errors(&output);
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(errors.contains("DISCORD_TOKEN") && errors.contains("./dev-env.sh hmr --local"), "{errors}");
}

#[test]
fn all_mistakes_of_a_start_are_told_together() {
    let output = hotcord(&[
        ("DISCORD_TOKEN", "x"),
        ("APP_ENV", "live"),
        ("ENABLE_HMR", "si"),
        ("RUST_LOG", "=["),
        ("HMR_POLL_MS", "1s"),
        ("HMR_INCOMPATIBLE_STATE", "keep"),
        ("HEALTH_ADDR", "localhost:9464"),
        ("DEV_CHANNEL_ID", "#dev"),
        ("STATE_FILE", "/"),
    ]);
    assert_eq!(output.status.code(), Some(78));
    let errors = errors(&output);
    for name in [
        "DISCORD_TOKEN",
        "APP_ENV",
        "ENABLE_HMR",
        "RUST_LOG",
        "HMR_POLL_MS",
        "HMR_INCOMPATIBLE_STATE",
        "HEALTH_ADDR",
        "DEV_CHANNEL_ID",
        "STATE_FILE",
        "TEST_GUILD_ID",
    ] {
        assert_eq!(errors.lines().filter(|line| line.starts_with(name)).count(), 1, "{name} in {errors}");
    }
}

#[test]
fn a_malformed_line_of_env_is_told_by_file_and_line() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("malformed-env");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(".env"), format!("APP_ENV=testing\nDISCORD_TOKEN={TOKEN} and more\n"))
        .unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_hotcord")).env_clear().current_dir(&folder).output().unwrap();
    assert_eq!(output.status.code(), Some(78));
    let errors = errors(&output);
    assert!(errors.contains("malformed-env/.env, line 2: "), "{errors}");
    assert!(!errors.contains("GhIjKl"), "{errors}");
}

#[test]
fn a_server_that_is_not_there_is_told_after_a_few_attempts() {
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let url = format!("http://{closed}");
    let output = hotcord(&[
        ("DISCORD_TOKEN", TOKEN),
        ("DISCORD_API_URL", &url),
        ("TEST_GUILD_ID", "1"),
        ("APP_ENV", "testing"),
    ]);
    assert_eq!(output.status.code(), Some(1));
    let errors = errors(&output);
    assert!(errors.contains(&format!("DISCORD_API_URL names ({url}) cannot be reached")), "{errors}");
    let log = String::from_utf8(output.stdout).unwrap();
    assert_eq!(log.matches("Discord does not answer yet").count(), 4, "{log}");
    assert!(!log.contains('\u{1b}'), "colours without a terminal");
}

#[test]
fn production_ignores_the_switch_of_hot_reload_with_one_word() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let answer = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let output = hotcord(&[
        ("DISCORD_TOKEN", TOKEN),
        ("DISCORD_API_URL", &url),
        ("APP_ENV", "production"),
        ("ENABLE_HMR", "true"),
    ]);
    assert_eq!(output.status.code(), Some(78), "{}", errors(&output));
    let log = String::from_utf8(output.stdout).unwrap();
    assert_eq!(log.matches("built without hot reload; ENABLE_HMR is ignored").count(), 1, "{log}");
    assert_eq!(log.matches("ENABLE_HMR").count(), 1, "{log}");
}
