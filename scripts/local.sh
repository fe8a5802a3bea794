# shellcheck shell=bash
# shellcheck disable=SC2153,SC2164 # dev-env.sh sets STATE, and exits on errors
# Running the bot with its sandbox, on this machine or in a container.

WITH_SANDBOX=
SANDBOX_PID=
BOT_PID=
# Processes that only observe.
ONLOOKERS=

stop_children() {
    local pid
    trap - EXIT
    rm -f "$LOCAL_MARK"
    for pid in $ONLOOKERS; do kill "$pid" 2>/dev/null || true; done
    for pid in $BOT_PID $SANDBOX_PID; do
        kill -TERM "$pid" 2>/dev/null || continue
        wait "$pid" 2>/dev/null || true
    done
    [[ -z $SANDBOX_PID ]] || rm -f "$SANDBOX_STATE"
    wait
}

start_sandbox() {
    local log=$STATE/sandbox.log address addresses=("127.0.0.1:${SANDBOX_PORT:-8787}")
    mkdir -p "$STATE"
    rm -f "$SANDBOX_STATE"
    # The usual address, or any free one if it is taken; with SANDBOX_PORT, only that one.
    [[ -n ${SANDBOX_PORT-} ]] || addresses+=(127.0.0.1:0)
    for address in "${addresses[@]}"; do
        # In its own process group, so that Ctrl-C does not stop it before the bot has shut down.
        set -m
        "$SANDBOX_PROGRAM" "${SANDBOX_SERVE[@]}" --listen "$address" </dev/null >"$log" 2>&1 &
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

# Makes the bot trust the certificate of the sandbox's voice servers, beside the sandbox's state file, in addition to the usual ones.
# cargo and yt-dlp, which the bot runs, read the same variable; they get its former value.
trust_sandbox() {
    local known roots=$STATE/roots.pem
    for known in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
        [[ -n $known && -r $known ]] && break
        known=
    done
    cat ${known:+"$known"} "${SANDBOX_STATE%.json}.pem" >"$roots"
    export HOTCORD_SSL_CERT_FILE=${SSL_CERT_FILE-} SSL_CERT_FILE=$roots
}

# Lists the bot and its sandbox, children of the dev-env.sh that started them.
local_processes() {
    ps -e -o pid= -o ppid= -o etime= -o args= | awk -v top="$(cat "$LOCAL_MARK")" '
        { pid[NR] = $1; parent[NR] = $2; line[NR] = $0 }
        END {
            of[top]
            for (more = 1; more;) {
                more = 0
                for (i = 1; i <= NR; i++) if (parent[i] in of && !(pid[i] in of)) { of[pid[i]]; more = 1 }
            }
            for (i = 1; i <= NR; i++) if (pid[i] in of && line[i] ~ /hotcord|sandbox/) print line[i]
        }'
}

# Prints what to do next as soon as the bot is ready, after the lines of the start.
tell_when_ready() {
    local before='' now='' page=''
    # Commands are registered one by one; when the list stops growing, it is complete.
    until [[ -n $now && $now == "$before" ]]; do
        [[ -e $SANDBOX_STATE ]] || return 0
        sleep 0.2
        before=$now
        now=$(sandbox_ commands 2>/dev/null) || now=''
    done
    # Its ticket is for a terminal, not for a log.
    if [[ -t 1 && -z ${HOTCORD_SANDBOX-} ]]; then page=$(sandbox_ page 2>/dev/null) || page=''; fi
    if [[ -n $page ]]; then
        printf '\n%s\n\n    %s\n' "The bot is ready. Open it in a browser (this address is good once; ./dev-env.sh page prints another):" "$page"
    else
        printf '\n%s\n\n%s\n' "The bot is ready." "    ./dev-env.sh page           prints an address that shows it in a browser"
    fi
    cat <<'END'

In another terminal:

    ./dev-env.sh say /ping      runs a command as a user and prints the answer
    ./dev-env.sh log            shows every request and event

Then edit commands/general/src/ping.rs, save, and say /ping again. Ctrl-C ends the bot and its sandbox.

END
}

# Stops the bot when its sandbox has exited by itself.
watch_sandbox() { # BOT
    local words="$STATE/sandbox.log has its last words"
    if [[ $SANDBOX_PID ]]; then
        while kill -0 "$SANDBOX_PID" 2>/dev/null; do sleep 0.2; done
    else
        words="its last words are above"
        # A single failure may be the network's fault.
        while sandbox_listens || { sleep 1 && sandbox_listens; } || { sleep 2 && sandbox_listens; }; do sleep 1; done
    fi
    kill -0 "$1" 2>/dev/null || return 0
    note "dev-env: the sandbox has ended, so the bot ends too; $words"
    kill -TERM "$1" 2>/dev/null || true
}

# Runs the bot in the foreground and returns its exit code; a signal goes to the bot first.
run_bot() {
    local code=0
    "$@" &
    BOT_PID=$!
    if [[ $WITH_SANDBOX ]]; then
        watch_sandbox "$BOT_PID" &
        ONLOOKERS="$ONLOOKERS $!"
    fi
    trap 'kill -TERM "$BOT_PID" 2>/dev/null || true' INT TERM HUP
    await_end "$BOT_PID" || code=$?
    BOT_PID=
    return "$code"
}

# Starts `hmr --local` in the background, where it survives the end of the terminal.
up_local() {
    local pid
    mkdir -p "$STATE"
    set -m
    HOTCORD_LOG=$STATE/bot.log nohup "$ROOT/dev-env.sh" hmr --local </dev/null >"$STATE/bot.log" 2>&1 &
    pid=$!
    set +m
    disown "$pid"
    until local_runs; do
        kill -0 "$pid" 2>/dev/null || {
            cat "$STATE/bot.log" >&2
            die "the bot did not start; its words are above"
        }
        sleep 0.1
    done
    tell_of_up
}

# Builds the development host and runs it in the given mode, with a sandbox if no token or API is configured.
run_local() { # MODE
    local code=0
    if needs_sandbox; then
        WITH_SANDBOX=1
        [[ -n ${HOTCORD_SANDBOX-} ]] || ! sandbox_runs ||
            die --code 75 "a sandbox of this folder is running already; stop that ./dev-env.sh hmr first"
    fi
    mkdir -p "$STATE"
    [[ -n ${HOTCORD_LOG-} ]] || rm -f "$STATE/bot.log"
    printf '%s\n' "$$" >"$LOCAL_MARK"
    trap stop_children EXIT
    note "Building the bot (the first time takes a few minutes) ..."
    build_host
    export HMR_WORKSPACE=$ROOT
    export "${1?}"
    if [[ $WITH_SANDBOX ]]; then
        if [[ -n ${HOTCORD_SANDBOX-} ]]; then
            await_sandbox
        else
            start_sandbox
        fi
        # The bot is a child of this shell and reads exported variables.
        set -a
        eval "$(SANDBOX_STATE_FILE=$SANDBOX_STATE "$SANDBOX_PROGRAM" env)"
        set +a
        # The bot must not control the sandbox's users.
        unset SANDBOX_URL SANDBOX_CONTROL_SECRET
        trust_sandbox
        [[ -n ${HOTCORD_SANDBOX-} ]] || tell_of_sandbox
        tell_when_ready &
        ONLOOKERS="$ONLOOKERS $!"
    else
        cat <<END

The bot talks to the Discord that your DISCORD_TOKEN and DISCORD_API_URL name.
Edit a file under commands/ or events/, save, and use the command again. Ctrl-C ends it.

END
    fi
    cd "$ROOT"
    run_bot "$HOST_TARGET/debug/hotcord" || code=$?
    [[ -z $SANDBOX_PID ]] || kill -0 "$SANDBOX_PID" 2>/dev/null || code=69
    return "$code"
}
