#!/usr/bin/env bash
# The front door of this repository: ./dev-env.sh help
#
# Works in any folder, with or without a terminal, with bash 3.2 and later.
# shellcheck disable=SC2317 # commands are called by their names
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
STATE=$ROOT/.hotcord
SANDBOX_STATE=$STATE/sandbox.json
HOST_TARGET=$ROOT/target/hmr
# Whatever a developer has set elsewhere: this script looks for what is built in here.
export CARGO_TARGET_DIR=$ROOT/target

say() { printf '%s\n' "$*"; }
note() { printf '%s\n' "$*" >&2; }
die() {
    local code=1
    if [[ $1 == --code ]]; then
        code=$2
        shift 2
    fi
    note "dev-env: $*"
    exit "$code"
}

# ---- what has to be there ---------------------------------------------------

need_cc() {
    command -v cc >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1 || command -v clang >/dev/null 2>&1 ||
        die --code 69 "no C compiler is found, and Rust links with one; install it (Debian: apt-get install build-essential, macOS: xcode-select --install)"
}

# Voice needs libopus, which is found through pkg-config.
need_opus() {
    if command -v pkg-config >/dev/null 2>&1 && pkg-config --exists opus; then
        return 0
    fi
    # A container or a fresh machine of continuous integration.
    if command -v apt-get >/dev/null 2>&1 && [[ $(id -u) == 0 ]]; then
        note "libopus is not installed; apt-get brings it, with pkg-config."
        if apt-get update -qq >&2 &&
            DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends pkg-config libopus-dev >&2 &&
            pkg-config --exists opus; then
            return 0
        fi
        die --code 69 "apt-get could not install pkg-config and libopus-dev, which voice needs"
    fi
    die --code 69 "libopus is not found through pkg-config, and voice needs it; install both (Debian: sudo apt-get install pkg-config libopus-dev, macOS: brew install pkg-config opus)"
}

# Rust comes by rustup, which then follows rust-toolchain.toml.
need_rust() {
    local answer
    if [[ -d ${CARGO_HOME:-$HOME/.cargo}/bin ]]; then
        PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
        export PATH
    fi
    if ! command -v cargo >/dev/null 2>&1; then
        command -v curl >/dev/null 2>&1 ||
            die --code 69 "Rust is not installed, and neither is curl to fetch it; install curl, or Rust from https://rustup.rs"
        note "Rust is not installed; rustup (https://rustup.rs) brings it into ${CARGO_HOME:-$HOME/.cargo}."
        if [[ -t 0 && -t 2 ]]; then
            read -r -p "Install it now? [Y/n] " answer
            case $answer in
            '' | [Yy]*) ;;
            *) die --code 69 "without Rust nothing can be built; install it from https://rustup.rs" ;;
            esac
        fi
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal -c rustfmt,clippy ||
            die --code 69 "rustup could not install Rust; see https://rustup.rs"
        PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
        export PATH
    fi
    need_cc
    need_opus
}

# Runs cargo in a process group of its own, all of which ends when this script is told to end.
cargo_() {
    local code=0
    set -m
    (cd "$ROOT" && exec cargo "$@") &
    CARGO_PID=$!
    set +m
    trap 'kill -TERM -- "-$CARGO_PID" 2>/dev/null || true' INT TERM HUP
    # A signal ends `wait` early; cargo is waited for until it has really ended.
    while :; do
        code=0
        wait "$CARGO_PID" || code=$?
        kill -0 "$CARGO_PID" 2>/dev/null || break
    done
    trap - INT TERM HUP
    return "$code"
}

