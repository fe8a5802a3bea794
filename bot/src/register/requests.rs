//! The requests of registration.

use std::sync::Arc;

use sdk::serenity::all::{ApplicationId, CommandId, Http};
use sdk::serenity::http::{LightMethod, Request, Route};
use serde_json::Value;

use super::Scope;
use super::create::{Accepted, send};
use super::failure::Failure;
use crate::api::Api;

/// Sends requests for an application's commands.
pub(super) struct Requests {
    http: Arc<Http>,
    client: reqwest::Client,
    application: ApplicationId,
}

impl Requests {
    pub(super) fn new(api: &Api, http: Arc<Http>, application: ApplicationId) -> Self {
        Self { http, client: api.client(), application }
    }

    /// Returns the commands of a scope as registered at Discord.
    pub(super) async fn list(&self, scope: &Scope) -> Result<Vec<Value>, Failure> {
        let request = Request::new(self.commands(scope), LightMethod::Get)
            .params(Some(vec![("with_localizations", "true".to_owned())]));
        self.http.fire(request).await.map_err(|error| Failure::new(error, None))
    }

    /// Creates a command, or replaces the one of the same name.
    pub(super) async fn create(&self, scope: &Scope, body: &Value) -> Result<Accepted, Failure> {
        self.send(LightMethod::Post, scope, body).await
    }

    /// Replaces all commands of a scope by these. Returns them as Discord does.
    pub(super) async fn overwrite(&self, scope: &Scope, bodies: Vec<Value>) -> Result<Vec<Value>, Failure> {
        match self.send(LightMethod::Put, scope, &Value::Array(bodies)).await?.json {
            Value::Array(commands) => Ok(commands),
            _ => Err(Failure::Refused("the answer is no list of commands".to_owned())),
        }
    }

    async fn send(&self, method: LightMethod, scope: &Scope, body: &Value) -> Result<Accepted, Failure> {
        let bytes = body.to_string().into_bytes();
        #[allow(clippy::result_large_err)] // serenity's own.
        let make = || {
            let request = Request::new(self.commands(scope), method).body(Some(bytes.clone()));
            request.build(&self.client, self.http.token(), None)
        };
        send(make, body).await
    }

    pub(super) async fn delete(&self, scope: &Scope, id: CommandId) -> Result<(), Failure> {
        let request = Request::new(self.command(scope, id), LightMethod::Delete);
        self.http.request(request).await.map(|_| ()).map_err(|error| Failure::new(error, None))
    }

    fn commands(&self, scope: &Scope) -> Route<'static> {
        let application_id = self.application;
        match scope {
            Scope::Guild(guild_id) => Route::GuildCommands { application_id, guild_id: *guild_id },
            Scope::Global { .. } => Route::Commands { application_id },
        }
    }

    fn command(&self, scope: &Scope, command_id: CommandId) -> Route<'static> {
        let application_id = self.application;
        match scope {
            Scope::Guild(guild_id) => Route::GuildCommand { application_id, guild_id: *guild_id, command_id },
            Scope::Global { .. } => Route::Command { application_id, command_id },
        }
    }
}
