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
SANDBOX_PROGRAM=$HOST_TARGET/debug/sandbox
# Holds the process id of the dev-env.sh that runs a bot of this folder on this machine.
LOCAL_MARK=$STATE/local.pid
# Whatever a developer has set elsewhere: this script looks for what is built in here.
export CARGO_TARGET_DIR=$ROOT/target
# What cargo makes on the way to a program lies in one folder, for the host, the sandbox, the tests and all else that is
# built here, and rustc is called through scripts/bin/hotcord-rustc: as hmr does, crates/hmr/src/process.rs.
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

# Waits until a child has really ended, since a signal ends `wait` early, and gives its exit code.
await_end() { # PID
    local code
    while :; do
        code=0
        wait "$1" || code=$?
        kill -0 "$1" 2>/dev/null || return "$code"
    done
}

# build: cargo; local and docker: running the bot; check, fuzz and bench-build: testing and measuring; new: making plugins.
for part in build local docker check fuzz bench-build new; do
    # shellcheck source=/dev/null
    . "$ROOT/scripts/$part.sh"
done

# ---- how things stand -------------------------------------------------------

sandbox_() {
    [[ -x $SANDBOX_PROGRAM ]] || build_host >&2
    SANDBOX_STATE_FILE=$SANDBOX_STATE "$SANDBOX_PROGRAM" "$@"
}

# Prints the .env that the bot reads, if there is one.
env_file() {
    [[ ! -f $ROOT/.env ]] || printf '%s' "$ROOT/.env"
}

# Reads a variable as the bot would: from the environment, where an empty one counts, else the first in .env.
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

# Says whether the bot needs a Discord to be brought.
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
    # After a crash of the machine the number may be another program's.
    kill -0 "$pid" 2>/dev/null && [[ $(ps -o args= -p "$pid" 2>/dev/null) == *dev-env.sh* ]]
}

# Finds out where the bot of this folder runs, unless `--local` among the words says so: WHERE is `local`, `docker` or
# empty, and WORDS are the other words.
find_bot() {
    local word
    WHERE='' WORDS=()
    for word in "$@"; do
        if [[ $word == --local ]]; then WHERE=local; else WORDS+=("$word"); fi
    done
    # In a container, this is the machine.
    if [[ -n $WHERE || -n ${HOTCORD_SANDBOX-} ]]; then
        WHERE=local
    elif local_runs; then
        WHERE=local
    elif docker_runs; then
        WHERE=docker
    fi
}

# Finds the bot as `find_bot` does, and also one that has ended by itself in Docker, whose containers are still there.
find_remains() {
    find_bot "$@"
    [[ -n $WHERE || ! -e $DOCKER_MARK ]] || WHERE=docker
}

# Refuses words that a command does not have.
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

# ---- looking after ----------------------------------------------------------

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
        # The bot takes up to 10 s to say goodbye.
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

