# shellcheck shell=bash
# The commands of ./dev-env.sh that check and measure.

cmd_test() {
    case ${1-} in
    --docker)
        shift
        need_docker test
        e2e_ docker "$@"
        return
        ;;
    --production)
        shift
        [[ $# -ne 0 ]] || {
            check_production
            return
        }
        ;;
    --slow)
        shift
        [[ $# -ne 0 ]] || {
            test_slow
            return
        }
        ;;
    esac
    [[ $# -eq 0 ]] || die --code 64 "test does not know '$1'; usage: ./dev-env.sh test [--slow | --production | --docker [--image]]"
    test_all
}

# Runs what takes too long for every change: all tests, 100,000 random requests to the sandbox, 200 kills of a process that writes,
# three processes with 3,000 servers, every fault, and the soak: 25 reloads, whose result comes soon, and an hour of them.
test_slow() {
    test_all
    SANDBOX_REQUESTS=100000 cargo_ test -p sandbox -p workspace-hack --test sandbox api::anything -- --nocapture ||
        die "the sandbox did not take 100,000 random requests; the one that it did not, and how to send it again, is above"
    DATABASE_KILLS=200 cargo_ test -p database -p workspace-hack --test database kills:: -- --nocapture ||
        die "a bot that was killed 200 times has lost something that it had acknowledged, or ran a timer twice; what it was is above"
    SCALE=large cargo_ test -p bot -p workspace-hack --test process scale:: -- --nocapture ||
        die "of three processes with 12 shards and 3,000 servers, one was not replaced, or an event was handled twice; it is above"
    e2e_ faults
    e2e_ soak --reloads 25
    e2e_ soak --minutes 60
}

# Fails if a manifest was changed without its lock file: the build would use other versions than those committed.
check_lock() {
    cargo_ metadata --locked --format-version 1 >/dev/null ||
        die "Cargo.lock does not fit the manifests; run cargo build, and commit both"
    local other
    other=$(other_versions "$ROOT/Cargo.lock" "$ROOT/fuzz/Cargo.lock")
    [[ -z $other ]] ||
        die "fuzz/Cargo.lock has other versions than Cargo.lock: ${other//$'\n'/, }; run cp Cargo.lock fuzz/ and ./dev-env.sh fuzz, and commit both"
}

# Prints the crates in LOCK whose version differs from the one in OTHER-LOCK; crates in one file only are skipped.
other_versions() { # LOCK OTHER-LOCK
    awk '
        /^name = / { name = $3 }
        /^version = "/ && FNR == NR { known[name] = 1; has[name $3] = 1 }
        /^version = "/ && FNR != NR && known[name] && !has[name $3] { gsub(/"/, "", name); gsub(/"/, "", $3); print name " " $3 }
    ' "$1" "$2"
}

# Checks dependencies against deny.toml: licences and sources, and advisories if their list can be downloaded.
cmd_deny() {
    need_rust
    if ! cargo deny --version >/dev/null 2>&1; then
        note "cargo-deny is not installed, so licences, sources and advisories of dependencies are not checked; cargo install --locked cargo-deny brings it"
        return
    fi
    cargo_ deny --locked check licenses bans sources || die "a dependency does not fit deny.toml; cargo deny's words are above"
    if cargo_ deny --locked fetch >/dev/null 2>&1; then
        cargo_ deny --locked check advisories || die "a dependency has an advisory; cargo deny's words are above"
    else
        note "The list of advisories cannot be fetched here, so dependencies are not compared with it."
    fi
}

processors() { getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2; }

test_all() {
    need_rust
    # A plugin that was just created is not in the lock file yet. In CI, what is committed must be.
    [[ -z ${CI-} ]] || check_lock
    build_host
    local packages failed=''
    # Tests wait for hosts, compilers and timers as often as they compute.
    export RUST_TEST_THREADS=${RUST_TEST_THREADS-$(($(processors) * 3 / 2))}
    cargo_ test --workspace --no-fail-fast || failed=1
    # What the bot has for hot reload alone is compiled and tested with that feature only.
    host_packages
    cargo_ test "${packages[@]}" --bin hotcord || failed=1
    # The packages for tests of other people's bots, where Python and Node.js are.
    SANDBOX_BIN=$SANDBOX_PROGRAM "$ROOT/crates/sandbox/clients/test-packages" || failed=1
    (test_page) || failed=1
    [[ -z $failed ]] || die "some tests failed; their output is above"
}

# Compares the sandbox's page with its sources, and tests it in a browser.
test_page() {
    local page=$ROOT/crates/sandbox/page missing=''
    [[ $(node --version 2>/dev/null | tr -d v | cut -d. -f1) -ge 20 ]] 2>/dev/null || missing="Node.js 20"
    command -v npm >/dev/null 2>&1 || missing="${missing:+$missing, }npm"
    [[ -x ${CHROMIUM:-/usr/bin/chromium} ]] || missing="${missing:+$missing, }Chromium"
    if [[ $missing ]]; then
        note "The sandbox's page is not tested in a browser, because $missing is missing (Debian: apt-get install nodejs npm chromium)."
        return
    fi
    if [[ $page/package-lock.json -nt $page/node_modules/.package-lock.json ]]; then
        note "npm brings what the page is built and tested with."
        (cd "$page" && npm ci --ignore-scripts --no-audit --no-fund --silent) ||
            die "npm could not install the packages of crates/sandbox/page/package-lock.json"
    fi
    # Bots of other libraries, which the page drives. The one of serenity is an example of the workspace.
    "$ROOT/crates/sandbox/clients/run" --prepare discord.js discord.py || [[ -z ${CI-} ]] || die "the bots that the page drives could not be prepared"
    cargo_ build --quiet --workspace -p plain-poise --example serenity-client
    (cd "$page" && npm run --silent check && SANDBOX_PROGRAM=$SANDBOX_PROGRAM npm test --silent) ||
        die "the sandbox's page does not pass its tests; their output is above"
}

# Checks that the production build contains nothing of hot reload, in its dependency tree and in the binary, built as in the
# Dockerfile. The tests check the tree too, and the debug binary.
check_production() {
    local found
    need_rust
    note "Building what is shipped, optimised: some minutes ..."
    RUSTFLAGS="${RUSTFLAGS-} --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src=crates" \
        cargo_ build --profile production -p bot
    found=$(cargo_ tree -p bot -e normal,build --prefix none |
        awk '{ print $1 }' | sort -u | { grep --fixed-strings --line-regexp --file="$ROOT/scripts/development-crates.txt" || true; } | tr '\n' ' ')
    [[ -z $found ]] || die "the production build depends on: $found"
    say "production: nothing of scripts/development-crates.txt in the dependency tree"
    cargo_ build -p e2e -p workspace-hack
    in_group target/debug/e2e contents target/production/hotcord
}

cmd_check() {
    need_rust
    check_lock
    cargo_ fmt --all --check
    local features
    for features in "" "--features bot/hmr" "--no-default-features --features bot/hmr" "--features bot/sandbox"; do
        note "clippy $features"
        # shellcheck disable=SC2086 # words are meant
        cargo_ clippy --workspace --all-targets --quiet $features -- -D warnings
    done
    if command -v shellcheck >/dev/null 2>&1; then
        (cd "$ROOT" && shellcheck dev-env.sh scripts/*.sh scripts/bin/* .ci/run crates/sandbox/clients/test-packages)
    else
        note "shellcheck is not installed, so dev-env.sh itself was not checked"
    fi
    cmd_deny
    test_all
    check_production
    RUSTDOCFLAGS="-D warnings" cargo_ doc --workspace --no-deps --quiet
    say "check: all green"
}

# Generates the pages that `test` compares with the code.
cmd_docs() {
    need_rust
    UPDATE_DOCS=1 cargo_ test --quiet -p bot --test plugins commands_doc >/dev/null ||
        die "docs/commands.md was not written; UPDATE_DOCS=1 cargo test -p bot --test plugins commands_doc says why"
    UPDATE_DOCS=1 cargo_ test --quiet -p bot --bin hotcord metrics::tests >/dev/null ||
        die "docs/metrics.md was not written; UPDATE_DOCS=1 cargo test -p bot --bin hotcord metrics::tests says why"
    UPDATE_DOCS=1 cargo_ test --quiet -p sandbox -p workspace-hack --test sandbox parity::the_page >/dev/null ||
        die "docs/parity.md was not written; UPDATE_DOCS=1 cargo test -p sandbox --test sandbox parity::the_page says why"
    say "docs/commands.md, docs/metrics.md and docs/parity.md are written from the code"
}

# Runs a program of the e2e on the development host.
e2e_() {
    build_host
    cargo_ build -p e2e -p workspace-hack
    in_group target/debug/e2e "$@"
}

cmd_smoke() { e2e_ smoke "$@"; }
cmd_bench() {
    if [[ ${1-} == --build ]]; then
        shift
        bench_build "$@"
    elif [[ ${1-} == --sandbox ]]; then
        shift
        bench_sandbox "$@"
    elif [[ ${1-} == --database ]]; then
        [[ $# -eq 1 ]] || die --code 64 "bench --database takes nothing more; got '$2'"
        need_rust
        note "Building the benchmark, optimised; the first time takes some minutes ..."
        cargo_ run --release --quiet -p database --example rate
    elif [[ " $* " == *" --dispatch "* ]]; then
        # The sandbox inside has to keep up with an optimised bot.
        build_host
        note "Building the benchmark, optimised; the first time takes some minutes ..."
        cargo_ build --release -p e2e
        in_group target/release/e2e bench "$@"
    else
        e2e_ bench "$@"
    fi
}
cmd_faults() { e2e_ faults "$@"; }
cmd_soak() { e2e_ soak "$@"; }
cmd_bench_music() { e2e_ play "$@"; }
cmd_drip() { e2e_ drip "$@"; }

compose_version() { (need_compose && "${COMPOSE[@]}" version --short); }

# Returns whether VERSION is LEAST or newer; dots and dashes separate numbers.
is_since() { # VERSION LEAST
    local -a has wants
    IFS=.- read -ra has <<<"$1"
    IFS=.- read -ra wants <<<"$2"
    local at
    for at in 0 1 2; do
        local one=${has[at]:-0} other=${wants[at]:-0}
        [[ $one =~ ^[0-9]+$ ]] || one=0
        ((10#$one == 10#$other)) || {
            ((10#$one > 10#$other))
            return
        }
    done
}

# Prints which yt-dlp is installed, and its JavaScript runtime for YouTube. The rule is the bot's own, in source/ytdlp/runtime.rs
# of crates/player, which names the source of the versions.
doctor_yt_dlp() {
    local program version known name asked least old=''
    program=$(configured YT_DLP)
    program=${program:-yt-dlp}
    if ! version=$("$program" --ignore-config --version 2>/dev/null </dev/null | head -n 1) || [[ -z $version ]]; then
        printf '  missing  %-14s pages cannot be played, nor searched elsewhere\n' yt-dlp
        return 1
    fi
    printf '  ok       %-14s %s\n' yt-dlp "$version"
    for known in deno:--version:2.3.0 node:--version:22.0.0 qjs:--help:2023.12.9 bun:--version:1.2.11; do
        IFS=: read -r name asked least <<<"$known"
        # QuickJS prints its version with its help, and exits with an error.
        version=$({ "$name" "$asked" 2>/dev/null </dev/null || true; } | grep -oE '[0-9]+([.-][0-9]+)+' | head -n 1) || continue
        # QuickJS-ng, a fork, has its own version numbers; all of them are new enough.
        if is_since "$version" "$least" || { [[ $name == qjs ]] && ! is_since "$version" 1000; }; then
            printf '  ok       %-14s %s %s\n' "JavaScript" "$name" "$version"
            return
        fi
        old=${old:-$name $version is too old; }
    done
    printf '  missing  %-14s %sinstall Deno 2.3 or Node.js 22, without which YouTube lacks formats\n' "JavaScript" "$old"
    return 1
}

cmd_doctor() {
    local bad=0 engine=''
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
    say "For Docker:"
    if check engine docker version --format '{{.Server.Version}}'; then
        if check Compose compose_version; then engine=1; else (need_compose) || true; fi
    fi
    say "Without Docker (--local):"
    check "C compiler" cc --version || bad=1
    check rustc rustc --version || bad=1
    check cargo cargo --version || bad=1
    check libopus pkg-config --modversion opus || bad=1
    say "For all of ./dev-env.sh test (the packages for pytest and vitest, the page in a browser):"
    check Python python3 --version || true
    check Node.js node --version || true
    check Chromium "${CHROMIUM:-/usr/bin/chromium}" --version || true
    say "For ./dev-env.sh check:"
    check rustfmt rustfmt --version || true
    check clippy cargo clippy --version || true
    check shellcheck shellcheck --version || true
    say "For /play with pages and searches:"
    doctor_yt_dlp || true
    find_bot
    say "State:"
    case $WHERE in
    docker) say "  a bot of this folder runs in Docker" ;;
    local) say "  a bot of this folder runs on this machine" ;;
    *) say "  no bot of this folder is running" ;;
    esac
    if [[ $WHERE != docker ]]; then
        if [[ -x $HOST_TARGET/debug/hotcord ]]; then say "  the development host is built"; else say "  the development host is not built yet"; fi
        if sandbox_runs; then say "  a sandbox is running"; else say "  no sandbox is running"; fi
    fi
    if [[ -n $(configured DISCORD_TOKEN)$(configured DISCORD_TOKEN_FILE) ]]; then
        say "  DISCORD_TOKEN is set: the bot talks to Discord"
    else
        say "  DISCORD_TOKEN is not set: the bot talks to the sandbox"
    fi
    if [[ $(uname -s) == Linux && -r /proc/sys/fs/inotify/max_user_watches ]]; then
        say "  inotify watches allowed: $(cat /proc/sys/fs/inotify/max_user_watches)"
    fi
    [[ $bad == 0 || $engine ]] || die --code 69 "something needed is missing; ./dev-env.sh hmr --local installs Rust, your system's packages bring the C compiler, pkg-config and libopus; Docker needs none of them"
}
