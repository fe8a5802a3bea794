# shellcheck shell=bash
# ./dev-env.sh fuzz: coverage-guided fuzzing of the code that parses untrusted bytes; see docs/fuzzing.md.

FUZZ_TARGETS="demux_decode playlists icy gateway_frames rest_bodies typed_command cargo_output"
# The version that `fuzz` installs if it is missing.
CARGO_FUZZ=0.13.2
# Limits: bytes of an input, seconds for one input, and megabytes of the process.
FUZZ_LONGEST=12000 FUZZ_SECONDS=30 FUZZ_MEMORY=2048

# Requires a nightly compiler, for coverage instrumentation, and a C++ compiler, for libFuzzer; installs cargo-fuzz if it is missing.
need_fuzz() {
    need_rust
    command -v rustup >/dev/null 2>&1 ||
        die --code 69 "fuzz needs rustup, which brings the nightly compiler; install it from https://rustup.rs"
    rustup run nightly rustc --version >/dev/null 2>&1 ||
        die --code 69 "fuzz needs a nightly compiler, which alone instruments for coverage; rustup toolchain install nightly --profile minimal brings it"
    command -v c++ >/dev/null 2>&1 ||
        die --code 69 "fuzz needs a C++ compiler for libFuzzer; your system's package g++ or clang brings it"
    export PATH=$ROOT/target/fuzz/tools/bin:$PATH
    if ! cargo fuzz --version >/dev/null 2>&1; then
        note "Installing cargo-fuzz $CARGO_FUZZ into target/fuzz/tools ..."
        cargo install --locked --quiet --root "$ROOT/target/fuzz/tools" --version "$CARGO_FUZZ" cargo-fuzz ||
            die --code 69 "cargo-fuzz $CARGO_FUZZ cannot be installed; cargo's words are above"
    fi
}

# Builds all targets, without a sanitizer: safe code needs none and is twice as fast without.
build_fuzz() {
    note "Building the fuzz targets; the first time takes some minutes ..."
    (cd "$ROOT/fuzz" && unset CARGO_BUILD_BUILD_DIR RUSTC_WORKSPACE_WRAPPER && CARGO_TARGET_DIR=$ROOT/target/fuzz cargo +nightly fuzz build --sanitizer none --fuzz-dir . >&2) ||
        die "the fuzz targets do not build; the compiler's words are above"
    FUZZ_BUILT=$ROOT/target/fuzz/$(rustc +nightly -vV | sed -n 's/^host: //p')/release
}

# Runs one target, and prints a line of progress every half minute and at the end. Fails if something was found.
run_fuzz() { # TARGET SECONDS
    local target=$1 seconds=$2 corpus=$ROOT/fuzz/corpus/$1 found=$ROOT/fuzz/artifacts/$1
    local dictionary=$ROOT/fuzz/dictionaries/$1.dict log=$ROOT/target/fuzz/$1.log before code=0 line began=$SECONDS
    mkdir -p "$corpus" "$found"
    before=$(fuzz_inputs "$target")
    local -a words=(-max_total_time="$seconds" -max_len="$FUZZ_LONGEST" -timeout="$FUZZ_SECONDS"
        -rss_limit_mb="$FUZZ_MEMORY" -print_final_stats=1 -artifact_prefix="$found/")
    [[ ! -f $dictionary ]] || words+=(-dict="$dictionary")
    "$FUZZ_BUILT/$target" "${words[@]}" "$corpus" "$ROOT/fuzz/seeds/$target" </dev/null >"$log" 2>&1 &
    FUZZ_PID=$!
    while kill -0 "$FUZZ_PID" 2>/dev/null; do
        sleep 1
        if ((SECONDS - began >= 30 && (SECONDS - began) % 30 == 0)); then
            fuzz_line "$target" "$(($(fuzz_inputs "$target") - before))" 0
        fi
    done
    await_end "$FUZZ_PID" || code=$?
    FUZZ_PID=''
    fuzz_line "$target" "$(($(fuzz_inputs "$target") - before))" "$((code != 0))"
    ((code != 0)) || return 0
    grep -a -B 1 -A 6 -m 1 -E 'panicked at|ERROR: libFuzzer' "$log" | sed 's/^/    /' || true
    line=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
    if [[ -n $line ]]; then
        say "    again:    $FUZZ_BUILT/$target $line"
        say "    smaller:  $FUZZ_BUILT/$target -minimize_crash=1 -max_total_time=60 -exact_artifact_path=$line.min $line"
    fi
    return 1
}

# Prints a target's progress, from the last lines of libFuzzer's output.
fuzz_line() { # TARGET NEW FOUND
    local log=$ROOT/target/fuzz/$1.log runs coverage
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p; s/^#\([0-9]\{1,\}\)[^0-9].*/\1/p' "$log" | tail -n 1)
    coverage=$(sed -n 's/^#.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    printf '%-15s %9s executions, coverage %6s, %5s new inputs, %s found\n' "$1" "${runs:-0}" "${coverage:-0}" "$2" "$3"
}

fuzz_inputs() { # TARGET
    find "$ROOT/fuzz/corpus/$1" -type f | wc -l
}

cmd_fuzz() {
    local minutes=1 found=0 target
    local -a targets=()
    while (($#)); do
        case $1 in
        --minutes)
            [[ ${2-} =~ ^[1-9][0-9]{0,4}$ ]] || die --code 64 "--minutes takes a whole number of minutes, from 1 on"
            minutes=$2
            shift
            ;;
        *)
            [[ " $FUZZ_TARGETS " == *" $1 "* ]] || die --code 64 "fuzz does not know '$1'; its targets: $FUZZ_TARGETS"
            targets+=("$1")
            ;;
        esac
        shift
    done
    # shellcheck disable=SC2206 # words are meant
    ((${#targets[@]})) || targets=($FUZZ_TARGETS)
    need_fuzz
    build_fuzz
    FUZZ_PID=''
    trap '[[ -z $FUZZ_PID ]] || kill "$FUZZ_PID" 2>/dev/null || true' EXIT
    for target in "${targets[@]}"; do
        run_fuzz "$target" "$((minutes * 60))" || found=$((found + 1))
    done
    ((found == 0)) || die "$found of ${#targets[@]} targets found something; what they found is in fuzz/artifacts"
    say "fuzz: nothing found in $minutes min of each of ${#targets[@]} targets"
}
