//! All rows of the table.

use super::foreign::Origin;
use super::plugin::{MANIFEST, Place, SHARED, SOURCE, Sabotage};
use super::row::{After, Fault, Group, Row, Scenario};
use super::scenarios;

/// Creates a row of code that never goes live.
const fn refused(name: &'static str, place: Place, sabotage: Sabotage, told: &'static [&'static str]) -> Row {
    Row { name, group: Group::Code, fault: Fault::Sabotage(place, sabotage), told, after: After::OldAnswers }
}

/// Creates a row of code that goes live and fails then.
const fn contained(
    name: &'static str,
    place: Place,
    sabotage: Sabotage,
    told: &'static [&'static str],
) -> Row {
    Row { name, group: Group::Code, fault: Fault::Sabotage(place, sabotage), told, after: After::NewAnswers }
}

/// Creates a row of code that panics on probation, so that the old code is restored.
const fn rolled_back(name: &'static str, place: Place) -> Row {
    let told = &["panicked at commands/faulty/src/lib.rs", "rolled back plugin=commands/faulty"];
    Row {
        name,
        group: Group::Code,
        fault: Fault::Sabotage(place, Sabotage::Panic),
        told,
        after: After::OldIsBack,
    }
}

/// Creates a row of code that crashes the host. The log names what was running, and the old code is restored.
const fn fatal(name: &'static str, place: Place, sabotage: Sabotage, told: &'static [&'static str]) -> Row {
    Row { name, group: Group::Code, fault: Fault::Sabotage(place, sabotage), told, after: After::HostIsBack }
}

/// Creates a row of an edit that never goes live.
const fn edited(
    name: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
    told: &'static [&'static str],
) -> Row {
    Row { name, group: Group::Code, fault: Fault::Edit { file, from, to }, told, after: After::OldAnswers }
}

/// Creates a row of a library that never goes live.
const fn library(name: &'static str, fault: Fault, told: &'static [&'static str]) -> Row {
    Row { name, group: Group::Library, fault, told, after: After::OldAnswers }
}

/// Creates a row of a scenario in one of the other groups.
const fn scenario(
    group: Group,
    name: &'static str,
    run: Scenario,
    told: &'static [&'static str],
    after: After,
) -> Row {
    Row { name, group, fault: Fault::Scenario(run), told, after }
}

