//! Wrong values for the schemas of Discord's OpenAPI description.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// A value that does not fit its schema.
#[derive(Clone, Debug)]
pub(super) struct Wrong {
    /// What is wrong about it.
    pub(super) what: &'static str,
    /// The whole value.
    pub(super) value: Value,
    /// Where in it the error is.
    pub(super) path: Vec<String>,
}

impl Wrong {
    fn here(what: &'static str, value: Value) -> Self {
        Self { what, value, path: Vec::new() }
    }
}

/// Schemas of a document.
pub(super) struct Schemas<'a>(pub(super) &'a Value);

impl Schemas<'_> {
    /// Returns a schema with its reference followed.
    fn followed(&self, schema: &Value) -> Value {
        let target = schema["$ref"].as_str().and_then(|target| self.0.pointer(target.strip_prefix('#')?));
        let Some(target) = target else { return schema.clone() };
        let mut followed = self.followed(target);
        let own = schema.as_object().into_iter().flatten().filter(|(key, _)| *key != "$ref");
        followed.as_object_mut().unwrap().extend(own.map(|(key, value)| (key.clone(), value.clone())));
        followed
    }

    /// Returns the alternatives of a schema.
    fn branches(&self, schema: &Value) -> Vec<Value> {
        let mut schema = self.followed(schema);
        // Some of an enumeration's values, such as the type of one kind of component.
        if schema.get("enum").is_some() || schema.get("const").is_some() {
            return vec![schema];
        }
        for key in ["oneOf", "anyOf"] {
            if let Some(alternatives) = schema[key].as_array() {
                return alternatives.iter().flat_map(|alternative| self.branches(alternative)).collect();
            }
        }
        if let Some(Value::Array(parts)) = schema.as_object_mut().and_then(|schema| schema.remove("allOf")) {
            for part in parts {
                for (key, value) in self.followed(&part).as_object().into_iter().flatten() {
                    schema.as_object_mut().unwrap().entry(key).or_insert_with(|| value.clone());
                }
            }
            return self.branches(&schema);
        }
        vec![schema]
    }

    /// Returns the alternatives of a schema without null, and whether null is one.
    fn non_null(&self, schema: &Value) -> (Vec<Value>, bool) {
        let mut branches = self.branches(schema);
        let nullable = branches.iter().any(|branch| types(branch).contains("null"));
        branches.retain(|branch| types(branch).iter().any(|kind| *kind != "null"));
        (branches, nullable)
    }

    /// Returns a value that fits a schema, with required fields alone.
    fn sample(&self, schema: &Value) -> Value {
        let (branches, _) = self.non_null(schema);
        let Some(branch) = branches.first() else { return Value::Null };
        if let Some(value) = branch.get("const").or_else(|| branch["enum"].get(0)) {
            return value.clone();
        }
        let types = types(branch);
        let least = |key: &str| usize::try_from(branch[key].as_u64().unwrap_or(0)).unwrap();
        if types.contains("object") {
            let required = branch["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let field = |key: &str| (key.to_owned(), self.sample(&branch["properties"][key]));
            Value::Object(required.map(field).collect())
        } else if types.contains("array") {
            Value::Array(vec![self.sample(&branch["items"]); least("minItems")])
        } else if types.contains("string") {
            match branch["format"].as_str() {
                Some("snowflake") => json!("1"),
                Some("date-time") => json!("2130-01-01T00:00:00Z"),
                Some("uri") => json!("https://a.example/b"),
                _ => "x".repeat(least("minLength").max(1)).into(),
            }
        } else if types.contains("boolean") {
            json!(true)
        } else {
            branch["minimum"].as_i64().unwrap_or(1).max(1).into()
        }
    }

    /// Returns values that do not fit a schema, each wrong in one place.
    pub(super) fn wrong(&self, schema: &Value) -> Vec<Wrong> {
        let (branches, nullable) = self.non_null(schema);
        let types: BTreeSet<&str> = branches.iter().flat_map(types).collect();
        let mut found = Vec::new();
        if types.is_empty() {
            return found;
        }
        // Discord reads a number as a text, and a text of a number as that.
        for (what, value, fits) in [
            ("an object", json!({ "zz": 1 }), &["object"][..]),
            ("a list", json!([1]), &["array"]),
            ("a text", json!("x y"), &["string"]),
            ("a number", json!(123), &["integer", "number", "string"]),
            ("a boolean", json!(true), &["boolean"]),
        ] {
            if !fits.iter().any(|fit| types.contains(fit)) {
                found.push(Wrong::here(what, value));
            }
        }
        if !nullable {
            found.push(Wrong::here("null", Value::Null));
        }
        for (format, what) in [("snowflake", "no id"), ("date-time", "no time"), ("uri", "no address")] {
            if branches.iter().any(|branch| branch["format"] == format) {
                found.push(Wrong::here(what, json!("x y")));
            }
        }
        let of_enum = |branch: &Value| branch.get("const").or_else(|| branch["enum"].get(0)).cloned();
        if let Some(first) = branches.iter().map(of_enum).collect::<Option<Vec<_>>>() {
            let other = if first[0].is_string() { json!("zz") } else { json!(987_654) };
            found.push(Wrong::here("not in the enumeration", other));
            return found;
        }
        let single = branches.len() == 1;
        for branch in &branches {
            if single {
                self.out_of_limits(branch, &mut found);
            }
            self.inside(branch, &mut found);
        }
        found
    }

    fn out_of_limits(&self, schema: &Value, found: &mut Vec<Wrong>) {
        // Above this the limit is one of Discord's requests as a whole.
        const LONGEST: u64 = 300_000;
        let limit = |key: &str| {
            schema[key]
                .as_u64()
                .filter(|limit| *limit < LONGEST)
                .and_then(|limit| usize::try_from(limit).ok())
        };
        if schema["format"] != "snowflake" {
            if let Some(most) = limit("maxLength") {
                found.push(Wrong::here("too long", "x".repeat(most + 1).into()));
            }
            if let Some(least) = limit("minLength").filter(|least| *least > 0) {
                found.push(Wrong::here("too short", "x".repeat(least - 1).into()));
            }
        }
        let within = |key: &str| schema[key].as_i64().filter(|limit| limit.abs() < 1 << 50);
        if let Some(most) = within("maximum") {
            found.push(Wrong::here("too large", json!(most + 1)));
        }
        if let Some(least) = within("minimum") {
            found.push(Wrong::here("too small", json!(least - 1)));
        }
        if let Some(most) = limit("maxItems").filter(|most| *most < 2000) {
            let item = self.sample(&schema["items"]);
            let distinct = |index: usize| match &item {
                Value::String(text) if text == "1" => json!((index + 1000).to_string()),
                Value::String(text) => json!(format!("{text}{index}")),
                item => item.clone(),
            };
            found.push(Wrong::here("too many", (0..=most).map(distinct).collect()));
        }
        if limit("minItems").is_some_and(|least| least > 0) {
            found.push(Wrong::here("too few", json!([])));
        }
    }

    /// Adds what is wrong inside a list or an object.
    fn inside(&self, schema: &Value, found: &mut Vec<Wrong>) {
        let within = |key: &str, wrong: Wrong, value: Value| {
            let path = std::iter::once(key.to_owned()).chain(wrong.path).collect();
            Wrong { what: wrong.what, value, path }
        };
        if let Some(items) = schema.get("items") {
            for wrong in self.wrong(items) {
                let value = json!([wrong.value]);
                found.push(within("0", wrong, value));
            }
        }
        let base = self.sample(schema);
        let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
        for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
            for wrong in self.wrong(inner) {
                let mut value = base.as_object().cloned().unwrap_or_else(Map::new);
                value.insert(key.clone(), wrong.value.clone());
                found.push(within(key, wrong, value.into()));
            }
            if required.contains(&json!(key)) {
                let mut value = base.as_object().cloned().unwrap_or_else(Map::new);
                value.remove(key);
                found.push(within(key, Wrong::here("absent", Value::Null), value.into()));
            }
        }
    }
}

fn types(schema: &Value) -> BTreeSet<&str> {
    match &schema["type"] {
        Value::String(one) => BTreeSet::from([one.as_str()]),
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ if schema["properties"].is_object() => BTreeSet::from(["object"]),
        _ => match schema.get("const").or_else(|| schema["enum"].get(0)) {
            Some(Value::String(_)) => BTreeSet::from(["string"]),
            Some(Value::Number(_)) => BTreeSet::from(["integer"]),
            _ => BTreeSet::new(),
        },
    }
}
