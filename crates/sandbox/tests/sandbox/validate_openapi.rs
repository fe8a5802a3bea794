//! The checker of bodies itself: valid examples pass, invalid ones are refused with an error that names the location.

use serde_json::{Value, json};

use crate::description::OpenApi;

/// Returns a description that is small enough to read, with the difficult parts of the large one.
fn small() -> OpenApi {
    OpenApi::new(json!({
        "openapi": "3.1.0",
        "paths": {
            "/users/@me": { "get": { "responses": {
                "200": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Me" } } } }
            } } },
            "/users/{user_id}": { "get": { "responses": {
                "200": { "content": { "application/json": { "schema": { "type": "object" } } } },
                "4XX": { "$ref": "#/components/responses/Error" }
            } } },
            "/users/{user_id}/note": {
                "put": {
                    "requestBody": { "content": { "application/json": { "schema": {
                        "type": "object", "properties": { "note": { "type": "string", "maxLength": 3 } },
                        "required": ["note"]
                    } } } },
                    "responses": { "204": { "description": "empty" } }
                }
            }
        },
        "components": {
            "schemas": {
                "Id": { "type": "string", "pattern": "^(0|[1-9][0-9]*)$", "format": "snowflake" },
                "Me": {
                    "type": "object", "required": ["id"],
                    "properties": {
                        "id": { "$ref": "#/components/schemas/Id" },
                        "since": { "type": ["string", "null"], "format": "date-time" },
                        "icon": { "type": "string", "format": "uri" }
                    }
                },
                "Error": { "type": "object", "required": ["code", "message"] }
            },
            "responses": {
                "Error": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } } }
            }
        }
    }))
}

#[test]
fn a_right_answer_passes_and_a_wrong_one_is_told_where() {
    let api = small();
    let me = json!({ "id": "1", "since": "2026-01-01T00:00:00+00:00", "icon": "attachment://a.png" });
    assert_eq!(api.response("GET", "/users/@me", 200, &me), Ok(()));
    let wrong = api.response("GET", "/users/@me", 200, &json!({ "id": "me", "since": "today" })).unwrap_err();
    assert!(wrong.starts_with("GET /users/@me -> 200 does not fit"), "{wrong}");
    assert!(wrong.contains("/id: ") && wrong.contains("/since: "), "{wrong}");
    let wrong = api.response("GET", "/users/@me", 200, &json!({})).unwrap_err();
    assert!(wrong.contains("the body: \"id\" is a required property"), "{wrong}");
}

#[test]
fn the_path_with_the_most_fixed_parts_is_meant() {
    let api = small();
    assert_eq!(api.response("GET", "/users/5?limit=1", 200, &json!({})), Ok(()));
    assert!(api.response("GET", "/users/@me", 200, &json!({})).is_err());
}

#[test]
fn errors_are_judged_by_the_range_of_their_status() {
    let api = small();
    assert_eq!(
        api.response("GET", "/users/5", 404, &json!({ "code": 10013, "message": "Unknown User" })),
        Ok(())
    );
    assert!(api.response("GET", "/users/5", 404, &json!({ "code": 10013 })).is_err());
    assert!(api.response("GET", "/users/5", 500, &json!({})).unwrap_err().contains("documented are only"));
}

#[test]
fn an_empty_answer_must_be_empty() {
    let api = small();
    assert_eq!(api.response("PUT", "/users/5/note", 204, &Value::Null), Ok(()));
    assert!(api.response("PUT", "/users/5/note", 204, &json!({})).unwrap_err().contains("an empty body"));
}

#[test]
fn requests_are_judged_like_answers() {
    let api = small();
    assert_eq!(api.request("PUT", "/users/5/note", &json!({ "note": "abc" })), Ok(()));
    assert!(api.request("PUT", "/users/5/note", &json!({ "note": "abcd" })).unwrap_err().contains("/note: "));
}

#[test]
fn what_is_not_documented_is_said_to_be_so() {
    let api = small();
    assert!(api.response("GET", "/nowhere", 200, &Value::Null).unwrap_err().contains("no such path"));
    assert!(api.response("DELETE", "/users/@me", 200, &Value::Null).unwrap_err().contains("no such method"));
    assert!(api.component("Nothing", &Value::Null).unwrap_err().contains("no such schema"));
    assert_eq!(api.component("Id", &json!("7")), Ok(()));
}

/// Returns Discord's own description, or prints that it is missing.
fn discord() -> Option<OpenApi> {
    let api = OpenApi::load();
    if api.is_none() {
        eprintln!("skipped: no openapi.json (set DISCORD_OPENAPI to its path)");
    }
    api
}

#[test]
fn every_schema_of_discords_description_compiles() {
    let Some(api) = discord() else { return };
    assert!(api.compile_all() > 200);
}

