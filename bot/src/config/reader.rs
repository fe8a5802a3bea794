//! Reads variables one by one and collects all mistakes.

use std::collections::BTreeMap;
use std::fmt::Display;

use sdk::serenity::all::GuildId;
use sdk::settings::Environment;

use super::value_error::ValueError;
use super::{ApiUrl, Connection, GatewayUrl, Mistakes, Token, former, value};

/// Reads variables and collects their mistakes.
pub(super) struct Reader<'a> {
    variables: &'a BTreeMap<String, String>,
    mistakes: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(variables: &'a BTreeMap<String, String>) -> Self {
        Self { variables, mistakes: Vec::new() }
    }

    /// Fails with all mistakes found, if there are any.
    pub(super) fn finish(self) -> Result<(), Mistakes> {
        if self.mistakes.is_empty() { Ok(()) } else { Err(Mistakes(self.mistakes)) }
    }

    /// Adds a mistake that concerns several variables: a sentence.
    pub(super) fn mistake(&mut self, sentence: &str) {
        self.mistakes.push(sentence.to_owned());
    }

    /// Returns whether a variable is set, with a valid value or not.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// Returns a variable as set. An empty one counts as not set.
    fn raw(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|text| !text.trim().is_empty())
    }

    /// Reads a variable, under its former name if only that is set. The error of `parse` follows "NAME is 'value',
    /// which".
    pub(super) fn read<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, ValueError>,
    ) -> Option<T> {
        let former = former::of(name).filter(|_| self.raw(name).is_none());
        let name = former.unwrap_or(name);
        let text = self.raw(name)?.trim();
        match parse(text) {
            Ok(value) => Some(value),
            Err(wrong) => {
                let shown = value::shown(text, self.raw("DISCORD_TOKEN"));
                self.mistakes.push(format!("{name} is {shown}, which {wrong}."));
                None
            }
        }
    }

    /// Reads a variable whose value must not be shown. The error of `parse` follows "NAME" in a sentence.
    pub(super) fn read_secret<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let parsed = parse(self.raw(name)?.trim());
        parsed.map_err(|wrong| self.mistakes.push(format!("{name} {wrong}."))).ok()
    }

    /// Reads a variable, with the default of its type if it is not set.
    pub(super) fn or_default<T: Default>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, ValueError>,
    ) -> T {
        self.read(name, parse).unwrap_or_default()
    }

    /// Reads the variables that determine the server and the token.
    pub(super) fn connection(
        &mut self,
        environment: Environment,
        test_guild: Option<GuildId>,
    ) -> Option<Connection> {
        let api = self.read("DISCORD_API_URL", ApiUrl::parse);
        let gateway = self.read("DISCORD_GATEWAY_URL", GatewayUrl::parse);
        let plain = self.or_default("ALLOW_PLAIN_HTTP", value::switch);
        let elsewhere = self.raw("DISCORD_API_URL").is_some();
        let Some(raw) = self.raw("DISCORD_TOKEN") else {
            self.no_token(elsewhere);
            return None;
        };
        // A server in place of Discord may use tokens of any form.
        let token = match Token::parse(raw, !elsewhere) {
            Ok(token) => Some(token),
            Err(wrong) => {
                self.mistakes.push(format!("DISCORD_TOKEN {wrong}."));
                None
            }
        };
        if environment != Environment::Production
            && !elsewhere
            && test_guild.is_none()
            && self.raw("TEST_GUILD_ID").is_none()
        {
            self.mistakes.push(format!(
                "TEST_GUILD_ID is not set, and in {} commands are registered to that guild alone; set it to the \
                 id of your test server, or APP_ENV=production to register commands everywhere.",
                environment.as_str()
            ));
        }
        Some(Connection { token: token?, api: api.flatten(), gateway, plain })
    }

    fn no_token(&mut self, elsewhere: bool) {
        if elsewhere {
            self.mistakes.push(
                "DISCORD_TOKEN is not set, and the server that DISCORD_API_URL names wants one; set it to a token \
                 that this server knows."
                    .to_owned(),
            );
        } else if !cfg!(any(feature = "sandbox", feature = "hmr")) {
            self.mistakes.push(
                "DISCORD_TOKEN is not set; set it to your bot's token from \
                 https://discord.com/developers/applications, or run `./dev-env.sh hmr --local`, which brings a \
                 Discord of its own."
                    .to_owned(),
            );
        } else if self.raw("DISCORD_GATEWAY_URL").is_some() {
            self.mistakes.push(
                "DISCORD_GATEWAY_URL is set, but neither DISCORD_TOKEN nor DISCORD_API_URL is; set these too, or \
                 none of the three to use the local Discord."
                    .to_owned(),
            );
        }
    }
}
