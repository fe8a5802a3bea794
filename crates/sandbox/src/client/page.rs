//! The page that shows the sandbox in a browser.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Client, Error};

impl Client {
    /// Returns an address of the page. It can be opened once, within an hour. `user` is whom the page acts as first.
    pub async fn page_url(&self, user: Option<&str>) -> Result<String, Error> {
        let ticket: Value = self.call(Method::POST, "page/tickets", &json!({})).await?;
        let path = ticket["path"].as_str().unwrap_or("/app");
        let user = user.map(|user| {
            let mut pairs = form_urlencoded::Serializer::new(String::new());
            format!("&{}", pairs.append_pair("as", user).finish())
        });
        Ok(format!("{}{path}{}", self.url, user.unwrap_or_default()))
    }
}