#[test]
fn discords_description_tells_right_answers_from_wrong_ones() {
    let Some(api) = discord() else { return };
    let user = json!({
        "id": "175928847299117063", "username": "ada", "discriminator": "0", "global_name": null, "avatar": null,
        "public_flags": 0, "flags": 0, "primary_guild": null
    });
    assert_eq!(api.response("GET", "/users/175928847299117063", 200, &user), Ok(()));
    let mut wrong = user.clone();
    wrong["id"] = json!(175_928_847_299_117_063_u64);
    assert!(api.response("GET", "/users/175928847299117063", 200, &wrong).unwrap_err().contains("/id: "));
    assert!(api.response("GET", "/users/175928847299117063", 200, &json!({ "id": "1" })).is_err());
    let error = json!({ "code": 10013, "message": "Unknown User" });
    assert_eq!(api.response("GET", "/users/1", 404, &error), Ok(()));
    assert_eq!(api.response("DELETE", "/channels/1/messages/2", 204, &Value::Null), Ok(()));
}

#[test]
fn what_the_validators_give_back_fits_discords_description() {
    use sandbox::snowflake::Snowflake;
    use sandbox::validate::command::{self, Identity, Scope, ShownIn};
    use sandbox::validate::message::{self, MessageOrigin, Upload};

    let Some(api) = discord() else { return };
    let body = json!({ "name": "all", "description": "d", "options": [
        { "type": 3, "name": "s", "description": "d", "required": true, "min_length": 1, "max_length": 5 },
        { "type": 4, "name": "i", "description": "d", "choices": [{ "name": "one", "value": 1 }] },
        { "type": 10, "name": "n", "description": "d", "min_value": 0.5, "autocomplete": true },
        { "type": 7, "name": "c", "description": "d", "channel_types": [0, 5] },
    ] });
    let groups = json!({ "name": "g", "description": "d", "options": [{ "type": 2, "name": "a", "description": "d",
        "options": [{ "type": 1, "name": "b", "description": "d", "options": body["options"] }] }] });
    for (scope, guild_id) in [(Scope::Global, None), (Scope::Guild, Some(Snowflake(9)))] {
        for body in [&body, &groups] {
            assert_eq!(api.request("POST", "/applications/1/commands", body), Ok(()));
            let definition = command::create(body, scope).unwrap();
            let identity =
                Identity { id: Snowflake(1), application_id: Snowflake(2), guild_id, version: Snowflake(3) };
            for shown in [ShownIn::Every, ShownIn::Locale(None)] {
                let object = definition.to_json(&identity, shown);
                assert_eq!(api.response("POST", "/applications/1/commands", 201, &object), Ok(()));
            }
        }
    }

    let files = [Upload { index: 0, filename: "a.png".into() }];
    let components = json!([
        { "type": 17, "accent_color": 5, "components": [
            { "type": 9, "components": [{ "type": 10, "content": "t" }],
              "accessory": { "type": 11, "media": { "url": "attachment://a.png" } } },
            { "type": 14 },
            { "type": 12, "items": [{ "media": { "url": "https://a/b.png" }, "description": "d" }] },
            { "type": 13, "file": { "url": "attachment://a.png" } },
            { "type": 1, "components": [
                { "type": 2, "style": 1, "label": "l", "custom_id": "a", "emoji": { "name": "👍" } },
                { "type": 2, "style": 5, "label": "l", "url": "https://a" },
                { "type": 2, "style": 6, "sku_id": "5" },
            ] },
            { "type": 1, "components": [{ "type": 3, "custom_id": "b", "placeholder": "p",
                "options": [{ "label": "l", "value": "v", "description": "d", "default": true }] }] },
            { "type": 1, "components": [{ "type": 7, "custom_id": "c", "max_values": 2,
                "default_values": [{ "id": "1", "type": "user" }] }] },
        ] },
    ]);
    let mut created = message::create(
        &json!({ "flags": 1 << 15, "components": components }),
        &files,
        MessageOrigin::Channel,
    )
    .unwrap();
    sandbox::validate::component::each_media(&mut created.components, &mut |media| {
        media.insert("id".into(), json!("1"));
        media.insert("proxy_url".into(), media["url"].clone());
    });
    // The fields of a file that only the server knows.
    let file = &mut created.components[0]["components"][3];
    file["name"] = json!("a.png");
    file["size"] = json!(5);
    assert_eq!(api.component("ContainerComponentResponse", &created.components[0]), Ok(()));

    let embeds = json!([{ "title": "t", "url": "https://a", "color": 5, "timestamp": "2026-07-18T10:00:00Z",
        "fields": [{ "name": "n", "value": "v" }], "footer": { "text": "f" }, "author": { "name": "a" },
        "image": { "url": "https://a/b.png" } }]);
    let created = message::create(&json!({ "embeds": embeds }), &[], MessageOrigin::Channel).unwrap();
    assert_eq!(api.component("MessageEmbedResponse", &created.embeds[0]), Ok(()));
}
