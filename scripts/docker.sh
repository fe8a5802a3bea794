# shellcheck shell=bash
# shellcheck disable=SC2119,SC2120 # dev-env.sh passes the arguments
# The commands of ./dev-env.sh for a bot in Docker; docker-compose.dev.yml describes the containers.

COMPOSE_YML=$ROOT/docker-compose.dev.yml
# Exists while a bot of this folder runs in Docker, also if it exited and was not stopped.
DOCKER_MARK=$STATE/docker

# One project for each clone, whatever its folder is called.
docker_project() {
    printf 'hotcord-%s' "$(printf '%s' "$ROOT" | cksum | cut -d ' ' -f 1)"
}

# ---- requirements -----------------------------------------------------------

need_engine() { # WORD
    local said without
    case $1 in
    test) without="; ./dev-env.sh test alone needs none" ;;
    down | ps | logs) without='' ;;
    *) without=", or do without: ./dev-env.sh $1 --local" ;;
    esac
    command -v docker >/dev/null 2>&1 ||
        die --code 69 "Docker is not installed; get it from https://docs.docker.com/get-docker$without"
    if said=$(docker version --format '{{.Server.Version}}' 2>&1); then return 0; fi
    case $said in
    *'permission denied'*)
        die --code 69 "Docker refuses this user; 'sudo usermod -aG docker $(id -un)' and a new login let it in$without"
        ;;
    esac
    die --code 69 "the Docker engine does not answer; start it (Linux: sudo systemctl start docker, macOS and Windows: open Docker Desktop)$without"
}

# Finds Compose: the plugin, or the older program.
need_compose() {
    local version
    if docker compose version >/dev/null 2>&1; then
        COMPOSE=(docker compose)
        return 0
    fi
    command -v docker-compose >/dev/null 2>&1 ||
        die --code 69 "Docker Compose is not installed; get it from https://docs.docker.com/compose/install"
    version=$(docker-compose version --short 2>/dev/null) || version=
    case $version in
    1.2[89].* | 2.* | v2.* | [3-9].* | v[3-9].*) COMPOSE=(docker-compose) ;;
    *) die --code 69 "docker-compose ${version:-of unknown version} is too old; get 1.28 or later, best the plugin: https://docs.docker.com/compose/install" ;;
    esac
}

# Prints a base image from base-images.env by its digest, or by its tag alone if Docker has an image of that tag here: one that was
# made or loaded on this machine may be in no registry.
base_image() { # VARIABLE
    local image
    image=$(sed -n "s/^$1=//p" "$ROOT/scripts/base-images.env")
    if docker image inspect "${image%@*}" >/dev/null 2>&1; then image=${image%@*}; fi
    printf '%s' "$image"
}

# Sets the containers' user and image.
docker_variables() {
    HOTCORD_UID=$(id -u) HOTCORD_GID=$(id -g)
    # In rootless Docker, the container's root is the user.
    case $(docker info --format '{{.SecurityOptions}}' 2>/dev/null) in
    *name=rootless*) HOTCORD_UID=0 HOTCORD_GID=0 ;;
    esac
    [[ -n ${RUST_IMAGE-} ]] || RUST_IMAGE=$(base_image RUST_IMAGE)
    # One image for each content of the Dockerfile and each base image.
    HOTCORD_IMAGE=$( (cat "$ROOT/Dockerfile.dev" && printf '%s' "$RUST_IMAGE") | cksum | cut -d ' ' -f 1)
    if [[ ${SANDBOX_PORT-} == 0 ]]; then export SANDBOX_PORT=; fi
    export HOTCORD_UID HOTCORD_GID HOTCORD_IMAGE RUST_IMAGE
}

need_docker() { # WORD
    need_engine "$1"
    need_compose
    docker_variables
}

# Runs Compose on this folder's project, without .env: the bot reads that in the mounted sources.
compose() {
    mkdir -p "$STATE"
    : >"$STATE/compose.env"
    "${COMPOSE[@]}" --project-name "$(docker_project)" --project-directory "$ROOT" --env-file "$STATE/compose.env" \
        --file "$COMPOSE_YML" "$@"
}

# ---- inspecting -------------------------------------------------------------

