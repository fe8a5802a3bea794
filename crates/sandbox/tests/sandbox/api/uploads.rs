//! Files: their sizes, what shows them, and edits of messages that have some.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::api::bot::{Bot, text};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x20";

fn with_file(payload: &Value, name: &str, bytes: Vec<u8>) -> Form {
    Form::new()
        .text("payload_json", payload.to_string())
        .part("files[0]", Part::bytes(bytes).file_name(name.to_owned()))
}

#[tokio::test]
async fn a_file_of_ten_mebibytes_is_sent_and_a_larger_one_is_not() {
    let bot = Bot::start().await;
    let messages = format!("{}/messages", bot.channel("general"));
    let size = 10 << 20;
    let sent = bot.upload(Method::POST, &messages, with_file(&json!({}), "a.bin", vec![7; size])).await;
    assert_eq!((sent.0, &sent.1["attachments"][0]["size"]), (200, &json!(size)));
    let (status, answer) =
        bot.upload(Method::POST, &messages, with_file(&json!({}), "a.bin", vec![7; size + 1])).await;
    assert_eq!((status, &answer["code"]), (413, &json!(40005)), "{answer}");
    // The same size through the other doors: an answer's webhook, and a JSON body.
    let name = json!({ "name": "w" });
    let webhook = bot.post(&format!("{}/webhooks", bot.channel("general")), name).await;
    let url = format!("/webhooks/{}/{}?wait=true", text(&webhook["id"]), text(&webhook["token"]));
    let sent = bot.upload(Method::POST, &url, with_file(&json!({}), "a.bin", vec![7; 3 << 20])).await;
    assert_eq!(sent.0, 200, "{}", sent.1);
    let image = format!("data:image/png;base64,iVBORw0KGgoA{}", "A".repeat(3 << 20));
    bot.expect(200, Method::PATCH, "/users/@me", &json!({ "avatar": image })).await;
}

#[tokio::test]
async fn an_answer_before_the_end_of_a_large_body_arrives() {
    let bot = Bot::start().await;
    let length = 8 << 20;
    for (path, status) in
        [("/api/v10/channels/1/messages", 401), ("/sandbox/messages", 403), ("/nowhere", 404)]
    {
        let mut stream = TcpStream::connect(bot.sandbox.address()).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bot nobody\r\n\
             content-type: multipart/form-data; boundary=b\r\ncontent-length: {length}\r\n\
             connection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // The client reads only when it has written everything, as most do.
        stream.write_all(&vec![b'x'; length]).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {answer}");
    }
}

#[tokio::test]
async fn an_edit_may_show_a_file_that_the_message_has_shown() {
    let bot = Bot::start().await;
    let messages = format!("{}/messages", bot.channel("general"));
    let embed = |title: &str| json!([{ "title": title, "image": { "url": "attachment://a.png" } }]);
    let form = with_file(&json!({ "embeds": embed("one") }), "a.png", PNG.to_vec());
    let (_, sent) = bot.upload(Method::POST, &messages, form).await;
    let path = format!("{messages}/{}", text(&sent["id"]));
    let url = sent["embeds"][0]["image"]["url"].clone();
    assert!(text(&url).starts_with(bot.sandbox.url()), "{url}");

    let edited = bot.expect(200, Method::PATCH, &path, &json!({ "embeds": embed("two") })).await;
    assert_eq!((&edited["embeds"][0]["title"], &edited["embeds"][0]["image"]["url"]), (&json!("two"), &url));
    // An edit of something else, and one that sends back what it has read, leave it as it is.
    let edited = bot.expect(200, Method::PATCH, &path, &json!({ "content": "c" })).await;
    assert_eq!(edited["embeds"][0]["image"]["url"], url);
    let edited = bot.expect(200, Method::PATCH, &path, &json!({ "embeds": edited["embeds"] })).await;
    assert_eq!((&edited["embeds"][0]["image"]["url"], &edited["attachments"]), (&url, &json!([])));
    let file = reqwest::get(text(&url)).await.unwrap();
    assert_eq!(file.bytes().await.unwrap(), PNG);
    // What nothing shows any more is gone.
    bot.expect(200, Method::PATCH, &path, &json!({ "embeds": [] })).await;
    assert_eq!(reqwest::get(text(&url)).await.unwrap().status(), 404);
}

#[tokio::test]
async fn media_of_components_have_ids_and_files_a_name_and_a_size() {
    let bot = Bot::start().await;
    let messages = format!("{}/messages", bot.channel("general"));
    let gallery = json!({ "type": 12, "items": [{ "media": { "url": "https://example.com/a.png" } }] });
    let file = json!({ "type": 13, "file": { "url": "attachment://a.txt" } });
    let body = json!({ "flags": 1 << 15, "components": [gallery, { "type": 17, "components": [file] }] });
    let (status, sent) =
        bot.upload(Method::POST, &messages, with_file(&body, "a.txt", b"four".to_vec())).await;
    assert_eq!(status, 200, "{sent}");
    let media = &sent["components"][0]["items"][0]["media"];
    text(&media["id"]).parse::<u64>().unwrap();
    let shown = &sent["components"][1]["components"][0];
    assert_eq!((&shown["name"], &shown["size"]), (&json!("a.txt"), &json!(4)));
    // The file is still there for an edit of the components.
    let path = format!("{messages}/{}", text(&sent["id"]));
    let edited = bot.expect(200, Method::PATCH, &path, &json!({ "components": [file] })).await;
    assert_eq!(edited["components"][0]["file"]["url"], shown["file"]["url"]);
    assert_eq!(edited["components"][0]["size"], 4);
}
