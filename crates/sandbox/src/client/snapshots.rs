//! Snapshots of the whole world.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Client, Error, escape};

impl Client {
    /// Saves the whole world under a name, in place of an earlier snapshot of that name, and returns its description.
    pub async fn save_snapshot(&self, name: &str) -> Result<Value, Error> {
        self.call(Method::PUT, &format!("snapshots/{}", escape(name)), &json!({})).await
    }

    /// Puts a snapshot in place of the present world. Each connected bot gets opcode 9 and identifies again.
    pub async fn restore_snapshot(&self, name: &str) -> Result<Value, Error> {
        self.call(Method::POST, &format!("snapshots/{}/restore", escape(name)), &json!({})).await
    }

    /// Returns the descriptions of all snapshots: `name`, `saved_at`, `bytes`, `guilds`, `channels`, `messages`.
    pub async fn snapshots(&self) -> Result<Vec<Value>, Error> {
        self.get("snapshots").await
    }

    /// Deletes a snapshot.
    pub async fn delete_snapshot(&self, name: &str) -> Result<(), Error> {
        self.tell(Method::DELETE, &format!("snapshots/{}", escape(name)), &json!({})).await
    }

    /// Returns the whole world as bytes. They contain the tokens of its bots.
    pub async fn world(&self) -> Result<Vec<u8>, Error> {
        let response = self.send_raw(Method::GET, "world", None).await?;
        let bytes = response.bytes().await.map_err(|source| self.garbled(source))?;
        Ok(bytes.to_vec())
    }

    /// Returns the world as a seed file.
    pub async fn export_seed(&self) -> Result<String, Error> {
        let response = self.send_raw(Method::GET, "seed", None).await?;
        response.text().await.map_err(|source| self.garbled(source))
    }

    /// Adds what a seed file describes, and returns the ids of its `guilds`.
    pub async fn plant(&self, yaml: &str) -> Result<Value, Error> {
        let body = Some(("application/yaml", yaml.as_bytes().to_vec()));
        let response = self.send_raw(Method::POST, "seed", body).await?;
        response.json().await.map_err(|source| self.garbled(source))
    }

    /// Puts a saved world in place of the present one, as [`Self::restore_snapshot`] does.
    pub async fn restore_world(&self, bytes: Vec<u8>) -> Result<Value, Error> {
        let response = self.send_raw(Method::PUT, "world", Some(("application/octet-stream", bytes))).await?;
        response.json().await.map_err(|source| self.garbled(source))
    }
}
