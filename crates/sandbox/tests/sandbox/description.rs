//! Discord's own description of its REST API, `openapi.json`, to check bodies against, if the machine has it.
//!
//! It is found through `DISCORD_OPENAPI`, or beside the workspace at `../shared/discord/openapi.json`. A test that gets
//! `None` from [`OpenApi::load`] has nothing to check against, and prints that. Share one instance among tests: reading
//! the file takes a moment, and compiled schemas are kept.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use jsonschema::{Draft, Registry, Validator};
use serde_json::{Value, json};

/// Name of the document inside the validator; nothing is ever fetched from it.
const DOCUMENT: &str = "urn:discord:openapi";

/// The API's description with the schemas that were needed so far.
pub(crate) struct OpenApi {
    document: Value,
    registry: Registry<'static>,
    compiled: Mutex<HashMap<String, Arc<Validator>>>,
}

/// The problems of a body, as text for the output of a failed test.
pub(crate) type Judgement = Result<(), String>;

impl OpenApi {
    /// Reads the description. Returns `None` if there is no such file.
    ///
    /// # Panics
    /// If the file exists but is no OpenAPI document.
    pub(crate) fn load() -> Option<Self> {
        let path = path()?;
        let text = std::fs::read_to_string(&path).ok()?;
        let document: Value = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{} is no JSON: {error}", path.display()));
        assert!(document["paths"].is_object(), "{} is no OpenAPI document", path.display());
        Some(Self::new(document))
    }

    /// Creates one from a parsed document.
    pub(crate) fn new(document: Value) -> Self {
        let resource = Draft::Draft202012.create_resource(document.clone());
        let registry = Registry::new()
            .add(DOCUMENT, resource)
            .and_then(jsonschema::RegistryBuilder::prepare)
            .unwrap_or_else(|error| panic!("the OpenAPI document can't be indexed: {error}"));
        Self { document, registry, compiled: Mutex::default() }
    }

    /// Checks an answer. `path` is as requested, without `/api/v10`; an empty body is `Value::Null`.
    pub(crate) fn response(&self, method: &str, path: &str, status: u16, body: &Value) -> Judgement {
        let what = format!("{method} {path} -> {status}");
        let operation = self.operation(method, path).map_err(|wrong| format!("{what}: {wrong}"))?;
        let responses = format!("{operation}/responses");
        let exact = status.to_string();
        let range = format!("{}XX", status / 100);
        let Some(key) = [exact.as_str(), range.as_str(), "default"]
            .into_iter()
            .find(|key| self.at(&format!("{responses}/{key}")).is_some())
        else {
            let documented: Vec<&String> = self
                .at(&responses)
                .and_then(Value::as_object)
                .map(|r| r.keys().collect())
                .unwrap_or_default();
            return Err(format!("{what}: documented are only {documented:?}"));
        };
        let pointer = self.follow(&format!("{responses}/{key}"));
        match self.schema(&pointer) {
            None if body.is_null() => Ok(()),
            None => Err(format!("{what}: documented is an empty body, this is {body}")),
            Some(schema) => self.judge(&what, &schema, body),
        }
    }

    /// Checks the body of a request.
    pub(crate) fn request(&self, method: &str, path: &str, body: &Value) -> Judgement {
        let what = format!("{method} {path}");
        let operation = self.operation(method, path).map_err(|wrong| format!("{what}: {wrong}"))?;
        match self.schema(&self.follow(&format!("{operation}/requestBody"))) {
            None if body.is_null() => Ok(()),
            None => Err(format!("{what}: documented is no body, this is {body}")),
            Some(schema) => self.judge(&what, &schema, body),
        }
    }

    /// Checks a value against a schema of the document, such as `MessageResponse`.
    pub(crate) fn component(&self, schema: &str, value: &Value) -> Judgement {
        let pointer = format!("/components/schemas/{schema}");
        if self.at(&pointer).is_none() {
            return Err(format!("{schema}: there is no such schema"));
        }
        self.judge(schema, &pointer, value)
    }