# Forgets what was built and what the bot remembers.
cmd_down_volumes() {
    find_bot "$@"
    no_more down-volumes
    if [[ " $* " == *' --local '* ]]; then
        # Its volumes lie in these folders.
        ! docker_runs || die --code 75 "the bot runs in Docker; end it first: ./dev-env.sh down, or down-volumes without --local"
        ! local_runs || end_bot
        rm -rf "$ROOT/target" "$STATE"
        say "What was built here, and what the bot remembered, is gone."
        return
    fi
    [[ $WHERE != local ]] || die --code 75 "the bot runs on this machine; ./dev-env.sh down-volumes --local ends it and removes target/ and .hotcord/"
    need_docker down-volumes
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

# Carries out a word where the bot runs: in its container, or here by a function.
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

# Has a user of the sandbox do something.
use_sandbox() {
    sandbox_runs || die --code 69 "no sandbox is running; start one with ./dev-env.sh hmr"
    sandbox_ "$@"
}

cmd_say() {
    [[ $# -gt 0 ]] || die --code 64 "say what? For example: ./dev-env.sh say '/ping'"
    carry_out use_sandbox say "$@"
}

cmd_log() { carry_out use_sandbox log "$@"; }

any_sandbox() { sandbox_ "${@:2}"; }

cmd_sandbox() { carry_out any_sandbox sandbox "$@"; }

# Has the development host, as a program of its own, ask the bot that is running.
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
Usage: ./dev-env.sh COMMAND [WORDS...]

Run (in Docker; with --local on this machine)
  hmr                build and run the bot, reloading on every save; without DISCORD_TOKEN on a
                     local Discord, the sandbox; Ctrl-C ends it
  up                 the same in the background
  dev                the same without hot reload, for comparison: builds the whole bot and
                     starts it anew on every save
  down               end it; what was built and what the bot remembers stays
  down-volumes       end it and forget both
  build, rebuild     make the development image, without Docker's cache the latter
Try (while it runs)
  say '/ping'        run a command as a user of the sandbox and print the answer; --json for scripts
  log [--follow]     the sandbox's log of requests and events, as JSON lines
  sandbox ...        every other thing the sandbox can do: press, choose, send, join, fault
Look after (a bot that runs, wherever it does)
  status [--json]    what is live, watched, being built, and why a save is not live
  events [--last N]  what happens to plugins, as JSON lines, until Ctrl-C; --no-follow ends at once
  logs               what it says, from the start, until Ctrl-C
  ps                 its containers, or processes
  reload [PLUGIN]    build and swap a plugin now, or all
  rollback PLUGIN [GENERATION]  bring earlier code back: the one before, or a generation's
  watch on|off       stop reloading on save, or go on with it
  prune              remove commands from Discord that no plugin defines any more, without waiting
  restart [--now]    replace the bot's process by a new one; state and timers stay
  exec COMMAND...    run a program where the bot runs
  shell              a shell there, or in a fresh container when none runs
Write
  new commands/NAME  a new command plugin, registered, with its test
  new events/NAME    a new event plugin, likewise
Check
  test               all tests; needs no Docker
  test --production  builds what is shipped, and looks through it for anything of hot reload
  test --docker      both ways into Docker, for real: development, and the production image;
                     --image: that image alone
  check              formatting, clippy on every feature set, dependencies, tests, documentation
  deny               licences, sources and advisories of dependencies, where cargo-deny is installed
  docs               write docs/commands.md and docs/metrics.md from the code
  smoke              reloads under load and broken edits, end to end
  bench --build --against COMMIT [--tests]
                     how long a first start, edits of the host, and the tests take, against another commit
  bench [--json]     how long a reload takes, against bare rustc and a restart; --busy 2: how many answers
                     are lost or late during reloads with two other programs holding the processors
  faults [--json]    everything that goes wrong, done for real, as a table; --only NAME
  soak [--minutes N] reloads without a pause under load: memory, files, threads, tasks
  fuzz [--minutes N] [TARGET...]  coverage-guided fuzzing of what reads bytes that others wrote, a minute each;
                     needs a nightly compiler
  play [--reloads N] reloads while four guilds listen: gaps, times between packets, and whether it is the music
  drip [--servers N] servers that send a byte a second, asked for by as many users: answers, and /ping meanwhile
  doctor             what is installed, what is missing
  help               this text
END
}

COMMANDS="hmr up dev down down-volumes build rebuild say log sandbox status events logs ps reload rollback watch prune restart
exec shell new test check deny docs smoke bench faults soak fuzz play drip doctor help"

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

# bash can neither trap nor set back a signal that was ignored when it began, as some service managers and runners of CI
# start programs. SIGTERM is how this script and what it starts are told to end, so that one is heard again. The others
# stay as the caller wants them: whoever puts this into the background has the terminal's Ctrl-C ignored.
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
    esac
    case " ${COMMANDS//$'\n'/ } service " in
    *" $command "*) "cmd_${command//-/_}" "$@" ;;
    *)
        near=$(nearest "$command")
        [[ -z $near ]] || near="; did you mean '$near'?"
        die --code 64 "there is no command '$command'${near:-; see ./dev-env.sh help}"
        ;;
    esac
    # bash reads a script as it goes on; one that was edited meanwhile must not be read further.
    exit
}

hear_term "$@"
main "$@"
