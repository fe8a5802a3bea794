# The production image: one binary with the bot and its plugins, without hot reload, build tools and debug information.
#
#   docker build --target bot -t hotcord .                          the bot
#   docker build --target bot --build-arg YT_DLP=1 -t hotcord .     with yt-dlp, for pages and searches
#   docker build --target sandbox -t sandbox .                      the local Discord, to try the bot on
#
# RUNTIME_IMAGE can be any Debian or Ubuntu with the same C library or a newer one.
ARG RUST_IMAGE=rust:1.95-bookworm
ARG RUNTIME_IMAGE=debian:bookworm-slim

FROM ${RUST_IMAGE} AS toolchain
# libopus is linked statically; pkg-config would name the shared library.
RUN apt-get update \
 && apt-get install -y --no-install-recommends libopus-dev pkg-config \
 && rm -rf /var/lib/apt/lists/* \
 && mkdir -p /opus/lib \
 && ln -s "$(pkg-config --variable=libdir opus)/libopus.a" /opus/lib
ENV OPUS_STATIC=1 OPUS_NO_PKG=1 OPUS_LIB_DIR=/opus
# Use exactly this image's toolchain, and keep its paths out of panic messages.
ENV RUSTUP_TOOLCHAIN=${RUST_VERSION} RUSTFLAGS="--remap-path-prefix=/usr/local/cargo/registry/src=crates"
ENV CARGO_TERM_PROGRESS_WHEN=never
WORKDIR /src

# The workspace's manifests, with empty sources. An edit of a source does not change this stage, so the dependencies built from
# it stay in the cache until a manifest changes.
FROM toolchain AS manifests
COPY . /sources
RUN cd /sources \
 && find . -type f '(' -name Cargo.toml -o -name Cargo.lock -o -path './.cargo/*' ')' -print0 \
    | tar -c --null -T - | tar -x -C /src \
 && find /src -name Cargo.toml -exec sed -i '/^\[\[test\]\]/,/^$/d' {} + \
 && for file in $(find . -path '*/src/main.rs' -o -name build.rs -o -name lib.rs); do \
      mkdir -p "/src/${file%/*}" \
   && case $file in */lib.rs) ;; *) echo 'fn main() {}' ;; esac > "/src/$file"; \
    done

FROM toolchain AS dependencies
COPY --from=manifests /src /src
RUN cargo build --locked --profile production -p bot

FROM dependencies AS build
COPY . /src
# The sources must be newer than the build of the empty ones.
RUN find bot commands crates events -name '*.rs' -exec touch {} + \
 && cargo build --locked --profile production -p bot \
 && mkdir -p /image/bin /image/state \
 && cp target/production/hotcord /image/bin

FROM ${RUNTIME_IMAGE} AS runtime
# Any value installs yt-dlp, its scripts and the JavaScript runtime for YouTube, with the versions and hashes in scripts/yt-dlp.txt.
ARG YT_DLP=
COPY scripts/yt-dlp.txt /tmp/
RUN test -z "$YT_DLP" || { \
      apt-get update \
   && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv \
   && python3 -m venv /opt/yt-dlp \
   && /opt/yt-dlp/bin/pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes -r /tmp/yt-dlp.txt \
   && ln -s /opt/yt-dlp/bin/yt-dlp /opt/yt-dlp/bin/deno /usr/local/bin/ \
   && rm -rf /var/lib/apt/lists/*; } \
 && rm /tmp/yt-dlp.txt

FROM runtime AS bot
COPY --from=build /image/bin /usr/local/bin
COPY --from=build --chown=65532:65532 /image/state /var/lib/hotcord
ENV APP_ENV=production STATE_FILE=/var/lib/hotcord/state.json
WORKDIR /var/lib/hotcord
USER 65532:65532
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["hotcord", "health"]
ENTRYPOINT ["hotcord"]
# Version of the workspace, and the commit that was built.
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Hotcord" \
      org.opencontainers.image.description="A Discord bot in Rust whose commands reload while it runs, as production has it: without." \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# The sandbox, a local Discord. Other containers reach it by its name in the network.
FROM toolchain AS sandbox-dependencies
COPY --from=manifests /src /src
RUN cargo build --locked --release -p sandbox

FROM sandbox-dependencies AS sandbox-build
COPY . /src
RUN find crates -name '*.rs' -exec touch {} + \
 && cargo build --locked --release -p sandbox \
 && mkdir -p /image/bin \
 && cp target/release/sandbox /image/bin \
 && strip /image/bin/sandbox

FROM ${RUNTIME_IMAGE} AS sandbox
COPY --from=sandbox-build /image/bin /usr/local/bin
USER 65532:65532
EXPOSE 8787
# The sandbox's secrets, for `docker exec CONTAINER sandbox say /ping`. In a read-only container, /tmp is in memory.
ENV SANDBOX_STATE_FILE=/tmp/sandbox/state.json
HEALTHCHECK --interval=10s --timeout=5s CMD ["sandbox", "--url", "http://127.0.0.1:8787", "users"]
ENTRYPOINT ["sandbox"]
CMD ["serve", "--listen", "0.0.0.0:8787", "--public-url", "http://sandbox:8787"]
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Sandbox" \
      org.opencontainers.image.description="A local Discord: REST v10, gateway, voice, and users who run commands." \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# The default target.
FROM bot
