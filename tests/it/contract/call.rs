//! A vendor's contract, and one call of it: what the file in `tests/contracts/` says, ready to judge requests.

use std::path::Path;

use jsonschema::Validator;
use outpour::document::Document;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::sample::Sample;

/// What any HTTP client may send.
const CLIENT_HEADERS: [&str; 7] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "host",
    "user-agent",
];

/// All calls of a vendor.
pub(crate) struct Contract {
    hosts: Map<String, Value>,
    calls: Vec<Call>,
}

/// One call.
pub(crate) struct Call {
    pub(crate) operation: String,
    method: String,
    host: String,
    path: Vec<String>,
    parameters: Validator,
    query: Validator,
    headers: Validator,
    needed_headers: Vec<String>,
    content_type: String,
    body: Option<Validator>,
}

impl Contract {
    /// The contract of a vendor, by the name of its folder of templates.
    pub(crate) fn of(vendor: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/contracts/{vendor}.yaml"));
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let document = Document::parse(vendor, &text).unwrap_or_else(|error| panic!("{error}"));
        let file = document.value();
        let calls = file["calls"].as_array().unwrap().iter();
        Self {
            hosts: file["hosts"].as_object().unwrap().clone(),
            calls: calls.map(|call| Call::compile(file, call)).collect(),
        }
    }

    /// The first base URL of a host.
    pub(crate) fn base(&self, host: &str) -> &str {
        self.hosts[host][0].as_str().unwrap()
    }

    /// The names of the operations.
    pub(crate) fn operations(&self) -> impl Iterator<Item = &str> {
        self.calls.iter().map(|call| call.operation.as_str())
    }

    /// The call of an operation.
    pub(crate) fn operation(&self, name: &str) -> &Call {
        let found = self.calls.iter().find(|call| call.operation == name);
        found.unwrap_or_else(|| panic!("no operation `{name}`"))
    }

    /// Says which operation a request is, or why it is none or does not fit.
    pub(crate) fn judge(&self, sample: &Sample) -> Result<&Call, String> {
        let fitting = self
            .calls
            .iter()
            .filter_map(|call| Some((call, self.path_of(call, sample)?)));
        // Where two fit, such as `/a/all` and `/a/{id}`, the one that says more itself is meant.
        let best = fitting.max_by_key(|(call, _)| call.path.iter().filter(|own| !is_parameter(own)).count());
        let (call, values) = best.ok_or_else(|| format!("no such call: {} {}", sample.method, sample.url))?;
        call.judge(sample, &values)?;
        Ok(call)
    }

    /// The values of the parameters in the path, where method, host and path are the call's.
    fn path_of(&self, call: &Call, sample: &Sample) -> Option<Value> {
        let bases = self.hosts[&call.host]
            .as_array()?
            .iter()
            .filter_map(Value::as_str);
        let mut paths = bases.filter_map(|base| sample.url.strip_prefix(base)?.strip_prefix('/'));
        let path: Vec<&str> = paths.next()?.split('/').collect();
        if call.method != sample.method || call.path.len() != path.len() {
            return None;
        }
        let mut values = Map::new();
        for (own, sent) in call.path.iter().zip(path) {
            if is_parameter(own) {
                let value = percent_decode_str(sent).decode_utf8().ok()?;
                values.insert(own.trim_matches(['{', '}']).to_owned(), json!(value));
            } else if own != sent {
                return None;
            }
        }
        Some(Value::Object(values))
    }
}

impl Call {
    fn compile(file: &Value, call: &Value) -> Self {
        let schema = |schema: Value| {
            let whole = json!({"allOf": [schema], "definitions": file["definitions"]});
            jsonschema::validator_for(&whole).unwrap_or_else(|error| panic!("{call}: {error}"))
        };
        let name = call["call"].as_str().unwrap();
        let [method, host, path] = name.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{name}: expected a method, a host and a path")
        };
        let path: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
        let headers = [&file["headers"], resolve(file, &call["headers"])];
        Self {
            operation: call["operation"].as_str().unwrap().to_owned(),
            method: method.to_owned(),
            host: host.to_owned(),
            parameters: schema(path_schema(&path, &call["path"])),
            query: schema(or(&call["query"], &json!({"maxProperties": 0}))),
            headers: schema(header_schema(&headers)),
            needed_headers: headers
                .iter()
                .filter_map(|part| part["required"].as_array())
                .flatten()
                .map(|name| name.as_str().unwrap().to_owned())
                .collect(),
            content_type: call["content_type"]
                .as_str()
                .unwrap_or("application/json")
                .to_owned(),
            body: call.get("body").cloned().map(schema),
            path,
        }
    }

    /// Whether a body fits, by itself.
    pub(crate) fn takes(&self, body: &Value) -> Result<(), String> {
        match &self.body {
            Some(schema) => check("body", schema, body),
            None => Err("body: this call has none".to_owned()),
        }
    }

    fn judge(&self, sample: &Sample, values: &Value) -> Result<(), String> {
        check("path", &self.parameters, values)?;
        check("query", &self.query, &sample.query)?;
        check("headers", &self.headers, &json!(sample.headers))?;
        let missing = self
            .needed_headers
            .iter()
            .find(|name| !sample.headers.contains_key(*name));
        if let Some(name) = missing.filter(|_| sample.is_whole) {
            return Err(format!("headers: `{name}` is missing"));
        }
        match (&self.body, &sample.body) {
            (None, None) => Ok(()),
            (None, Some(body)) => Err(format!("body: this call has none, got {body}")),
            (Some(_), None) => Err("body: this call needs one".to_owned()),
            (Some(schema), Some(body)) => {
                self.check_content_type(sample)?;
                check("body", schema, body)
            }
        }
    }

    fn check_content_type(&self, sample: &Sample) -> Result<(), String> {
        let sent = sample
            .headers
            .get("content-type")
            .map(|sent| sent.split(';').next().unwrap().trim());
        match sent {
            None if sample.is_whole => Err("content-type: there is none".to_owned()),
            Some(sent) if sent != self.content_type => Err(format!("content-type: `{sent}`")),
            _ => Ok(()),
        }
    }
}

fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{')
}

/// What a reference into the definitions stands for.
fn resolve<'a>(file: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => file.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

fn or(value: &Value, default: &Value) -> Value {
    if value.is_null() {
        default.clone()
    } else {
        value.clone()
    }
}

/// A schema of the path's parameters, none of them empty; one that the path does not have is a slip of the file.
fn path_schema(path: &[String], own: &Value) -> Value {
    let names: Vec<&str> = path
        .iter()
        .filter(|segment| is_parameter(segment))
        .map(|segment| segment.trim_matches(['{', '}']))
        .collect();
    for name in own.as_object().into_iter().flat_map(Map::keys) {
        assert!(
            names.contains(&name.as_str()),
            "`{name}` is not in the path {path:?}"
        );
    }
    json!({"properties": or(own, &json!({})), "additionalProperties": true, "patternProperties": {"": {"minLength": 1}}})
}

fn header_schema(parts: &[&Value]) -> Value {
    let mut properties: Map<String, Value> = CLIENT_HEADERS
        .iter()
        .map(|name| ((*name).to_owned(), json!(true)))
        .collect();
    for part in parts {
        properties.extend(part["properties"].as_object().cloned().unwrap_or_default());
    }
    json!({"properties": properties, "additionalProperties": false})
}

fn check(part: &str, schema: &Validator, value: &Value) -> Result<(), String> {
    schema
        .validate(value)
        .map_err(|error| format!("{part}: {value:.300}: {error:.300}"))
}
