# shellcheck shell=bash
# ./dev-env.sh bench --build: how long this commit and another one take to start, to apply an edit and to pass the tests,
# each from an empty target folder, one after the other on this machine.

# Prints a measurement at once, and keeps it for the comparison at the end.
bench_note() { # WHICH FIGURE VALUE UNIT
    printf '%-8s %-52s %10s %s\n' "$1" "$2" "$3" "$4"
    printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" >>"$BENCH_FOLDER/figures"
}

bench_seconds() { # SINCE, as printed by date +%s.%N
    awk -v since="$1" -v now="$(date +%s.%N)" 'BEGIN { printf "%.1f", now - since }'
}

# Replaces this process by a program, without the variables that dev-env.sh sets, as in a fresh clone. Call it in a subshell.
bench_alone() { # FOLDER PROGRAM [ARGUMENT...]
    unset CARGO_BUILD_BUILD_DIR CARGO_TARGET_DIR RUSTC_WORKSPACE_WRAPPER DISCORD_TOKEN DISCORD_API_URL
    cd "$1" && shift && exec "$@"
}

# Makes a fresh clone with a commit checked out.
bench_clone() { # COMMIT FOLDER
    rm -rf "$2"
    git clone --quiet --no-checkout "$ROOT" "$2"
    git -C "$2" checkout --quiet --detach "$1"
}

# Fails with a sentence if a benchmark is to compare with what is no commit.
bench_need_commit() { # BENCHMARK COMMIT USAGE
    git -C "$ROOT" rev-parse --quiet --verify "$2^{commit}" >/dev/null 2>&1 ||
        die --code 64 "bench $1 compares with another commit, and '$2' is none; $3"
}

# Seconds without a line after which a bot hangs. A first start compiles for minutes.
readonly BENCH_PATIENCE=1200

# Waits for a line of the log that contains one of WORDS; fails if the bot ends first, or hangs.
bench_await() { # LOG WORDS...
    local log=$1 line words
    shift
    while IFS= read -r -t "$BENCH_PATIENCE" line <&9; do
        printf '%s\n' "$line" >>"$log"
        for words in "$@"; do
            [[ $line != *"$words"* ]] || return 0
        done
    done
    tail -n 20 "$log" >&2
    die "the bot ended, or said nothing for $BENCH_PATIENCE s, before it said '$1'; its last words are above"
}

# Starts the bot of a clone and makes the edits, each timed until it is live.
bench_commit() { # WHICH COMMIT
    local clone=$BENCH_FOLDER/$1 log=$BENCH_FOLDER/$1.log since before player
    bench_clone "$2" "$clone"
    : >"$log"
    (bench_alone "$clone" cargo fetch --quiet --locked)
    since=$(date +%s.%N)
    rm -f "$BENCH_FOLDER/lines"
    mkfifo "$BENCH_FOLDER/lines"
    set -m
    bench_alone "$clone" ./dev-env.sh hmr --local >"$BENCH_FOLDER/lines" 2>&1 </dev/null &
    BENCH_RUNS=$!
    set +m
    exec 9<"$BENCH_FOLDER/lines"
    bench_await "$log" "The bot is ready"
    bench_note "$1" "first start, from an empty folder to ready" "$(bench_seconds "$since")" s
    bench_note "$1" "target/ after it" "$(du -sm "$clone/target" | cut -f 1)" MB

    since=$(date +%s.%N)
    printf '\n/// Only for the measurement.\npub const MEASURED: u32 = 1;\n' >>"$clone/crates/sdk-core/src/text.rs"
    bench_await "$log" ": restarted host=" "restarted as host"
    bench_note "$1" "edit of sdk-core, to the new host live" "$(bench_seconds "$since")" s

    for player in crates/player/src/clock.rs crates/sdk-core/src/voice/clock.rs; do
        [[ ! -e $clone/$player ]] || break
    done
    before=$(find "$clone/target" -path '*/plugins/*.so')
    since=$(date +%s.%N)
    # Code that is in use: a host that is built from the same code as the running one does not replace it.
    sed -i 's/self\.start\.saturating_add(/self.start.saturating_add(Duration::ZERO).saturating_add(/' "$clone/$player"
    bench_await "$log" ": restarted host=" "restarted as host"
    bench_note "$1" "edit of the player, to the new host live" "$(bench_seconds "$since")" s
    # Older libraries may have been removed meanwhile.
    bench_note "$1" "plugins that were built for it" \
        "$(find "$clone/target" -path '*/plugins/*.so' | grep -cvxF "$before")" ''
    kill -TERM "$BENCH_RUNS"
    # The writer needs a reader until it ends.
    cat <&9 >>"$log"
    await_end "$BENCH_RUNS" || true
    BENCH_RUNS=''
    exec 9<&-
    git -C "$clone" checkout --quiet .
}

# The tests of a fresh clone, and once more after an edit of a plugin.
bench_tests() { # WHICH COMMIT
    local clone=$BENCH_FOLDER/$1 run since
    rm -rf "$clone/target" "$clone/.hotcord"
    for run in "from an empty folder" "after one line of a plugin"; do
        since=$(date +%s.%N)
        if (bench_alone "$clone" ./dev-env.sh test) >"$BENCH_FOLDER/$1-tests.log" 2>&1; then
            bench_note "$1" "tests, $run" "$(bench_seconds "$since")" s
        else
            bench_note "$1" "tests, $run (some failed)" "$(bench_seconds "$since")" s
        fi
        printf '\n// Only for the measurement.\n' >>"$clone/commands/general/src/ping.rs"
    done
    git -C "$clone" checkout --quiet .
}

bench_end() {
    [[ -z ${BENCH_RUNS-} ]] || kill -TERM "$BENCH_RUNS" 2>/dev/null || true
    rm -rf "$BENCH_FOLDER/before" "$BENCH_FOLDER/now"
}

bench_build() {
    local against='' tests=''
    while [[ $# -gt 0 ]]; do
        case $1 in
        --against) against=${2-} && shift ;;
        --tests) tests=1 ;;
        *) die --code 64 "bench --build does not know '$1'; usage: ./dev-env.sh bench --build --against COMMIT [--tests]" ;;
        esac
        shift
    done
    bench_need_commit --build "$against" "usage: ./dev-env.sh bench --build --against COMMIT [--tests]"
    need_rust
    need_none
    BENCH_FOLDER=$ROOT/target/bench-build
    mkdir -p "$BENCH_FOLDER"
    : >"$BENCH_FOLDER/figures"
    trap bench_end EXIT
    bench_commit before "$against"
    bench_commit now HEAD
    if [[ $tests ]]; then
        bench_tests before "$against"
        bench_tests now HEAD
    fi
    say ''
    awk -F '\t' '
        $1 == "before" { before[$2] = $3 }
        $1 == "now" && ($2 in before) && before[$2] > 0 { printf "%-61s %10.2f times\n", $2, $3 / before[$2] }
    ' "$BENCH_FOLDER/figures"
    say "The figures are kept in target/bench-build/figures."
}