# Prints the id of a service's container: a running one, or with --all also one that exited.
container() { # SERVICE [--all]
    docker ps ${2:+"$2"} --quiet --no-trunc --filter "label=com.docker.compose.project=$(docker_project)" \
        --filter "label=com.docker.compose.service=$1" --filter "label=com.docker.compose.oneoff=False" 2>/dev/null |
        head -n 1
}

docker_runs() {
    [[ -e $DOCKER_MARK ]] && command -v docker >/dev/null 2>&1 && [[ -n $(container bot) ]]
}

# Prints the containers' logs, until Ctrl-C if they run.
docker_logs() { # OPTIONS of `docker logs`
    local id sandbox follower=''
    id=$(container bot --all) sandbox=$(container sandbox --all)
    [[ -n $id ]] || die --code 69 "$NO_BOT"
    [[ -n $(container bot) ]] || note "The bot has ended, with exit code $(docker_exit_code "$id"); ./dev-env.sh down clears up. It said:"
    if [[ -n $sandbox ]]; then
        docker logs --follow "$@" "$sandbox" &
        follower=$!
    fi
    docker logs --follow "$@" "$id" || true
    [[ -z $follower ]] || kill "$follower" 2>/dev/null || true
}

docker_exit_code() { # CONTAINER
    docker inspect --format '{{.State.ExitCode}}' "$1" 2>/dev/null || printf 1
}

# Runs a program in the bot's container, on this terminal if there is one.
docker_exec() {
    local tty=()
    if [[ -t 0 && -t 1 ]]; then tty=(--tty); fi
    docker exec --interactive ${tty[@]+"${tty[@]}"} "$(container bot)" "$@"
}

# Runs a command of the dev-env.sh in the bot's container.
docker_words() {
    local open=$STATE/open.$$ code=0
    # With a terminal, Ctrl-C reaches the command.
    if [[ -t 0 && -t 1 ]]; then
        docker exec --interactive --tty "$(container bot)" ./dev-env.sh "$@"
        return
    fi
    # Without one, Docker passes no signals on. Instead, the command ends when its input ends. Nothing is ever written to that
    # input, and it ends with this program.
    mkfifo "$open"
    exec 9<>"$open"
    rm -f "$open"
    docker exec --interactive "$(container bot)" ./dev-env.sh service attended "$@" <&9 || code=$?
    exec 9>&-
    return "$code"
}

# ---- running ----------------------------------------------------------------

docker_build() { # [--no-cache]
    # Otherwise Docker would create the mount points of its volumes, as root.
    mkdir -p "$STATE" "$ROOT/target"
    note "Building the image of the development containers ..."
    compose build "$@" bot >&2 || die "the image does not build; Docker's words are above"
}

docker_image() {
    mkdir -p "$STATE" "$ROOT/target"
    docker image inspect "hotcord-dev:$HOTCORD_IMAGE" >/dev/null 2>&1 || docker_build
}

# Starts the containers in the background. On a signal it stops them and exits; after it has returned, a signal sets TOLD.
docker_start() { # hmr|dev
    local services=(bot) log=$STATE/docker.log code=0 said
    docker_image
    if needs_sandbox; then
        services=(sandbox bot)
        tell_of_sandbox
    else
        say "The bot talks to the Discord that your DISCORD_TOKEN and DISCORD_API_URL name."
    fi
    TOLD=''
    trap 'TOLD=130' INT TERM HUP
    docker_project >"$DOCKER_MARK"
    # Recreated, because a container that exited would continue its old log.
    HOTCORD_MODE=$1 compose up --detach --no-build --no-deps --force-recreate "${services[@]}" >"$log" 2>&1 || code=$?
    if [[ -n $TOLD ]]; then
        trap '' INT TERM HUP
        docker_down
        exit "$TOLD"
    fi
    [[ $code != 0 ]] || return 0
    # Stopping the containers writes to the same file.
    said=$(cat "$log")
    case $said in
    *'already allocated'* | *'already in use'*)
        docker_down
        die --code 75 "port ${SANDBOX_PORT-8787} of this machine is taken, perhaps by another sandbox; choose another: SANDBOX_PORT=8788 ./dev-env.sh $1 (0: any that is free)"
        ;;
    esac
    note "$said"
    docker_down
    die "Docker could not start the containers; its words are above"
}

