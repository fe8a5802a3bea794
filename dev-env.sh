#!/usr/bin/env bash
# Runs everything in this repository: ./dev-env.sh help
#
# Works in any folder, with or without a terminal, with bash 3.2 and later.
# shellcheck disable=SC2317 # commands are called by their names
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
STATE=$ROOT/.hotcord
SANDBOX_STATE=$STATE/sandbox.json
HOST_TARGET=$ROOT/target/hmr
SANDBOX_PROGRAM=$HOST_TARGET/debug/sandbox
# Its arguments but the address. Voice is encrypted end to end, as on Discord.
# shellcheck disable=SC2034 # used in scripts/
SANDBOX_SERVE=(serve --bot-name Hotcord --dave required --state-file "$SANDBOX_STATE" --bot-control "$STATE/control.sock")
# File with the process id of the dev-env.sh that runs a bot of this folder on this machine.
LOCAL_MARK=$STATE/local.pid
# Overrides the developer's own setting: this script expects build output in this folder.
export CARGO_TARGET_DIR=$ROOT/target
# All builds share one folder for intermediate artifacts: the host, the sandbox, the tests and everything else. rustc is called
# through scripts/bin/hotcord-rustc. hmr does both too: crates/hmr/src/process.rs.
export CARGO_BUILD_BUILD_DIR=$ROOT/target/build RUSTC_WORKSPACE_WRAPPER=hotcord-rustc PATH=$ROOT/scripts/bin:$PATH

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

# Waits until a child has ended and returns its exit code. Loops, because a signal ends `wait` early.
await_end() { # PID
    local code
    while :; do
        code=0
        wait "$1" || code=$?
        kill -0 "$1" 2>/dev/null || return "$code"
    done
}

# build: cargo; local and docker: running the bot; check, fuzz, bench-build and bench-sandbox: testing and measuring; new: creating plugins.
for part in build local docker check fuzz bench-build bench-sandbox new; do
    # shellcheck source=/dev/null
    . "$ROOT/scripts/$part.sh"
done

# ---- current state ----------------------------------------------------------

sandbox_() {
    [[ -x $SANDBOX_PROGRAM ]] || build_host >&2
    SANDBOX_STATE_FILE=$SANDBOX_STATE "$SANDBOX_PROGRAM" "$@"
}

# Prints the .env that the bot reads, if there is one.
env_file() {
    [[ ! -f $ROOT/.env ]] || printf '%s' "$ROOT/.env"
}

# Reads a variable as the bot does: from the environment, even if it is empty there, else the first one in .env.
configured() { # NAME
    local value=${!1-} file
    file=$(env_file)
    if [[ -z ${!1+set} && -n $file ]]; then
        value=$(sed -n "s/^[[:space:]]*\(export[[:space:]]\{1,\}\)\{0,1\}$1[[:space:]]*=[[:space:]]*//p" "$file" | head -n 1)
        value=${value%$'\r'}
        value=${value#[\"\']}
        value=${value%[\"\']}
    fi
    printf '%s' "$value"
}

sandbox_runs() {
    [[ -s $SANDBOX_STATE && -x $SANDBOX_PROGRAM ]] &&
        SANDBOX_STATE_FILE=$SANDBOX_STATE "$SANDBOX_PROGRAM" users >/dev/null 2>&1
}

# Returns whether the bot needs a sandbox.
needs_sandbox() {
    [[ -z $(configured DISCORD_TOKEN) && -z $(configured DISCORD_TOKEN_FILE) && -z $(configured DISCORD_API_URL) ]]
}

tell_of_sandbox() {
    local way=''
    [[ -n $(env_file) ]] || way=" (for your own server: install -m 600 .env.example .env, and fill it in)"
    printf '\n%s\n\n' "No DISCORD_TOKEN is set, so the bot talks to a local Discord, the sandbox. Nothing leaves this machine.$way"
}

tell_of_up() {
    cat <<'END'

It starts in the background (the first time takes some minutes).

    ./dev-env.sh logs           shows how it gets on, until Ctrl-C
END
    ! needs_sandbox || say "    ./dev-env.sh say /ping      runs a command as a user and prints the answer"
    printf '%s\n\n' "    ./dev-env.sh down           ends it"
}

local_runs() {
    local pid
    [[ -s $LOCAL_MARK ]] || return 1
    pid=$(cat "$LOCAL_MARK")
    # After a crash of the machine, the process id may belong to another program.
    kill -0 "$pid" 2>/dev/null && [[ $(ps -o args= -p "$pid" 2>/dev/null) == *dev-env.sh* ]]
}

# Finds out where the bot of this folder runs, unless the arguments contain `--local`. Sets WHERE to `local`, `docker` or
# empty, and WORDS to the other arguments.
find_bot() {
    local word
    WHERE='' WORDS=()
    for word in "$@"; do
        if [[ $word == --local ]]; then WHERE=local; else WORDS+=("$word"); fi
    done
    # In a container, the bot is local.
    if [[ -n $WHERE || -n ${HOTCORD_SANDBOX-} ]]; then
        WHERE=local
    elif local_runs; then
        WHERE=local
    elif docker_runs; then
        WHERE=docker
    fi
}

# Like `find_bot`, but also finds a bot in Docker that exited by itself, whose containers still exist.
find_remains() {
    find_bot "$@"
    [[ -n $WHERE || ! -e $DOCKER_MARK ]] || WHERE=docker
}

# Refuses arguments that a command does not accept.
no_more() { # COMMAND
    [[ ${#WORDS[@]} -eq 0 ]] || die --code 64 "$1 does not know '${WORDS[0]}'; see ./dev-env.sh help"
}

# ---- running ----------------------------------------------------------------

# Refuses to start a second bot on the same sources.
need_none() {
    find_bot
    case $WHERE in
    local) die --code 75 "a bot of this folder runs on this machine already; end that one first (Ctrl-C there, or ./dev-env.sh down)" ;;
    docker) die --code 75 "a bot of this folder runs in Docker already; ./dev-env.sh logs follows it, ./dev-env.sh down ends it" ;;
    esac
}

# Starts the bot in Docker, or on this machine with `--local`.
start() { # WORD [--local]
    local word=$1 where=docker
    shift
    while (($#)); do
        case $1 in
        --local) where=local ;;
        *) die --code 64 "$word does not know '$1'; usage: ./dev-env.sh $word [--local]" ;;
        esac
        shift
    done
    need_none
    if [[ $where == docker ]]; then
        need_docker "$word"
        case $word in
        up) docker_up ;;
        *) docker_run "$word" ;;
        esac
        return
    fi
    case $word in
    hmr) run_local ENABLE_HMR=true ;;
    # The development host's program is also the one that watches and restarts.
    dev) run_local HOTCORD_PLAIN=1 ;;
    up) up_local ;;
    esac
}

