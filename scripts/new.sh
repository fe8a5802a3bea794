# shellcheck shell=bash
# ./dev-env.sh new: creates a plugin with its test and adds it to the static list.

# Rust's keywords, and the crates that every plugin names.
RESERVED="as async await box break const continue crate do dyn else enum extern false final fn for gen if impl in let
loop macro match mod move mut override priv pub ref return self static struct super trait true try type typeof unsafe
unsized use virtual where while yield abstract become lib sdk poise serenity"

cmd_new() {
    [[ $# -eq 1 ]] || die --code 64 "usage: ./dev-env.sh new commands/NAME or new events/NAME"
    local kind=${1%%/*} name=${1#*/} folder package krate camel
    case $1 in
    commands/* | events/*) ;;
    *) die --code 64 "'$1' is no place for a plugin; it is commands/NAME or events/NAME" ;;
    esac
    [[ $name =~ ^[a-z][a-z0-9-]{0,31}$ ]] ||
        die --code 64 "'$name' cannot be a plugin's name; use small letters, digits and -, beginning with a letter"
    case " ${RESERVED//$'\n'/ } " in
    *" $name "*) die --code 64 "'$name' has a meaning of its own in Rust or here; choose another name" ;;
    esac
    folder=$ROOT/$kind/$name package=$kind-$name krate=${kind}_${name//-/_}
    [[ ! -e $folder ]] || die --code 73 "$kind/$name is there already"
    camel=$(printf '%s' "$name" | awk -F- '{ for (i = 1; i <= NF; i++) printf "%s%s", toupper(substr($i, 1, 1)), substr($i, 2) }')
    # Created elsewhere and then moved, so that a running host sees a complete plugin.
    local made
    made=$(mktemp -d "$ROOT/target/new.XXXXXX" 2>/dev/null || mktemp -d)
    mkdir -p "$made/src"
    # shellcheck disable=SC2016 # backquotes are the documentation's
    {
        printf '[package]\nname = "%s"\ndescription = "The %s plugin."\n' "$package" "$name"
        printf 'version.workspace = true\nedition.workspace = true\nrust-version.workspace = true\n'
        printf 'license.workspace = true\npublish.workspace = true\n\n[lints]\nworkspace = true\n\n[lib]\n\n[dependencies]\n'
        printf 'poise.workspace = true\nsdk.workspace = true\n'
    } >"$made/Cargo.toml"
    if [[ $kind == commands ]]; then
        new_command "$made" "$name" "$camel"
    else
        new_event "$made" "$name" "$camel"
    fi
    chmod 755 "$made"
    mv "$made" "$folder"
    # The static list, which production builds link.
    add_sorted "$ROOT/$kind/Cargo.toml" "$kind-" "$package = { path = \"$name\" }"
    add_sorted "$ROOT/$kind/lib.rs" "    &${kind}_" "    &$krate::PLUGIN,"
    say "$kind/$name is made. Edit $kind/$name/src/$([[ $kind == commands ]] && printf '%s' "${name//-/_}" || printf lib).rs;"
    say "its test runs with: cargo test -p $package"
}

# Inserts a line among those that begin with PREFIX, in alphabetical order.
add_sorted() { # FILE PREFIX LINE
    local file=$1
    awk -v prefix="$2" -v line="$3" '
        !done && index($0, prefix) == 1 && $0 > line { print line; done = 1 }
        { was = index($0, prefix) == 1 }
        !done && last && !was { print line; done = 1 }
        { print; last = was }
        END { if (!done && last) print line }
    ' "$file" >"$file.new"
    mv "$file.new" "$file"
}

new_command() { # FOLDER NAME CAMEL
    local module=${2//-/_}
    cat >"$1/src/lib.rs" <<END
//! The $2 commands.

use sdk::prelude::*;

mod $module;

struct $3;

impl Plugin for $3 {
    fn commands(&self) -> Vec<Command> {
        vec![$module::$module()]
    }
}

sdk::export!($3);
END
    cat >"$1/src/$module.rs" <<END
//! \`/$2\`: says hello.

use sdk::prelude::*;

/// Says hello
#[poise::command(slash_command, rename = "$2")]
pub(crate) async fn $module(
    ctx: Context<'_>,
    #[description = "Whom to greet"]
    #[max_length = 100]
    whom: Option<String>,
) -> Result<(), Error> {
    ctx.say(greeting(whom.as_deref())).await?;
    Ok(())
}

fn greeting(whom: Option<&str>) -> String {
    format!("Hello, {}!", whom.unwrap_or("world"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_is_greeted_when_nobody_is_named() {
        assert_eq!(greeting(None), "Hello, world!");
        assert_eq!(greeting(Some("Ada")), "Hello, Ada!");
    }
}
END
}

new_event() { # FOLDER NAME CAMEL
    cat >"$1/src/lib.rs" <<END
//! The $2 events.

use sdk::prelude::*;

struct $3;

impl Plugin for $3 {
    fn subscriptions(&self, on: &mut Subscriptions) {
        on.event(message);
    }
}

sdk::export!($3);

async fn message(ctx: EventContext, event: event::Message) -> Result<(), Error> {
    let message = event.new_message;
    if !message.author.bot && is_greeting(&message.content) {
        message.react(&ctx.http, '👋').await?;
    }
    Ok(())
}

fn is_greeting(content: &str) -> bool {
    content.trim().eq_ignore_ascii_case("hello")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hello_is_a_greeting() {
        assert!(is_greeting(" Hello "));
        assert!(!is_greeting("hello there"));
    }
}
END
}