# Quiet when there is nothing to do, cargo's own progress when there is.
#
# Host and plugins are selected in one call, here and by the reload engine: cargo unifies the features of shared
# dependencies over what is selected, and host and plugins have to agree on them. A plugin that does not compile
# is no reason not to start: the host brings it in with the save that mends it.
build_host() {
    local host=$HOST_TARGET/debug/hotcord manifest folder plugins=()
    need_rust
    for manifest in "$ROOT"/commands/*/Cargo.toml "$ROOT"/events/*/Cargo.toml; do
        [[ -f $manifest ]] || continue
        folder=${manifest%/Cargo.toml}
        plugins+=(-p "$(basename "${folder%/*}")-$(basename "$folder")")
    done
    if ! cargo_ build --keep-going --target-dir "$HOST_TARGET" -p bot ${plugins[@]+"${plugins[@]}"} \
        --no-default-features --features bot/hmr; then
        [[ -x $host && -z $(find "$ROOT/bot" "$ROOT/crates" -name '*.rs' -newer "$host" | head -n 1) ]] ||
            die "the bot does not build; cargo's words are above"
        note "Not every plugin compiles; the bot starts without those, and brings them in when they do."
    fi
}

build_sandbox() {
    need_rust
    cargo_ build -p sandbox
}

sandbox_() {
    [[ -x $ROOT/target/debug/sandbox ]] || build_sandbox >&2
    SANDBOX_STATE_FILE=$SANDBOX_STATE "$ROOT/target/debug/sandbox" "$@"
}

# Reads a variable as the bot would: from the environment, where an empty one counts, else the first in .env.
configured() { # NAME
    local value=${!1-}
    if [[ -z ${!1+set} && -f $ROOT/.env ]]; then
        value=$(sed -n "s/^[[:space:]]*\(export[[:space:]]\{1,\}\)\{0,1\}$1[[:space:]]*=[[:space:]]*//p" "$ROOT/.env" | head -n 1)
        value=${value%$'\r'}
        value=${value#[\"\']}
        value=${value%[\"\']}
    fi
    printf '%s' "$value"
}

# ---- running ----------------------------------------------------------------

SANDBOX_PID=
BOT_PID=

stop_children() {
    local pid
    trap - EXIT
    for pid in $BOT_PID $SANDBOX_PID; do
        kill -TERM "$pid" 2>/dev/null || continue
        wait "$pid" 2>/dev/null || true
    done
    [[ -z $SANDBOX_PID ]] || rm -f "$SANDBOX_STATE"
    wait
}

sandbox_runs() {
    [[ -s $SANDBOX_STATE && -x $ROOT/target/debug/sandbox ]] &&
        SANDBOX_STATE_FILE=$SANDBOX_STATE "$ROOT/target/debug/sandbox" users >/dev/null 2>&1
}

start_sandbox() {
    local log=$STATE/sandbox.log address
    mkdir -p "$STATE"
    rm -f "$SANDBOX_STATE"
    # Its usual address, or any that is free when another one has that.
    for address in 127.0.0.1:8787 127.0.0.1:0; do
        # A process group of its own, so that the terminal's Ctrl-C leaves it there for the bot to say goodbye to.
        set -m
        "$ROOT/target/debug/sandbox" serve --listen "$address" --bot-name Hotcord --state-file "$SANDBOX_STATE" \
            </dev/null >"$log" 2>&1 &
        SANDBOX_PID=$!
        set +m
        while kill -0 "$SANDBOX_PID" 2>/dev/null; do
            [[ ! -s $SANDBOX_STATE ]] || return 0
            sleep 0.05
        done
        SANDBOX_PID=
    done
    cat "$log" >&2
    die "the sandbox did not start"
}

# Has the bot trust the sandbox's voice servers, whose certificate lies beside its state, and whatever it trusted before:
# cargo, which the bot runs, reads the same variable.
trust_sandbox() {
    local known roots=$STATE/roots.pem
    for known in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
        [[ -n $known && -r $known ]] && break
        known=
    done
    cat ${known:+"$known"} "${SANDBOX_STATE%.json}.pem" >"$roots"
    export SSL_CERT_FILE=$roots
}

# Says what to do next as soon as it works, below the lines of the start.
tell_when_ready() {
    local before='' now=''
    # Commands are registered one by one; when there are no more, all are there.
    until [[ -n $now && $now == "$before" ]]; do
        [[ -e $SANDBOX_STATE ]] || return 0
        sleep 0.2
        before=$now
        now=$(sandbox_ commands 2>/dev/null) || now=''
    done
    cat <<'END'

The bot is ready. In another terminal:

    ./dev-env.sh say /ping      runs a command as a user and prints the answer
    ./dev-env.sh log            shows every request and event

Then edit commands/general/src/ping.rs, save, and say /ping again. Ctrl-C ends the bot and its sandbox.

END
}

# Ends the bot when its sandbox has ended by itself: there is nobody left to talk to.
watch_sandbox() { # BOT
    while kill -0 "$SANDBOX_PID" 2>/dev/null; do sleep 0.2; done
    kill -0 "$1" 2>/dev/null || return 0
    note "dev-env: the sandbox has ended, so the bot ends too; $STATE/sandbox.log has its last words"
    kill -TERM "$1" 2>/dev/null || true
}

# Runs the bot in the foreground and ends with its exit code; a signal goes to the bot first.
run_bot() {
    local code=0
    "$@" &
    BOT_PID=$!
    [[ -z $SANDBOX_PID ]] || watch_sandbox "$BOT_PID" &
    trap 'kill -TERM "$BOT_PID" 2>/dev/null || true' INT TERM HUP
    # A signal ends `wait` early; the bot is waited for until it has really ended.
    while :; do
        code=0
        wait "$BOT_PID" || code=$?
        kill -0 "$BOT_PID" 2>/dev/null || break
    done
    BOT_PID=
    return "$code"
}

cmd_hmr() {
    local local_=
    while (($#)); do
        case $1 in
        --local) local_=1 ;;
        *) die --code 64 "hmr does not know '$1'; usage: ./dev-env.sh hmr --local" ;;
        esac
        shift
    done
    [[ $local_ ]] || die --code 64 "say where the bot is to run: ./dev-env.sh hmr --local runs it on this machine"
    run_local ENABLE_HMR=true
}

cmd_dev() {
    (($# == 0)) || die --code 64 "dev takes no words; usage: ./dev-env.sh dev"
    # The development host's program is also the one that watches and restarts.
    run_local HOTCORD_PLAIN=1
}

# Builds the development host and runs it in the given mode, with a sandbox unless there is a Discord.
run_local() { # MODE
    local with_sandbox='' code=0
    if [[ -z $(configured DISCORD_TOKEN) && -z $(configured DISCORD_API_URL) ]]; then
        with_sandbox=1
        ! sandbox_runs ||
            die --code 75 "a sandbox of this folder is running already ($(cat "$SANDBOX_STATE")); stop that ./dev-env.sh hmr first"
    fi
    note "Building the bot (the first time takes a few minutes) ..."
    build_host
    export HMR_WORKSPACE=$ROOT
    export "${1?}"
    trap stop_children EXIT
    if [[ $with_sandbox ]]; then
        build_sandbox
        start_sandbox
        # The bot is a child of this shell, so what it is to read has to be exported.
        set -a
        eval "$(SANDBOX_STATE_FILE=$SANDBOX_STATE "$ROOT/target/debug/sandbox" env)"
        set +a
        trust_sandbox
        printf '\n%s\n\n' "No DISCORD_TOKEN is set, so the bot talks to a local Discord, the sandbox. Nothing leaves this machine."
        tell_when_ready &
    else
        cat <<END

The bot talks to the Discord that your DISCORD_TOKEN and DISCORD_API_URL name.
Edit a file under commands/ or events/, save, and use the command again. Ctrl-C ends it.

END
    fi
    cd "$ROOT"
    run_bot "$HOST_TARGET/debug/hotcord" || code=$?
    [[ -z $with_sandbox ]] || kill -0 "$SANDBOX_PID" 2>/dev/null || code=69
    return "$code"
}

need_sandbox() {
    sandbox_runs || die --code 69 "no sandbox is running; start one with ./dev-env.sh hmr --local"
}

cmd_say() {
    [[ $# -gt 0 ]] || die --code 64 "say what? For example: ./dev-env.sh say '/ping'"
    need_sandbox
    sandbox_ say "$@"
}

cmd_log() {
    need_sandbox
    sandbox_ log "$@"
}

# Has the development host, as a program of its own, ask the bot that is running.
ctl() {
    [[ -x $HOST_TARGET/debug/hotcord ]] ||
        die --code 69 "no bot of this folder is running; start one with ./dev-env.sh hmr --local"
    HMR_WORKSPACE=$ROOT exec "$HOST_TARGET/debug/hotcord" ctl "$@"
}

cmd_status() { ctl status "$@"; }
cmd_events() { ctl events "$@"; }
cmd_reload() { ctl reload "$@"; }
cmd_rollback() { ctl rollback "$@"; }
cmd_watch() { ctl watch "$@"; }
cmd_restart() { ctl restart "$@"; }

cmd_sandbox() { sandbox_ "$@"; }

# ---- checking ---------------------------------------------------------------

cmd_test() {
    need_rust
    build_host
    cargo_ test --workspace --no-fail-fast
    note "Checking the production build ..."
    check_production
}

# Proves that what is shipped holds nothing of hot reload: neither its dependency tree nor the binary itself.
check_production() {
    local found
    cargo_ build --release -p bot
    found=$(cargo_ tree -p bot -e normal,build --prefix none |
        awk '$1 ~ /^(hmr|notify|libloading|sandbox|sdk-dylib)$/ { print $1 }' | sort -u | tr '\n' ' ')
    [[ -z $found ]] || die "the production build depends on: $found"
    found=$(grep -a -c -E 'HMR_DEBOUNCE_MS=|libloading-[0-9]|notify-[0-9]+\.[0-9]|crates/hmr/|HOTCORD_PROBE' \
        "$ROOT/target/release/hotcord" || true)
    [[ $found == 0 ]] || die "the production binary holds code of hot reload ($found places)"
    say "production: no notify, libloading, hmr or sandbox in the tree or in the binary"
}

cmd_check() {
    need_rust
    cargo_ fmt --all --check
    local features
    for features in "" "--features bot/hmr" "--no-default-features --features bot/hmr" "--features bot/sandbox"; do
        note "clippy $features"
        # shellcheck disable=SC2086 # words are meant
        cargo_ clippy --workspace --all-targets --quiet $features -- -D warnings
    done
    if command -v shellcheck >/dev/null 2>&1; then
        (cd "$ROOT" && shellcheck dev-env.sh .ci/run)
    else
        note "shellcheck is not installed, so dev-env.sh itself was not checked"
    fi
    cmd_test
    RUSTDOCFLAGS="-D warnings" cargo_ doc --workspace --no-deps --quiet
    say "check: all green"
}

# Writes the pages that the code tells, which `test` compares.
cmd_docs() {
    need_rust
    UPDATE_DOCS=1 cargo_ test --quiet -p bot --test commands_doc >/dev/null ||
        die "docs/commands.md was not written; UPDATE_DOCS=1 cargo test -p bot --test commands_doc says why"
    say "docs/commands.md is written from the commands"
}

# Runs a program of the testbed on the development host.
testbed_() {
    build_host
    cargo_ run --quiet -p testbed -- "$@"
}

cmd_smoke() { testbed_ smoke "$@"; }
cmd_bench() { testbed_ bench "$@"; }
cmd_faults() { testbed_ faults "$@"; }
cmd_soak() { testbed_ soak "$@"; }
cmd_play() { testbed_ play "$@"; }

# ---- a new plugin -----------------------------------------------------------

# Rust's keywords, and the crates that every plugin names.
RESERVED="as async await box break const continue crate do dyn else enum extern false final fn for gen if impl in let
loop macro match mod move mut override priv pub ref return self static struct super trait true try type typeof unsafe
unsized use virtual where while yield abstract become lib sdk poise serenity"

cmd_new() {
    [[ $# -eq 1 ]] || die --code 64 "usage: ./dev-env.sh new commands/NAME or new events/NAME"
    local kind=${1%%/*} name=${1#*/} folder package krate camel
    case $1 in
    commands/* | events/*) ;;
    *) die --code 64 "'$1' is no place for a plugin; it is commands/NAME or events/NAME" ;;
    esac
    [[ $name =~ ^[a-z][a-z0-9-]{0,31}$ ]] ||
        die --code 64 "'$name' cannot be a plugin's name; use small letters, digits and -, beginning with a letter"
    case " ${RESERVED//$'\n'/ } " in
    *" $name "*) die --code 64 "'$name' has a meaning of its own in Rust or here; choose another name" ;;
    esac
    folder=$ROOT/$kind/$name package=$kind-$name krate=${kind}_${name//-/_}
    [[ ! -e $folder ]] || die --code 73 "$kind/$name is there already"
    camel=$(printf '%s' "$name" | awk -F- '{ for (i = 1; i <= NF; i++) printf "%s%s", toupper(substr($i, 1, 1)), substr($i, 2) }')
    # Made aside and moved in at once, so that a running host sees a whole plugin.
    local made
    made=$(mktemp -d "$ROOT/target/new.XXXXXX" 2>/dev/null || mktemp -d)
    mkdir -p "$made/src"
    # shellcheck disable=SC2016 # backquotes are the documentation's
    {
        printf '[package]\nname = "%s"\ndescription = "The %s plugin."\n' "$package" "$name"
        printf 'version.workspace = true\nedition.workspace = true\nrust-version.workspace = true\n'
        printf 'license.workspace = true\npublish.workspace = true\n\n[lints]\nworkspace = true\n\n[lib]\n\n[dependencies]\n'
        printf 'poise.workspace = true\nsdk.workspace = true\n'
    } >"$made/Cargo.toml"
    if [[ $kind == commands ]]; then
        new_command "$made" "$name" "$camel"
    else
        new_event "$made" "$name" "$camel"
    fi
    chmod 755 "$made"
    mv "$made" "$folder"
    # The static list, which production builds link.
    add_sorted "$ROOT/$kind/Cargo.toml" "$kind-" "$package = { path = \"$name\" }"
    add_sorted "$ROOT/$kind/lib.rs" "    &${kind}_" "    &$krate::PLUGIN,"
    say "$kind/$name is made. Edit $kind/$name/src/$([[ $kind == commands ]] && printf '%s' "${name//-/_}" || printf lib).rs;"
    say "its test runs with: cargo test -p $package"
}

# Puts a line among its like, which begin with PREFIX, in alphabetical order.
add_sorted() { # FILE PREFIX LINE
    local file=$1
    awk -v prefix="$2" -v line="$3" '
        !done && index($0, prefix) == 1 && $0 > line { print line; done = 1 }
        { was = index($0, prefix) == 1 }
        !done && last && !was { print line; done = 1 }
        { print; last = was }
        END { if (!done && last) print line }
    ' "$file" >"$file.new"
    mv "$file.new" "$file"
}

new_command() { # FOLDER NAME CAMEL
    local module=${2//-/_}
    cat >"$1/src/lib.rs" <<END
//! The $2 commands.

use sdk::prelude::*;

mod $module;

struct $3;

impl Plugin for $3 {
    fn commands(&self) -> Vec<Command> {
        vec![$module::$module()]
    }
}

sdk::export!($3);
END
    cat >"$1/src/$module.rs" <<END
//! \`/$2\`: says hello.

use sdk::prelude::*;

/// Says hello
#[poise::command(slash_command, rename = "$2")]
pub(crate) async fn $module(
    ctx: Context<'_>,
    #[description = "Whom to greet"]
    #[max_length = 100]
    whom: Option<String>,
) -> Result<(), Error> {
    ctx.say(greeting(whom.as_deref())).await?;
    Ok(())
}

fn greeting(whom: Option<&str>) -> String {
    format!("Hello, {}!", whom.unwrap_or("world"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_is_greeted_when_nobody_is_named() {
        assert_eq!(greeting(None), "Hello, world!");
        assert_eq!(greeting(Some("Ada")), "Hello, Ada!");
    }
}
END
}

new_event() { # FOLDER NAME CAMEL
    cat >"$1/src/lib.rs" <<END
//! The $2 events.

use sdk::prelude::*;

struct $3;

impl Plugin for $3 {
    fn subscriptions(&self, on: &mut Subscriptions) {
        on.event(message);
    }
}

sdk::export!($3);

async fn message(ctx: EventContext, event: event::Message) -> Result<(), Error> {
    let message = event.new_message;
    if !message.author.bot && is_greeting(&message.content) {
        message.react(&ctx.http, '👋').await?;
    }
    Ok(())
}

fn is_greeting(content: &str) -> bool {
    content.trim().eq_ignore_ascii_case("hello")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hello_is_a_greeting() {
        assert!(is_greeting(" Hello "));
        assert!(!is_greeting("hello there"));
    }
}
END
}

# ---- help -------------------------------------------------------------------

cmd_doctor() {
    local bad=0
    check() { # WORDS COMMAND...
        local words=$1 found
        shift
        if found=$("$@" 2>/dev/null | head -n 1) && [[ -n $found ]]; then
            printf '  ok       %-14s %s\n' "$words" "$found"
        else
            printf '  missing  %-14s\n' "$words"
            return 1
        fi
    }
    say "Needed:"
    check "C compiler" cc --version || bad=1
    check rustc rustc --version || bad=1
    check cargo cargo --version || bad=1
    say "For ./dev-env.sh check:"
    check rustfmt rustfmt --version || true
    check clippy cargo clippy --version || true
    check shellcheck shellcheck --version || true
    say "State:"
    if [[ -x $HOST_TARGET/debug/hotcord ]]; then say "  the development host is built"; else say "  the development host is not built yet"; fi
    if sandbox_runs; then say "  a sandbox is running"; else say "  no sandbox is running"; fi
    if [[ -n $(configured DISCORD_TOKEN) ]]; then
        say "  DISCORD_TOKEN is set: the bot talks to Discord"
    else
        say "  DISCORD_TOKEN is not set: the bot talks to the sandbox"
    fi
    if [[ $(uname -s) == Linux && -r /proc/sys/fs/inotify/max_user_watches ]]; then
        say "  inotify watches allowed: $(cat /proc/sys/fs/inotify/max_user_watches)"
    fi
    ((bad == 0)) || die --code 69 "something needed is missing; ./dev-env.sh hmr --local installs Rust, your system's packages bring the C compiler"
}

cmd_help() {
    cat <<'END'
Usage: ./dev-env.sh COMMAND [WORDS...]

Run
  hmr --local        build and run the bot on this machine, reloading on every save;
                     without DISCORD_TOKEN on a local Discord, the sandbox
  dev                the same without hot reload, for comparison: builds the whole bot and
                     starts it anew on every save
Try (while it runs)
  say '/ping'        run a command as a user of the sandbox and print the answer; --json for scripts
  log [--follow]     the sandbox's record of requests and events, as JSON lines
  sandbox ...        every other thing the sandbox can do: press, choose, send, join, fault
Look after (a bot that runs)
  status [--json]    what is live, watched, being built, and why a save is not live
  events [--last N]  what happens to plugins, as JSON lines, until Ctrl-C; --no-follow ends at once
  reload [PLUGIN]    build and swap a plugin now, or all
  rollback PLUGIN [GENERATION]  bring earlier code back: the one before, or a generation's
  watch on|off       stop reloading on save, or go on with it
  restart [--now]    replace the bot's process by a new one; state and timers stay
Write
  new commands/NAME  a new command plugin, registered, with its test
  new events/NAME    a new event plugin, likewise
Check
  test               all tests, and that production builds hold no reload code
  check              formatting, clippy on every feature set, tests, documentation
  docs               write docs/commands.md from the commands
  smoke              reloads under load and broken edits, end to end
  bench [--json]     how long a reload takes, against bare rustc and a restart
  faults [--json]    everything that goes wrong, done for real, as a table; --only NAME
  soak [--minutes N] reloads without a pause under load: memory, files, threads, tasks
  play [--reloads N] reloads while four guilds listen: gaps, times between packets, and whether it is the music
  doctor             what is installed, what is missing
  help               this text
END
}

COMMANDS="hmr dev say log status events reload rollback watch restart sandbox new test check docs smoke bench faults soak play doctor help"

# Gives the command that a mistyped word is nearest to: the one that has most of its letters, in any order.
nearest() { # WORD
    local word=$1 best='' most=0 command left shared i
    for command in $COMMANDS; do
        left=$command shared=0
        for ((i = 0; i < ${#word}; i++)); do
            if [[ $left == *"${word:i:1}"* ]]; then
                left=${left/"${word:i:1}"/}
                shared=$((shared + 1))
            fi
        done
        # In percent of both words' letters; three in four make it worth mentioning.
        shared=$((200 * shared / (${#word} + ${#command})))
        if ((shared >= 75 && shared > most)); then best=$command most=$shared; fi
    done
    printf '%s' "$best"
}

main() {
    local command=${1:-help} near
    (($# == 0)) || shift
    case $command in
    -h | --help) command=help ;;
    esac
    case " $COMMANDS " in
    *" $command "*) "cmd_$command" "$@" ;;
    *)
        near=$(nearest "$command")
        [[ -z $near ]] || near="; did you mean '$near'?"
        die --code 64 "there is no command '$command'${near:-; see ./dev-env.sh help}"
        ;;
    esac
    # bash reads a script as it goes on; one that was edited meanwhile must not be read further.
    exit
}

main "$@"
