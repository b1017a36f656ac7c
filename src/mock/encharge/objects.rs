//! Custom objects: created, upserted, updated, read and deleted under the name of a schema, case-sensitive.
//!
//! Creating always creates, twice if called twice, and gives numbers as ids; an `id` that is sent is not used. Fields that
//! the schema does not have are kept, so that a test can compare what it sent, unless the look-alike is told to drop them in
//! silence as the vendor is seen to do. A value longer than a person's field holds is refused here too: it is the same kind
//! of field, though the vendor says it of people only. An object that is deleted is tied to nobody any more.

use std::collections::HashSet;

use http::StatusCode;
use serde::Serialize;

use super::account::Account;
use super::attributes::{Attributes, Named, OneOrMany};
use super::collection::{Key, Object, Shown};
use super::refusal::Refusal;
use super::{Encharge, number_in_query, people, read, schemas};
use crate::mock::answer::{Answer, Call};

/// Any call under `/objects/{name}`.
pub(super) fn answer(
    encharge: &Encharge,
    call: &Call<'_>,
    name: &str,
    rest: &[&str],
) -> Result<Answer, Refusal> {
    if !encharge.account().has_schema(name) {
        return Err(schemas::missing(name));
    }
    let method = call.method.as_str();
    let key = match (method, rest) {
        ("POST", []) => return create(encharge, call, name),
        ("PUT", []) => return upsert(encharge, call, name),
        ("GET", []) => return Ok(list(encharge, call, name)),
        ("GET", ["count"]) => return Ok(count(encharge, name)),
        ("GET", ["search"]) => return search(encharge, call, name),
        (_, ["externalId", id]) => Key::ExternalId(id),
        (_, [id]) => Key::Id(id.parse().map_err(|_| Refusal::no_such_page())?),
        _ => return Err(Refusal::no_such_page()),
    };
    match method {
        "GET" => show(encharge, name, &key),
        "PATCH" => update(encharge, call, name, &key),
        "DELETE" => delete(encharge, name, &key),
        _ => Err(Refusal::no_such_page()),
    }
}

/// `POST /objects/{name}`: one object or an array, `objects` either way.
fn create(encharge: &Encharge, call: &Call<'_>, name: &str) -> Result<Answer, Refusal> {
    let body: OneOrMany = read(call)?;
    let external_ids: Vec<_> = body.as_slice().iter().map(check).collect::<Result<_, _>>()?;
    let objects = match body {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    };
    let mut account = encharge.account();
    let known = account.known_fields(name);
    let objects = objects.into_iter().map(|object| known.only(object));
    let pairs = objects.zip(external_ids);
    let objects: Vec<Object> = pairs
        .map(|(object, id)| account.create_object(name, object, id))
        .collect();
    drop(account);
    let objects: Vec<Shown<'_>> = objects.iter().map(Shown).collect();
    Ok(Answer::json(StatusCode::OK, &Named("objects", objects)))
}

/// `PUT /objects/{name}`: updates the object of the `id`, else of the `externalId`, else creates one.
fn upsert(encharge: &Encharge, call: &Call<'_>, name: &str) -> Result<Answer, Refusal> {
    let body: Attributes = read(call)?;
    let external_id = check(&body)?;
    let mut account = encharge.account();
    let (created, object) = account.upsert_object(name, numeric_id(&body)?, external_id, body);
    drop(account);
    Ok(Answer::json(
        StatusCode::OK,
        &Upserted {
            created,
            object: Shown(&object),
        },
    ))
}

/// `PATCH /objects/{name}/..`. The contract wants an `id` or `externalId` in the body as well.
fn update(encharge: &Encharge, call: &Call<'_>, name: &str, key: &Key<'_>) -> Result<Answer, Refusal> {
    let body: Attributes = read(call)?;
    let external_id = check(&body)?;
    if numeric_id(&body)?.is_none() && external_id.is_none() {
        return Err(Refusal::bad("The object must have an `id` or `externalId`"));
    }
    if let Key::Id(id) = key {
        check_repeated(&body, *id)?;
    }
    let mut account = encharge.account();
    let body = account.known_fields(name).only(body);
    let object = if account.keep {
        let collection = account.objects.by_name.entry(name.to_owned()).or_default();
        let found = collection.find(key);
        let updated = found.and_then(|id| collection.update(id, body, external_id));
        updated.ok_or_else(|| key.missing(name))?
    } else {
        Object::new(account.objects.next_id(), body)
    };
    drop(account);
    Ok(Answer::json(StatusCode::OK, &Named("object", Shown(&object))))
}