cmd_hmr() { start hmr "$@"; }
cmd_dev() { start dev "$@"; }
cmd_up() { start up "$@"; }

# ---- managing ---------------------------------------------------------------

NO_BOT="no bot of this folder is running; start one with ./dev-env.sh hmr"

cmd_down() {
    find_remains "$@"
    no_more down
    end_bot
    [[ -n $WHERE ]] || say "No bot of this folder is running."
}

end_bot() {
    local pid tenths
    case $WHERE in
    local)
        local_runs || die --code 69 "no bot of this folder is running on this machine"
        pid=$(cat "$LOCAL_MARK")
        kill -TERM "$pid"
        # The bot takes up to 10 s to shut down.
        for ((tenths = 0; tenths < 300; tenths++)); do
            kill -0 "$pid" 2>/dev/null || return 0
            sleep 0.1
        done
        die "the bot does not end; kill -9 $pid ends its dev-env.sh, and ./dev-env.sh ps shows what is left"
        ;;
    docker)
        need_docker down
        docker_down
        ;;
    esac
}

# Removes build output and the bot's state.
cmd_clean() {
    find_bot "$@"
    no_more clean
    if [[ " $* " == *' --local '* ]]; then
        # Its volumes are mounted on these folders.
        ! docker_runs || die --code 75 "the bot runs in Docker; end it first: ./dev-env.sh down, or clean without --local"
        ! local_runs || end_bot
        rm -rf "$ROOT/target" "$STATE"
        say "What was built here, and what the bot remembered, is gone."
        return
    fi
    [[ $WHERE != local ]] || die --code 75 "the bot runs on this machine; ./dev-env.sh clean --local ends it and removes target/ and .hotcord/"
    need_docker clean
    docker_down --volumes
    say "The volumes of this folder's containers are gone: what was built in them, and what the bot remembered."
}

cmd_build() {
    find_bot "$@"
    no_more build
    if [[ $WHERE == local ]]; then
        build_host
        return
    fi
    need_docker build
    docker_build
}

cmd_rebuild() {
    find_bot "$@"
    no_more rebuild
    if [[ $WHERE == local ]]; then
        ! local_runs || die --code 75 "a bot of this folder is running; ./dev-env.sh down ends it"
        rm -rf "$HOST_TARGET" "$ROOT/target/debug" "$ROOT/target/build"
        build_host
        return
    fi
    need_docker rebuild
    docker_build --no-cache
}

