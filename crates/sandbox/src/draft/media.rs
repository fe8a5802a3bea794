//! Media in embeds and components: `attachment://` is replaced by an address, and sizes are added.

use serde_json::{Map, Value, json};

use crate::state::World;
use crate::state::message::{Attachment, Message};
use crate::validate::component;

/// Resolves all media of a message. Files that are shown in an embed or component are not listed a second time.
pub(super) fn resolve(world: &World, message: &mut Message) {
    let base = &world.base_url;
    let mut used = Vec::new();
    let mut resolver = |media: &mut Map<String, Value>, files: &[Attachment], url_key: &str| {
        let Some(url) = media.get(url_key).and_then(Value::as_str).map(str::to_owned) else { return };
        let file =
            url.strip_prefix("attachment://").and_then(|name| files.iter().find(|f| f.filename == name));
        let proxy_key = if url_key == "icon_url" { "proxy_icon_url" } else { "proxy_url" };
        let shown = file.map_or(url, |file| file.url(base));
        media.insert(url_key.to_owned(), shown.clone().into());
        media.insert(proxy_key.to_owned(), shown.into());
        if url_key == "url" {
            let (width, height) = file.and_then(|file| file.dimensions).unwrap_or((0, 0));
            media.entry("width").or_insert(width.into());
            media.entry("height").or_insert(height.into());
        }
        if let Some(file) = file {
            if url_key == "url" {
                media.insert("content_type".to_owned(), file.content_type.clone().into());
                media.insert("attachment_id".to_owned(), json!(file.id));
            }
            used.push(file.id);
        }
    };
    let files = message.attachments.clone();
    for embed in &mut message.embeds {
        for (part, key) in [
            ("image", "url"),
            ("thumbnail", "url"),
            ("video", "url"),
            ("footer", "icon_url"),
            ("author", "icon_url"),
        ] {
            if let Some(Value::Object(media)) = embed.get_mut(part) {
                resolver(media, &files, key);
                media.remove("attachment_id");
            }
        }
    }
    component::each_media(&mut message.components, &mut |media| {
        resolver(media, &files, "url");
        media.insert("loading_state".to_owned(), 2.into());
    });
    message.attachments.retain(|attachment| !used.contains(&attachment.id));
}