    /// Compiles the schema of every JSON body in the document, and returns their number.
    pub(crate) fn compile_all(&self) -> usize {
        let mut bodies = 0;
        for (template, operations) in self.document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in operations.as_object().into_iter().flatten() {
                let pointer = format!("/paths/{}/{method}", escaped(template));
                let responses = operation["responses"].as_object().into_iter().flatten();
                let mut places: Vec<String> =
                    responses.map(|(status, _)| format!("{pointer}/responses/{status}")).collect();
                places.push(format!("{pointer}/requestBody"));
                for schema in places.iter().filter_map(|place| self.schema(&self.follow(place))) {
                    self.compile(&schema);
                    bodies += 1;
                }
            }
        }
        bodies
    }

    /// Returns the whole document.
    pub(crate) fn document(&self) -> &Value {
        &self.document
    }

    /// Returns `METHOD PATH NAME` of every operation, in no order.
    pub(crate) fn operations(&self) -> Vec<String> {
        let paths = self.document["paths"].as_object().into_iter().flatten();
        paths
            .flat_map(|(path, operations)| {
                let operations = operations.as_object().into_iter().flatten();
                operations.filter_map(move |(method, operation)| {
                    let name = operation["operationId"].as_str()?;
                    Some(format!("{} {path} {name}", method.to_uppercase()))
                })
            })
            .collect()
    }

    /// Returns a pointer to the operation that serves a concrete path. Of several matching templates, it is the one
    /// with the most fixed parts: `/users/@me` is not `/users/{user_id}`.
    fn operation(&self, method: &str, path: &str) -> Result<String, String> {
        let path = path.split('?').next().unwrap_or_default();
        let templates = self.document["paths"].as_object().into_iter().flatten();
        let fitting = templates.filter_map(|(template, _)| Some((fixed_parts(template, path)?, template)));
        let Some((_, template)) = fitting.max() else { return Err("there is no such path".to_owned()) };
        let pointer = format!("/paths/{}/{}", escaped(template), method.to_lowercase());
        match self.at(&pointer) {
            Some(_) => Ok(pointer),
            None => Err(format!("{template} has no such method")),
        }
    }

    /// Returns a pointer to the JSON schema of a response or request body.
    fn schema(&self, pointer: &str) -> Option<String> {
        let pointer = format!("{pointer}/content/application~1json/schema");
        self.at(&pointer).map(|_| pointer)
    }

    fn at(&self, pointer: &str) -> Option<&Value> {
        self.document.pointer(pointer)
    }

    /// Returns a pointer to the target of a `$ref` at this one, or itself.
    fn follow(&self, pointer: &str) -> String {
        let target = self.at(pointer).and_then(|value| value["$ref"].as_str()?.strip_prefix('#'));
        target.map_or_else(|| pointer.to_owned(), |target| self.follow(target))
    }

    fn judge(&self, what: &str, pointer: &str, body: &Value) -> Judgement {
        let validator = self.compile(pointer);
        let mut wrong: Vec<String> = Vec::new();
        for error in validator.iter_errors(body) {
            let place = error.instance_path().to_string();
            let place = if place.is_empty() { "the body".to_owned() } else { place };
            wrong.push(format!("  {place}: {error}"));
        }
        if wrong.is_empty() {
            return Ok(());
        }
        let body = serde_json::to_string_pretty(body).unwrap_or_default();
        Err(format!("{what} does not fit Discord's description:\n{}\n{body}", wrong.join("\n")))
    }

    fn compile(&self, pointer: &str) -> Arc<Validator> {
        let mut compiled = self.compiled.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let validator = compiled.entry(pointer.to_owned()).or_insert_with(|| {
            let schema = json!({ "$ref": format!("{DOCUMENT}#{}", percent(pointer)) });
            let validator = jsonschema::options()
                .with_draft(Draft::Draft202012)
                .with_registry(&self.registry)
                .should_validate_formats(true)
                // Of JSON Schema's own formats, Discord means only times literally: its addresses may be
                // `attachment://`, and its number formats state a width.
                .with_format("uri", |_: &str| true)
                .build(&schema)
                .unwrap_or_else(|error| panic!("the schema at {pointer} can't be compiled: {error}"));
            Arc::new(validator)
        });
        Arc::clone(validator)
    }
}

fn path() -> Option<PathBuf> {
    if let Some(given) = std::env::var_os("DISCORD_OPENAPI") {
        return Some(PathBuf::from(given)).filter(|path| path.is_file());
    }
    // A worktree may be deeper than a clone, so every folder above is searched.
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    folders.map(|folder| folder.join("shared/discord/openapi.json")).find(|path| path.is_file())
}

/// Returns the number of fixed parts of a template, if the path matches it.
fn fixed_parts(template: &str, path: &str) -> Option<usize> {
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    if template.len() != path.len() {
        return None;
    }
    let mut fixed = 0;
    for (wanted, part) in template.iter().zip(&path) {
        match (wanted.starts_with('{'), wanted == part) {
            (true, _) if !part.is_empty() => {}
            (_, true) => fixed += 1,
            _ => return None,
        }
    }
    Some(fixed)
}

/// Returns a key escaped for a JSON pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Returns a JSON pointer as the fragment of an address.
fn percent(pointer: &str) -> String {
    pointer.replace('{', "%7B").replace('}', "%7D")
}