fn delete(encharge: &Encharge, name: &str, key: &Key<'_>) -> Result<Answer, Refusal> {
    let mut account = encharge.account();
    if account.keep {
        let collection = account.objects.by_name.get_mut(name);
        let removed = collection.and_then(|collection| collection.remove(key));
        let removed = removed.ok_or_else(|| key.missing(name))?;
        account.associations.forget(name, &removed.id.to_string());
        account.counts.objects -= 1;
    }
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// `GET /objects/{name}`, a page of `limit` objects (100) from `offset` (0).
fn list(encharge: &Encharge, call: &Call<'_>, name: &str) -> Answer {
    let limit = number_in_query(call, "limit").unwrap_or(100);
    let offset = number_in_query(call, "offset").unwrap_or(0);
    let account = encharge.account();
    let collection = account.objects.by_name.get(name);
    let all = collection
        .into_iter()
        .flat_map(|collection| collection.by_id.values());
    let objects: Vec<Shown<'_>> = all.skip(offset).take(limit).map(Shown).collect();
    Answer::json(StatusCode::OK, &Named("objects", objects))
}

fn count(encharge: &Encharge, name: &str) -> Answer {
    let account = encharge.account();
    let count = account
        .objects
        .by_name
        .get(name)
        .map_or(0, |collection| collection.by_id.len());
    Answer::json(StatusCode::OK, &Named("count", count))
}

fn show(encharge: &Encharge, name: &str, key: &Key<'_>) -> Result<Answer, Refusal> {
    let account = encharge.account();
    let collection = account.objects.by_name.get(name);
    let found = collection.and_then(|collection| collection.by_id.get(&collection.find(key)?));
    let object = found.ok_or_else(|| key.missing(name))?;
    Ok(Answer::json(StatusCode::OK, &Named("object", Shown(object))))
}

/// `GET /objects/{name}/search`: those of whose searchable fields one holds the text, whatever its case.
fn search(encharge: &Encharge, call: &Call<'_>, name: &str) -> Result<Answer, Refusal> {
    let mut pairs = url::form_urlencoded::parse(call.query.as_bytes());
    let wanted = pairs.find(|(key, _)| key == "query");
    let wanted = wanted
        .ok_or_else(|| Refusal::bad("`query` is required"))?
        .1
        .to_lowercase();
    let account = encharge.account();
    let fields = account.schema(name)?.searchable_fields();
    let has = |object: &&Object| {
        let mut texts = fields.iter().filter_map(|field| object.attributes.json(field));
        texts.any(|text| text.to_lowercase().contains(&wanted))
    };
    let all = account.objects.by_name.get(name).into_iter();
    let found = all.flat_map(|collection| collection.by_id.values()).filter(has);
    let found: Vec<Shown<'_>> = found.take(100).map(Shown).collect();
    Ok(Answer::json(StatusCode::OK, &Named("objects", found)))
}

/// The `externalId` of an object; refused where either key has the wrong type, or a value is too long.
pub(super) fn check(object: &Attributes) -> Result<Option<String>, Refusal> {
    numeric_id(object)?;
    people::check_lengths(object)?;
    external_id(object)
}

/// Refuses an `id` in the body that is not the path's: nothing says which of them the vendor would take.
fn check_repeated(body: &Attributes, id: u64) -> Result<(), Refusal> {
    match numeric_id(body)? {
        Some(other) if other != id => Err(Refusal::bad(format!(
            "`id` is {other} in the body and {id} in the path"
        ))),
        _ => Ok(()),
    }
}

/// The `externalId` of an object, a string by the contract.
fn external_id(object: &Attributes) -> Result<Option<String>, Refusal> {
    object.identifier("externalId")
}

/// The `id` of an object, a number by the contract.
pub(super) fn numeric_id(object: &Attributes) -> Result<Option<u64>, Refusal> {
    match object.json("id") {
        None | Some("null") => Ok(None),
        Some(id) => id
            .parse()
            .map(Some)
            .map_err(|_| Refusal::bad(format!("`id` must be a number, got {id:.40}"))),
    }
}

/// The names of the fields that are kept; none where all are.
struct KnownFields(Option<HashSet<String>>);

impl KnownFields {
    fn only(&self, mut object: Attributes) -> Attributes {
        if let Self(Some(known)) = self {
            object.retain(|name| known.contains(name));
        }
        object
    }
}

impl Account {
    fn known_fields(&self, name: &str) -> KnownFields {
        let schema = self.drop_unknown_fields.then(|| self.schema(name).ok());
        let fields = schema.flatten().map(|schema| schema.fields.list().iter());
        KnownFields(fields.map(|fields| fields.map(|field| field.name.clone()).collect()))
    }

    /// Updates the object of the `id`, else of the external one, else creates one; says whether it did.
    pub(super) fn upsert_object(
        &mut self,
        name: &str,
        id: Option<u64>,
        external_id: Option<String>,
        attributes: Attributes,
    ) -> (bool, Object) {
        let attributes = self.known_fields(name).only(attributes);
        let collection = self.objects.by_name.entry(name.to_owned()).or_default();
        let by_id = id.filter(|id| collection.by_id.contains_key(id));
        let found = by_id.or_else(|| collection.find(&Key::ExternalId(external_id.as_deref()?)));
        let updated = found.and_then(|id| collection.update(id, attributes.clone(), external_id.clone()));
        match updated {
            Some(object) => (false, object),
            None => (true, self.create_object(name, attributes, external_id)),
        }
    }

    fn create_object(&mut self, name: &str, attributes: Attributes, external_id: Option<String>) -> Object {
        self.counts.objects += 1;
        let object = Object::new(self.objects.next_id(), attributes);
        if self.keep {
            let collection = self.objects.by_name.entry(name.to_owned()).or_default();
            collection.insert(object.clone(), external_id);
        }
        object
    }
}

#[derive(Serialize)]
struct Upserted<'a> {
    created: bool,
    object: Shown<'a>,
}