cmd_logs() {
    find_remains "$@"
    if [[ $WHERE == docker ]]; then
        need_docker logs
        docker_logs ${WORDS[@]+"${WORDS[@]}"}
    elif local_runs; then
        [[ -e $STATE/bot.log ]] ||
            die --code 69 "the bot runs in a terminal, which has its log; ./dev-env.sh up --local writes one to a file"
        exec tail -n +1 -f ${WORDS[@]+"${WORDS[@]}"} "$STATE/bot.log"
    elif [[ -s $STATE/bot.log ]]; then
        note "The bot that ./dev-env.sh up --local had started has ended. It said:"
        cat "$STATE/bot.log"
    else
        die --code 69 "$NO_BOT"
    fi
}

cmd_ps() {
    find_bot "$@"
    no_more ps
    case $WHERE in
    docker)
        need_docker ps
        compose ps
        ;;
    local)
        local_runs || die --code 69 "$NO_BOT"
        local_processes
        ;;
    *) die --code 69 "$NO_BOT" ;;
    esac
}

cmd_exec() {
    [[ $# -gt 0 ]] || die --code 64 "exec what? For example: ./dev-env.sh exec cargo tree -p bot"
    if [[ $1 == --local ]]; then
        shift
        find_bot --local
    else
        find_bot
    fi
    case $WHERE in
    docker) docker_exec "$@" ;;
    local)
        cd "$ROOT"
        "$@"
        ;;
    *) die --code 69 "$NO_BOT, or say --local" ;;
    esac
}

cmd_shell() {
    find_bot "$@"
    no_more shell
    if [[ $WHERE == local ]]; then
        need_rust
        cd "$ROOT"
        exec "${SHELL:-bash}"
    fi
    need_docker shell
    docker_shell
}

# Runs a command where the bot runs: in its container, or here as a function.
carry_out() { # FUNCTION WORD...
    local function=$1
    shift
    find_bot "$@"
    if [[ $WHERE == docker ]]; then
        docker_words "${WORDS[@]}"
    else
        "$function" "${WORDS[@]}"
    fi
}

# Runs the sandbox's command line.
use_sandbox() {
    sandbox_runs || die --code 69 "no sandbox is running; start one with ./dev-env.sh hmr"
    sandbox_ "$@"
}

