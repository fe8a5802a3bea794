//! Media in embeds and components: `attachment://` is replaced by an address, and sizes are added.

use serde_json::{Map, Value, json};

use crate::state::World;
use crate::state::message::{Attachment, Message};
use crate::validate::component;

/// Resolves all media of a message. Files that are shown in an embed or component are not listed a second time.
pub(super) fn resolve(world: &mut World, message: &mut Message) {
    let base = &world.files_url.clone();
    let mut used = Vec::new();
    let mut resolver = |media: &mut Map<String, Value>, files: &[Attachment], url_key: &str| {
        let Some(url) = media.get(url_key).and_then(Value::as_str).map(str::to_owned) else { return };
        let file = match url.strip_prefix("attachment://") {
            Some(name) => files.iter().find(|file| file.filename == name),
            // An edit that sends back what it has read, or that leaves this part alone.
            None => files.iter().find(|file| file.url(base) == url),
        };
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
    let mut files: Vec<Attachment> = message.files().cloned().collect();
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
        media.entry("id").or_insert_with(|| json!(world.next_id()));
    });
    describe_files(&mut message.components, &files, base);
    message.attachments.retain(|attachment| !used.contains(&attachment.id));
    for gone in message.shown.extract_if(.., |file| !used.contains(&file.id)) {
        world.files.remove(&gone.id);
    }
    files.retain(|file| used.contains(&file.id));
    message.shown = files;
}

/// Adds the name and the size of the file to every component that shows one ("File" component).
fn describe_files(components: &mut [Value], files: &[Attachment], base: &str) {
    for component in components {
        let url = component["file"]["url"].as_str();
        if let Some(file) = url.and_then(|url| files.iter().find(|file| file.url(base) == url)) {
            component["name"] = file.filename.clone().into();
            component["size"] = file.size.into();
        }
        if let Some(inside) = component.get_mut("components").and_then(Value::as_array_mut) {
            describe_files(inside, files, base);
        }
    }
}