# Stops the containers, the bot before its sandbox; volumes are kept.
docker_down() { # [--volumes]
    if ! compose down --remove-orphans "$@" >"$STATE/docker.log" 2>&1; then
        cat "$STATE/docker.log" >&2
        die "Docker could not end the containers; its words are above"
    fi
    rm -f "$DOCKER_MARK"
}

# Runs in the foreground with the bot's log, and returns the bot's exit code.
docker_run() { # hmr|dev
    local code id sandbox bot_log sandbox_log='' waiter
    docker_start "$1"
    # The bot may have exited already.
    id=$(container bot --all) sandbox=$(container sandbox --all)
    # In their own process groups, so that Ctrl-C does not stop them before the bot has shut down.
    set -m
    if [[ -n $sandbox ]]; then
        docker logs --follow "$sandbox" 2>&1 &
        sandbox_log=$!
    fi
    docker logs --follow "$id" 2>&1 &
    bot_log=$!
    docker wait "$id" >/dev/null 2>&1 &
    waiter=$!
    set +m
    trap 'kill "$waiter" 2>/dev/null || true' INT TERM HUP
    [[ -z $TOLD ]] || kill "$waiter" 2>/dev/null || true
    note "It starts in Docker (the first time takes some minutes); Ctrl-C ends it."
    await_end "$waiter" || true
    trap '' INT TERM HUP
    # The bot is stopped now, or has exited by itself.
    docker stop --time 15 "$id" >/dev/null 2>&1 || true
    code=$(docker_exit_code "$id")
    wait "$bot_log" 2>/dev/null || true
    docker_down
    [[ -z $sandbox_log ]] || kill "$sandbox_log" 2>/dev/null || true
    trap - INT TERM HUP
    return "$code"
}

docker_up() {
    docker_start hmr
    trap - INT TERM HUP
    tell_of_up
}

docker_shell() {
    if docker_runs; then
        docker_exec bash
    else
        docker_image
        compose run --rm --no-deps bot bash
    fi
}

# ---- inside the containers --------------------------------------------------

# The command that docker-compose.dev.yml runs in the containers.
cmd_service() {
    case ${1-} in
    hmr) run_local ENABLE_HMR=true ;;
    dev)
        unset ENABLE_HMR
        run_local HOTCORD_PLAIN=1
        ;;
    sandbox) serve_sandbox ;;
    attended)
        shift
        carry_out_attended "$@"
        ;;
    *) die --code 64 "service is what docker-compose.dev.yml calls; use ./dev-env.sh hmr" ;;
    esac
}

# Runs a command for a caller outside the container, and ends when the input ends.
carry_out_attended() {
    local code=0 work attendant
    set -m
    "$ROOT/dev-env.sh" "$@" </dev/null &
    work=$!
    set +m
    { while read -r _; do :; done && kill -TERM -- "-$work"; } <&0 >/dev/null 2>&1 &
    attendant=$!
    wait "$work" || code=$?
    kill "$attendant" 2>/dev/null || true
    return "$code"
}

serve_sandbox() {
    if ! needs_sandbox; then
        say "DISCORD_TOKEN or DISCORD_API_URL is set, so no sandbox is needed."
        return 0
    fi
    rm -f "$SANDBOX_STATE"
    build_host
    # Listens on the container's whole network, of which Docker publishes one port on the host's loopback. Warnings and errors go to
    # the container's log; the greeting, which is for a start by hand, does not.
    exec "$SANDBOX_PROGRAM" "${SANDBOX_SERVE[@]}" --listen 0.0.0.0:8787 --public-url "http://$HOTCORD_SANDBOX" >"$STATE/sandbox.log"
}

# Waits for the sandbox in the other container, which may still be building.
await_sandbox() {
    until sandbox_runs; do
        getent hosts "${HOTCORD_SANDBOX%:*}" >/dev/null ||
            die --code 69 "the sandbox's container has ended; its last words are above"
        sleep 0.2
    done
    # Files attached by its users are played from another machine's address, the sandbox's.
    local own
    own=$(configured MEDIA_ALLOW_HOSTS)
    export MEDIA_ALLOW_HOSTS=${own:+$own,}$HOTCORD_SANDBOX
}

# Returns whether the sandbox in the other container is reachable.
sandbox_listens() {
    (exec 3<>"/dev/tcp/${HOTCORD_SANDBOX%:*}/${HOTCORD_SANDBOX#*:}") 2>/dev/null
}
