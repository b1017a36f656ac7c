//! A request to be judged, wherever it comes from: a template's test, or the mock that it arrived at.

use std::collections::BTreeMap;

use outpour::mock::WholeRequest;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

/// A request with its parts apart.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) method: String,
    /// The whole URL without its query.
    pub(crate) url: String,
    pub(crate) query: Value,
    /// The headers that are known, names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    /// Whether all headers are known.
    pub(crate) is_whole: bool,
    /// The body; none where nothing was sent.
    pub(crate) body: Option<Value>,
}

impl Sample {
    /// A request of JSON, or of none.
    pub(crate) fn new(method: &str, url: &str, body: Option<Value>) -> Self {
        let (url, query) = url.split_once('?').unwrap_or((url, ""));
        Self {
            method: method.to_owned(),
            url: url.to_owned(),
            query: nested(query),
            headers: BTreeMap::new(),
            is_whole: false,
            body,
        }
    }

    /// A request that a template's test expects. It is read from the file's own form, in which text stands for exact bytes.
    pub(crate) fn promised(request: &Value) -> Self {
        let text = |name: &str| request[name].as_str().unwrap().to_owned();
        let body = match &request["body"] {
            Value::Null => None,
            Value::String(text) if text.trim().is_empty() => None,
            Value::String(text) => Some(serde_json::from_str(text).unwrap()),
            other => Some(other.clone()),
        };
        let mut sample = Self::new(&text("method"), &text("url"), body);
        for (name, value) in request["headers"].as_object().into_iter().flatten() {
            sample = sample.with(name, value.as_str().unwrap());
        }
        sample
    }

    /// A request that arrived at the mock, where `base` stands for the part of the target that is `prefix`.
    pub(crate) fn arrived(request: &WholeRequest, prefix: &str, base: &str) -> Self {
        let path = request.target.strip_prefix(prefix).unwrap();
        let is_form = request.content_type.as_deref() == Some("application/x-www-form-urlencoded");
        let body = match request.body.as_str() {
            "" => None,
            form if is_form => Some(nested(form)),
            json => Some(serde_json::from_str(json).unwrap()),
        };
        let mut sample = Self::new(&request.method, &format!("{base}{path}"), body);
        for (name, value) in &request.headers {
            sample = sample.with(name, value);
        }
        sample.is_whole = true;
        sample
    }

    /// The same with a header.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_ascii_lowercase(), value.to_owned());
        self
    }
}

/// A query or a form as an object: `a=1&b=2&b=3&c[0][d]=4` is `{a: 1, b: [2, 3], c: [{d: 4}]}`, all texts.
pub(crate) fn nested(query: &str) -> Value {
    let mut root = Map::new();
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        let list = key
            .split_once('[')
            .and_then(|(name, rest)| Some((name, rest.strip_suffix(']')?.split_once("][")?)));
        match list {
            Some((name, (index, field))) => {
                let items = root.entry(name).or_insert_with(|| json!({}));
                items[index][field] = json!(value);
            }
            None => add(&mut root, &key, json!(value)),
        }
    }
    for value in root.values_mut() {
        if let Value::Object(items) = value {
            *value = items.values().cloned().collect();
        }
    }
    Value::Object(root)
}

fn add(root: &mut Map<String, Value>, key: &str, value: Value) {
    match root.get_mut(key) {
        None => {
            root.insert(key.to_owned(), value);
        }
        Some(Value::Array(all)) => all.push(value),
        Some(first) => *first = json!([first.take(), value]),
    }
}

#[test]
fn a_query_is_read_as_an_object() {
    let query = "a=1&b=2&b=3&people%5B1%5D[id]=y&people[0][email]=x%40z";
    let expected = json!({"a": "1", "b": ["2", "3"], "people": [{"email": "x@z"}, {"id": "y"}]});
    assert_eq!(nested(query), expected);
}
