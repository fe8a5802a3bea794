# shellcheck shell=bash
# ./dev-env.sh bench --sandbox: how many requests a second an optimised sandbox answers, beside that of another commit.

# Seconds of one measurement, and how often each is repeated, the two programs in turn.
readonly SANDBOX_SECONDS=6 SANDBOX_ROUNDS=5
readonly SANDBOX_SESSIONS=20

bench_sandbox_usage="usage: ./dev-env.sh bench --sandbox [--against COMMIT] [--sessions]"

# Builds an optimised sandbox of a folder as its own Cargo.toml says, and prints where it is.
bench_sandbox_build() { # FOLDER TARGET
    (bench_alone "$1" env "CARGO_TARGET_DIR=$2" cargo build --release --locked -p sandbox >&2) ||
        die "the sandbox of $1 does not build; cargo's words are above"
    printf '%s\n' "$2/release/sandbox"
}

# Prints how many requests a second wrk got answered. Fails if an answer was not 2xx.
bench_sandbox_wrk() { # SCRIPT URL
    local out
    out=$(wrk -t 1 -c 64 -d "$SANDBOX_SECONDS" -s "$1" "$2")
    if grep -q 'Non-2xx' <<<"$out"; then
        note "$out"
        die "the sandbox refused requests of the benchmark"
    fi
    awk '/^Requests\/sec:/ { printf "%.0f", $2 }' <<<"$out"
}

bench_sandbox_once() { # WHICH PROGRAM
    local which=$1 program=$2 folder=$BENCH_FOLDER/$1 all channel gateway
    rm -rf "$folder"
    mkdir -p "$folder"
    export SANDBOX_STATE_FILE=$folder/state.json
    "$program" serve --listen 127.0.0.1:0 --no-rate-limits >"$folder/log" 2>&1 </dev/null &
    BENCH_RUNS=$!
    until all=$("$program" env 2>/dev/null); do
        kill -0 "$BENCH_RUNS" 2>/dev/null || die "the sandbox of '$which' does not start; see $folder/log"
        sleep 0.1
    done
    (
        eval "$all"
        curl_() { curl --silent --fail -H "Authorization: Bot $DISCORD_TOKEN" "$@"; }
        channel=$(curl_ "$DISCORD_API_URL/api/v10/guilds/$TEST_GUILD_ID/channels" |
            python3 -c 'import json, sys; print([c["id"] for c in json.load(sys.stdin) if c["type"] == 0][0])')
        printf 'wrk.headers["Authorization"] = "Bot %s"\n' "$DISCORD_TOKEN" >"$folder/get.lua"
        {
            cat "$folder/get.lua"
            # shellcheck disable=SC2016
            printf 'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = "{\\"content\\":\\"hello\\"}"\n'
        } >"$folder/post.lua"
        get=$DISCORD_API_URL/api/v10/users/@me post=$DISCORD_API_URL/api/v10/channels/$channel/messages
        bench_note "$which" "GET, 64 connections" "$(bench_sandbox_wrk "$folder/get.lua" "$get")" "a second"
        bench_note "$which" "messages, 64 connections" "$(bench_sandbox_wrk "$folder/post.lua" "$post")" "a second"
        if [[ $SANDBOX_LISTENERS ]]; then
            mkfifo "$folder/stop"
            gateway=$(curl_ "$DISCORD_API_URL/api/v10/gateway" | python3 -c 'import json, sys; print(json.load(sys.stdin)["url"])')
            "$SANDBOX_LISTENERS" "${gateway%/}" "$DISCORD_TOKEN" "$SANDBOX_SESSIONS" \
                <"$folder/stop" >"$folder/sessions" &
            exec 8>"$folder/stop"
            until [[ -s $folder/sessions ]]; do
                kill -0 $! 2>/dev/null || die "the $SANDBOX_SESSIONS sessions do not connect"
                sleep 0.2
            done
            bench_note "$which" "messages, 64 connections, $SANDBOX_SESSIONS sessions listening" \
                "$(bench_sandbox_wrk "$folder/post.lua" "$post")" "a second"
            exec 8>&-
            wait $! || die "a session of the benchmark was closed"
        fi
    )
    kill -TERM "$BENCH_RUNS"
    await_end "$BENCH_RUNS" || true
    BENCH_RUNS=''
}

bench_sandbox() {
    local against='' sessions='' round before='' now
    while [[ $# -gt 0 ]]; do
        case $1 in
        --against) against=${2-} && shift ;;
        --sessions) sessions=1 ;;
        *) die --code 64 "bench --sandbox does not know '$1'; $bench_sandbox_usage" ;;
        esac
        shift
    done
    command -v wrk >/dev/null 2>&1 || die --code 69 "bench --sandbox needs wrk; your system's package wrk brings it"
    need_rust
    BENCH_FOLDER=$ROOT/target/bench-sandbox
    mkdir -p "$BENCH_FOLDER"
    : >"$BENCH_FOLDER/figures"
    BENCH_RUNS=''
    trap '[[ -z $BENCH_RUNS ]] || kill -TERM "$BENCH_RUNS" 2>/dev/null || true' EXIT
    note "Building the sandbox, optimised; the first time takes some minutes ..."
    if [[ $against ]]; then
        bench_need_commit --sandbox "$against" "$bench_sandbox_usage"
        # One that is there has its files built.
        [[ $(git -C "$BENCH_FOLDER/source" rev-parse --quiet --verify HEAD 2>/dev/null || true) == \
            $(git rev-parse --verify "$against^{commit}") ]] || bench_clone "$against" "$BENCH_FOLDER/source"
        before=$(bench_sandbox_build "$BENCH_FOLDER/source" "$BENCH_FOLDER/before-target")
    fi
    now=$(bench_sandbox_build "$ROOT" "$BENCH_FOLDER/now-target")
    SANDBOX_LISTENERS=''
    if [[ $sessions ]]; then
        (bench_alone "$ROOT" env "CARGO_TARGET_DIR=$BENCH_FOLDER/now-target" cargo build --release --locked -p sandbox --example sessions >&2) ||
            die "the sessions of the benchmark do not build; cargo's words are above"
        SANDBOX_LISTENERS=$BENCH_FOLDER/now-target/release/examples/sessions
    fi
    for ((round = 1; round <= SANDBOX_ROUNDS; round++)); do
        [[ -z $before ]] || bench_sandbox_once before "$before"
        bench_sandbox_once now "$now"
    done
    say ''
    # Medians of the rounds, and what the new one is of the old one.
    sort -t "$(printf '\t')" -k 2,2 -k 1,1 -k 3,3n "$BENCH_FOLDER/figures" | awk -F '\t' '
        { values[$1, $2, ++count[$1, $2]] = $3; if (!seen[$2]++) figures[++kinds] = $2 }
        function median(which, figure,   n) { n = count[which, figure]; return n ? values[which, figure, int((n + 1) / 2)] : 0 }
        END {
            for (kind = 1; kind <= kinds; kind++) {
                figure = figures[kind]; before = median("before", figure); now = median("now", figure)
                if (before) printf "%-52s median %8d before, %8d now: %.2f times\n", figure, before, now, now / before
                else printf "%-52s median %8d\n", figure, now
            }
        }'
}
