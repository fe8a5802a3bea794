# shellcheck shell=bash
# Building on this machine or in a container: requirements, and cargo.

need_cc() {
    command -v cc >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1 || command -v clang >/dev/null 2>&1 ||
        die --code 69 "no C compiler is found, and Rust links with one; install it (Debian: apt-get install build-essential, macOS: xcode-select --install)"
}

# Voice needs libopus, found through pkg-config.
need_opus() {
    if command -v pkg-config >/dev/null 2>&1 && pkg-config --exists opus; then
        return 0
    fi
    # A container, or a fresh CI machine.
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

# Installs Rust through rustup, which then follows rust-toolchain.toml.
need_rust() {
    local answer
    if [[ -d ${CARGO_HOME:-$HOME/.cargo}/bin ]]; then
        PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
        export PATH
    fi
    if ! command -v cargo >/dev/null 2>&1; then
        command -v curl >/dev/null 2>&1 ||
            die --code 69 "Rust is not installed, and neither is curl to fetch it; install curl, or Rust from https://rustup.rs"
        if [[ ! -t 0 || ! -t 2 ]] && [[ -z ${HOTCORD_INSTALL_RUST-} ]]; then
            die --code 69 "Rust is not installed, and there is no terminal to ask whether it may be; set HOTCORD_INSTALL_RUST=1 to have rustup bring it, or install it from https://rustup.rs"
        fi
        note "Rust is not installed; rustup (https://rustup.rs) brings it into ${CARGO_HOME:-$HOME/.cargo}."
        if [[ -z ${HOTCORD_INSTALL_RUST-} ]]; then
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

# Runs cargo, without the token: build scripts and macros of every dependency run in it.
cargo_() { in_group cargo "$@"; }

# Runs a program in its own process group, without secrets. On a signal, the script ends the whole group and exits.
in_group() { # PROGRAM [ARGUMENT...]
    local code=0
    CARGO_PID='' TOLD=''
    trap 'end_cargo 130' INT
    trap 'end_cargo 143' TERM
    trap 'end_cargo 129' HUP
    set -m
    (cd "$ROOT" && unset DISCORD_TOKEN DATABASE_URL && exec "$@") &
    CARGO_PID=$!
    set +m
    [[ -z $TOLD ]] || end_cargo "$TOLD"
    await_end "$CARGO_PID" || code=$?
    trap - INT TERM HUP
    [[ -z $TOLD ]] || exit "$TOLD"
    return "$code"
}

end_cargo() { # CODE
    TOLD=$1
    [[ -z $CARGO_PID ]] || kill -TERM -- "-$CARGO_PID" 2>/dev/null || true
}

# Sets `packages` to cargo's options that select the development host, the sandbox and the plugins.
#
# They are selected in one call, here and in the reload engine: cargo unifies the features of shared dependencies across the
# selected packages, and host and plugins must agree on them.
host_packages() {
    local manifest folder
    packages=(-p bot -p sandbox -p workspace-hack)
    for manifest in "$ROOT"/commands/*/Cargo.toml "$ROOT"/events/*/Cargo.toml; do
        [[ -f $manifest ]] || continue
        folder=${manifest%/Cargo.toml}
        packages+=(-p "$(basename "${folder%/*}")-$(basename "$folder")")
    done
    packages+=(--no-default-features --features bot/hmr)
}

# Builds the development host and the sandbox: quiet when there is nothing to do, cargo's own progress when there is.
#
# If a plugin does not compile, the bot starts without it; a save that fixes the plugin loads it.
build_host() {
    local host=$HOST_TARGET/debug/hotcord packages
    need_rust
    host_packages
    if ! cargo_ build --keep-going --target-dir "$HOST_TARGET" "${packages[@]}"; then
        if [[ ! -x $host || -n $(find "$ROOT/bot" "$ROOT/crates" -name '*.rs' -newer "$host" | head -n 1) ]] ||
            # Not the fault of one plugin: an unreadable manifest, or a missing dependency.
            ! cargo_ metadata --format-version 1 >/dev/null 2>&1; then
            die "the bot does not build; cargo's words are above"
        fi
        note "Not every plugin compiles; the bot starts without those, and brings them in when they do."
    fi
}