cmd_say() {
    [[ $# -gt 0 ]] || die --code 64 "say what? For example: ./dev-env.sh say '/ping'"
    carry_out use_sandbox say "$@"
}

cmd_log() { carry_out use_sandbox log "$@"; }

# Prints an address of the sandbox's page. A container's is published on another.
cmd_page() {
    local address
    find_bot "$@"
    if [[ $WHERE != docker ]]; then
        use_sandbox page ${WORDS[@]+"${WORDS[@]}"}
        return
    fi
    address=$(docker_words page ${WORDS[@]+"${WORDS[@]}"})
    say "http://$(compose port sandbox 8787)/app${address#*/app}"
}

any_sandbox() { sandbox_ "${@:2}"; }

cmd_sandbox() { carry_out any_sandbox sandbox "$@"; }

# Sends a request to the running bot, with the development host's program as the client.
ctl() {
    [[ -x $HOST_TARGET/debug/hotcord ]] || die --code 69 "$NO_BOT"
    HMR_WORKSPACE=$ROOT exec "$HOST_TARGET/debug/hotcord" ctl "$@"
}

cmd_status() { carry_out ctl status "$@"; }
cmd_events() { carry_out ctl events "$@"; }
cmd_reload() { carry_out ctl reload "$@"; }
cmd_rollback() { carry_out ctl rollback "$@"; }
cmd_watch() { carry_out ctl watch "$@"; }
cmd_prune() { carry_out ctl prune "$@"; }
cmd_restart() { carry_out ctl restart "$@"; }

# ---- help -------------------------------------------------------------------

cmd_help() {
    cat <<'END'
Usage: ./dev-env.sh COMMAND [OPTIONS...]

Run (in Docker; with --local on this machine)
  hmr                build and run the bot, reloading on every save; without DISCORD_TOKEN on a
                     local Discord, the sandbox; Ctrl-C stops it
  up                 the same in the background
  dev                the same without hot reload, for comparison: every save builds and restarts the whole bot
  down               stop it; build output and the bot's state are kept
  clean              stop it and remove both
  build, rebuild     build the development image; rebuild ignores Docker's cache
Try (while it runs)
  say '/ping'        run a command as a user of the sandbox and print the answer; --json for scripts
  page [--as USER]   print an address that shows it all in a browser; it is good once
  log [--follow]     the sandbox's log of requests and events, as JSON lines
  sandbox ...        everything else the sandbox can do: press, choose, send, join, fault
Control (a running bot, in Docker or not)
  status [--json]    what is live, watched and being built, and why a save is not live
  events [--last N]  reloads and other events as JSON lines, until Ctrl-C; --no-follow stops at once
  logs               the bot's log from the start, until Ctrl-C
  ps                 its containers or processes
  reload [PLUGIN]    build and swap one plugin now, or all
  rollback PLUGIN [GENERATION]  go back to the previous code, or to a generation's
  watch on|off       resume or pause reloading on save
  prune              remove commands from Discord that no plugin defines any more
  restart [--now]    replace the bot's process; state and timers are kept
  exec COMMAND...    run a program where the bot runs
  shell              a shell there, or in a new container when no bot runs
Write
  new commands/NAME  create a command plugin with its test
  new events/NAME    create an event plugin with its test
Check
  test               all tests; needs no Docker
  test --slow        all tests, then 100,000 random requests to the sandbox, 200 kills, every fault (faults) and an hour of reloads (soak)
  test --production  build the production binary and check that it contains no hot reload
  test --docker      the development containers and the production image, for real;
                     --image: the image only
  check              formatting, clippy on every feature set, dependencies, tests, documentation
  deny               licences, sources and advisories of dependencies, with cargo-deny
  docs               generate docs/commands.md, metrics.md and parity.md
  smoke              reloads under load and broken edits, end to end
  bench [--json]     how long a reload takes, compared with bare rustc and a restart; --against COMMIT: with the
                     same edits in another commit too; --busy 2: how many answers are late or lost while two
                     other programs use the processors
  bench --build --against COMMIT [--tests]
                     how long a first start, edits of the host, and the tests take, compared with another commit
  bench --database   how fast documents and settings are read and written, compared with plain sqlx
  bench --sandbox [--against COMMIT] [--sessions]
                     how many requests a second an optimised sandbox answers; --sessions: also while 20 gateway
                     sessions listen
  bench --dispatch   what an interaction takes, compared with a bot of poise alone
  bench-music [--reloads N]  reloads while four guilds listen: gaps, packet intervals, and whether the audio is right
  faults [--json]    everything that can go wrong, done for real, as a table; --only NAME
  soak [--minutes N] continuous reloads under load: memory, files, threads, tasks
  fuzz [--minutes N] [TARGET...]  coverage-guided fuzzing of what parses untrusted bytes, one minute each;
                     needs a nightly compiler
  drip [--servers N] play from servers that send one byte a second: error messages, and /ping meanwhile
  doctor             what is installed and what is missing
  help               this text
END
}

COMMANDS="hmr up dev down clean build rebuild say page log sandbox status events logs ps reload rollback watch prune restart
exec shell new test check deny docs smoke bench bench-music faults soak fuzz drip doctor help"

# Former names of commands, which still work. docs/configuration.md lists them.
present_name() { # COMMAND
    case $1 in
    down-volumes) say clean ;;
    play) say bench-music ;;
    *) say "$1" ;;
    esac
}

# Prints the command that is most similar to a mistyped one: that with most of its letters, in any order.
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
        # In percent of the letters of both; from 75 % on it is suggested.
        shared=$((200 * shared / (${#word} + ${#command})))
        if ((shared >= 75 && shared > most)); then best=$command most=$shared; fi
    done
    printf '%s' "$best"
}

# bash can neither trap nor reset a signal that was ignored when it started, as some service managers and CI runners start
# programs. This script and its children are stopped by SIGTERM, so its default is restored. Other signals stay as the caller
# set them: a shell that starts this script in the background makes it ignore Ctrl-C.
hear_term() { # WORDS of the call
    [[ -n $(trap -p TERM) && -z ${HOTCORD_HEARS_TERM-} ]] || return 0
    export HOTCORD_HEARS_TERM=1
    if env --default-signal=TERM "$BASH" -c : 2>/dev/null; then
        exec env --default-signal=TERM "$BASH" "$ROOT/dev-env.sh" "$@"
    elif command -v perl >/dev/null 2>&1; then
        # shellcheck disable=SC2016 # perl's own variable
        exec perl -e '$SIG{TERM} = "DEFAULT"; exec @ARGV' "$BASH" "$ROOT/dev-env.sh" "$@"
    fi
}

main() {
    local command=${1:-help} near
    (($# == 0)) || shift
    case $command in
    -h | --help) command=help ;;
    *) command=$(present_name "$command") ;;
    esac
    case " ${COMMANDS//$'\n'/ } service " in
    *" $command "*) "cmd_${command//-/_}" "$@" ;;
    *)
        near=$(nearest "$command")
        [[ -z $near ]] || near="; did you mean '$near'?"
        die --code 64 "there is no command '$command'${near:-; see ./dev-env.sh help}"
        ;;
    esac
    # bash reads a script while it runs it. If the script was edited meanwhile, the rest must not be read.
    exit
}

hear_term "$@"
main "$@"