/// All rows, in the order in which they are printed.
pub const ROWS: &[Row] = &[
    edited(
        "compile error",
        SOURCE,
        "async fn pulse(ctx: Context<'_>)",
        "async fn pulse(ctx: Contxt<'_>)",
        &["commands/faulty", "error=1 compile error", "cannot find type `Contxt` in this scope"],
    ),
    edited(
        "type error in a shared crate",
        SHARED,
        "= \"version\"",
        "= 7",
        &["error=1 compile error", "expected `&str`, found integer", "crates/words/src/lib.rs"],
    ),
    edited(
        "type of a shared crate changed under its users",
        SHARED,
        "&str = \"version\"",
        "&[&[u8]] = &[]",
        &["commands/faulty", "error=1 compile error"],
    ),
    edited(
        "a library to link that is not there",
        SOURCE,
        "sdk::export!(Faulty::new());",
        "#[link(name = \"nosuch\")]\nunsafe extern \"C\" {}\n\nsdk::export!(Faulty::new());",
        &["commands/faulty", "error=it does not link: library nosuch is not found; install"],
    ),
    edited(
        "a symbol that nobody defines",
        SOURCE,
        "sdk::export!(Faulty::new());",
        "unsafe extern \"C\" {\n    fn nosuch();\n}\n\n#[used]\nstatic NOSUCH: unsafe extern \"C\" fn() = nosuch;\n\n\
         sdk::export!(Faulty::new());",
        &["commands/faulty", "error=it cannot be loaded: symbol nosuch is defined nowhere; name the library"],
    ),
    edited(
        "no export",
        SOURCE,
        "sdk::export!(Faulty::new());",
        "",
        &["exports no plugin; its lib.rs needs the line `sdk::export!(YourPlugin);`"],
    ),
    edited(
        "wrong export",
        SOURCE,
        "sdk::export!(Faulty::new());",
        "#[unsafe(no_mangle)]\npub static hotcord_plugin_commands_faulty: [u64; 16] = [7; 16];",
        &["exports something else under the name hotcord_plugin_commands_faulty"],
    ),
    edited(
        "a command's name that Discord does not take",
        SOURCE,
        "#[poise::command(slash_command)]\nasync fn sabotage",
        "#[poise::command(slash_command, rename = \"Sabotage Done\")]\nasync fn sabotage",
        &["commands/faulty", "the name has to be in lower case"],
    ),
    edited(
        "a command twice",
        SOURCE,
        "vec![pulse(), ",
        "vec![pulse(), pulse(), ",
        &["/pulse is defined twice in commands/faulty"],
    ),
    edited(
        "a command of another plugin",
        SOURCE,
        "async fn sabotage(ctx",
        "async fn ping(ctx: Context<'_>) -> Result<(), Error> {\n    Ok(())\n}\n\nfn sabotage() -> Command {\n    ping()\n}\n\nasync \
         fn unused(ctx",
        &["/ping is defined by commands/faulty and by commands/general"],
    ),
    refused(
        "panic in the constructor",
        Place::Constructor,
        Sabotage::Panic,
        &["commands/faulty", "error=it panicked while its commands and subscriptions were made: as asked"],
    ),
    refused(
        "panic in commands()",
        Place::Commands,
        Sabotage::Panic,
        &["commands/faulty", "error=it panicked while its commands and subscriptions were made: as asked"],
    ),
    refused(
        "panic in subscriptions()",
        Place::Subscriptions,
        Sabotage::Panic,
        &["commands/faulty", "error=it panicked while its commands and subscriptions were made: as asked"],
    ),
    refused(
        "panic in start",
        Place::Start,
        Sabotage::Panic,
        &["commands/faulty", "error=its start hook panicked: as asked"],
    ),
    refused(
        "error from start",
        Place::Start,
        Sabotage::Error,
        &["commands/faulty", "error=its start hook failed: as asked"],
    ),
    refused(
        "endless loop in start",
        Place::Start,
        Sabotage::Loop,
        &["commands/faulty", "error=its start hook did not end within"],
    ),
    refused(
        "endless loop while loading",
        Place::Constructor,
        Sabotage::Loop,
        &["commands/faulty", "error=loading it did not end within"],
    ),
    refused(
        "abort while loading",
        Place::Constructor,
        Sabotage::Abort,
        &["commands/faulty", "error=loading it crashed the probe process (SIGABRT)"],
    ),
    refused(
        "segmentation fault while loading",
        Place::Commands,
        Sabotage::Segfault,
        &["commands/faulty", "error=loading it crashed the probe process (SIGSEGV)"],
    ),
    refused(
        "stack overflow while loading",
        Place::Subscriptions,
        Sabotage::Overflow,
        &[
            "commands/faulty",
            "error=loading it crashed the probe process (SIGABRT)",
            "has overflowed its stack",
        ],
    ),
    edited(
        "state that cannot be restored",
        SOURCE,
        "asked: u64",
        "asked: Vec<u64>",
        &[
            "commands/faulty",
            "the state of commands/faulty (version 1) does not fit the new code: asked: invalid type",
        ],
    ),
    edited(
        "panic while state is migrated",
        SOURCE,
        "// of the first shape",
        "const VERSION: u32 = 2;\n    fn migrate(_: u32, _: sdk::state::Value) -> Result<Self, Error> {\n        \
         panic!(\"as asked\")\n    }",
        &[
            "commands/faulty",
            "the state of commands/faulty cannot be migrated from version 1 to 2: it panicked: as asked",
        ],
    ),
    contained("panic in stop", Place::Stop, Sabotage::Panic, &["its stop hook panicked: as asked"]),
    contained("error from stop", Place::Stop, Sabotage::Error, &["its stop hook failed: as asked"]),
    contained(
        "endless loop in stop",
        Place::Stop,
        Sabotage::Loop,
        &["commands/faulty", "its stop hook did not end within"],
    ),
    rolled_back("panic in a command", Place::Command),
    rolled_back("panic in a listener", Place::Listener),
    rolled_back("panic in a component handler", Place::Component),
    rolled_back("panic in a timer", Place::Timer),
    rolled_back("panic in a task", Place::Task),
    scenario(
        Group::Code,
        "panic outside probation",
        scenarios::panic_outside_probation,
        &["component faulty:1 panicked at commands/faulty/src/lib.rs"],
        After::NewAnswers,
    ),
    contained(
        "error from a command",
        Place::Command,
        Sabotage::Error,
        &["a command failed plugin=commands/faulty"],
    ),
    fatal(
        "abort in a command",
        Place::Command,
        Sabotage::Abort,
        &["the host died of SIGABRT while /sabotage of commands/faulty"],
    ),
    fatal(
        "segmentation fault in a component handler",
        Place::Component,
        Sabotage::Segfault,
        &["the host died of SIGSEGV", "of commands/faulty"],
    ),
    fatal(
        "stack overflow in a listener",
        Place::Listener,
        Sabotage::Overflow,
        &["the host died of SIGABRT", "of commands/faulty"],
    ),
    scenario(
        Group::Machine,
        "host killed (kill -9)",
        scenarios::host_killed,
        &["the host died of SIGKILL"],
        After::HostIsBack,
    ),
    library(
        "truncated library",
        Fault::Spoil("truncate -s 20000 \"$library\""),
        &["commands/faulty", "error="],
    ),
    library("empty library", Fault::Spoil(": >\"$library\""), &["error=", "could not be loaded"]),
    library(
        "missing library",
        Fault::Spoil("rm \"$library\""),
        &["commands/faulty", "libcommands_faulty-build.so could not be"],
    ),
    library(
        "library of another compiler",
        Fault::Foreign(Origin::OtherCompiler),
        &["commands/faulty", "another compiler"],
    ),
    library(
        "library of another sdk",
        Fault::Foreign(Origin::OtherSdk),
        &["commands/faulty", "was built with another compiler, sdk or feature set (0123456789abcdef"],
    ),
    library(
        "library of another feature set",
        Fault::Foreign(Origin::OtherFeatures),
        &[
            "commands/faulty",
            "undefined symbol: _RNvC8sdk_core19with_other_features",
            "built against another sdk",
        ],
    ),
    scenario(
        Group::Machine,
        "disk full while building",
        scenarios::disk_full,
        &["commands/faulty", "No space left on device"],
        After::OldAnswers,
    ),
    scenario(
        Group::Machine,
        "cargo missing",
        scenarios::cargo_missing,
        &["cargo could not be run"],
        After::OldAnswers,
    ),
    scenario(
        Group::Machine,
        "rustc that cannot be started",
        scenarios::rustc_missing,
        &["rustc could not be run"],
        After::OldAnswers,
    ),
    Row {
        name: "a manifest that cargo does not take",
        group: Group::Machine,
        fault: Fault::Edit { file: MANIFEST, from: "[lib]\n", to: "[lib\n" },
        told: &["cargo failed", "commands/faulty/Cargo.toml"],
        after: After::OldAnswers,
    },
    scenario(
        Group::Machine,
        "sources deleted",
        scenarios::sources_deleted,
        &["commands/faulty", "reload failed"],
        After::OldAnswers,
    ),
    scenario(
        Group::Machine,
        "plugin's folder deleted",
        scenarios::folder_deleted,
        &["removed plugin="],
        After::NewAnswers,
    ),
    scenario(
        Group::Discord,
        "gateway closed (4000) while a swap is prepared",
        scenarios::gateway_closed,
        &[],
        After::NewAnswers,
    ),
    scenario(
        Group::Discord,
        "gateway dropped while a swap is prepared",
        scenarios::gateway_severed,
        &[],
        After::NewAnswers,
    ),
    scenario(
        Group::Discord,
        "registration answered by 400",
        scenarios::registration_400,
        &["Discord does not take /pulse"],
        After::NewAnswers,
    ),
    scenario(
        Group::Discord,
        "registration answered by 401",
        scenarios::registration_401,
        &["DISCORD_TOKEN"],
        After::NewAnswers,
    ),
    scenario(
        Group::Discord,
        "registration answered by 429",
        scenarios::registration_429,
        &["command redefined command=/pulse"],
        After::NewAnswers,
    ),
    scenario(
        Group::Discord,
        "registration answered by 500",
        scenarios::registration_500,
        &["commands are not registered yet", "command redefined command=/pulse"],
        After::NewAnswers,
    ),
    scenario(Group::Discord, "token revoked", scenarios::token_revoked, &[], After::HostIsBack),
];
