//! Associations: which objects can be tied to which, and which object is tied to whom.
//!
//! A type of association is defined once and holds in both directions; `person` is a side like any other. The ids in
//! paths are the vendor's own, never external ones. Choices where the contract is silent: defining a type twice makes two,
//! as nothing tells a repeat from a second kind of tie. Tying twice is no error, nor is untying what is not tied. A tie that
//! the type has no room for (a second owner in `1:M`, a second partner in `1:1`) is refused, so that the first one is not
//! lost in silence. `default` is refused unless exactly one type lies between the two objects.

use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::account::Account;
use super::refusal::Refusal;
use super::ties::Ties;
use super::{Encharge, read, schemas};
use crate::mock::answer::{Answer, Call};

/// What the people's side of an association is called.
pub(super) const PERSON: &str = "person";

/// The id before that of the first type of association; none that an object has by chance.
const FIRST_ID: u64 = 100;

/// How many of one side may be tied to how many of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cardinality {
    /// One to one.
    #[serde(rename = "1:1")]
    OneToOne,
    /// One `from` to many `to`.
    #[serde(rename = "1:M")]
    OneToMany,
    /// Many to many.
    #[serde(rename = "M:M")]
    ManyToMany,
}

/// A way in which the objects of two kinds can be tied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssociationType {
    /// The id in paths.
    pub id: u64,
    /// How many may be tied to how many.
    pub r#type: Cardinality,
    /// The kind of object on the one side.
    pub from_object: String,
    /// The kind of object on the other side.
    pub to_object: String,
    /// What the tie means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Two objects that are tied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Association {
    /// The id of the [`AssociationType`].
    pub association: u64,
    /// The kind of object on the type's `from` side.
    pub from_object: String,
    /// That object's id: a number, or a person's UUID.
    pub from_id: String,
    /// The kind of object on the type's `to` side.
    pub to_object: String,
    /// That object's id.
    pub to_id: String,
}

/// The body of `POST /schemas/associations`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Definition {
    r#type: Cardinality,
    from_object: String,
    to_object: String,
    name: Option<String>,
}

/// The types, and who is tied to whom.
#[derive(Debug)]
pub(super) struct Associations {
    types: Vec<AssociationType>,
    last_id: u64,
    ties: Ties,
}

/// `POST /schemas/associations`.
pub(super) fn define(encharge: &Encharge, call: &Call<'_>) -> Result<Answer, Refusal> {
    let sent: Definition = read(call)?;
    let mut account = encharge.account();
    for object in [&sent.from_object, &sent.to_object] {
        account.check_side(object)?;
    }
    let association = account
        .associations
        .define(sent.r#type, &sent.from_object, &sent.to_object, sent.name);
    Ok(Answer::json(StatusCode::OK, &json!({"association": association})))
}

/// `DELETE /schemas/associations/{id}`: the type, and every tie of it.
pub(super) fn undefine(encharge: &Encharge, id: &str) -> Result<Answer, Refusal> {
    let id = number(id)?;
    let mut account = encharge.account();
    account.association_type(id)?;
    account.associations.forget_types(|known| known.id == id);
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// Any call under `/objects/{object}/{id}/associations`.
pub(super) fn answer(
    encharge: &Encharge,
    call: &Call<'_>,
    [object, id]: [&str; 2],
    rest: &[&str],
) -> Result<Answer, Refusal> {
    let mut account = encharge.account();
    account.check_side(object)?;
    match (call.method, rest) {
        (&Method::GET, []) => super::associated::all(&account, object, id),
        (&Method::GET, [association]) => {
            super::associated::list(&account, call, object, id, number(association)?)
        }
        (&Method::POST, ["default", other, target]) => {
            account.check_side(other)?;
            let association = account.default_between(object, other)?;
            account.tie(association, [object, id], target)
        }
        (&Method::POST, [association, target]) => account.tie(number(association)?, [object, id], target),
        (&Method::DELETE, [association, target]) => account.untie(number(association)?, [object, id], target),
        _ => Err(Refusal::no_such_page()),
    }
}

fn number(segment: &str) -> Result<u64, Refusal> {
    segment.parse().map_err(|_| Refusal::no_such_page())
}

impl Account {
    fn check_side(&self, object: &str) -> Result<(), Refusal> {
        if object == PERSON || self.has_schema(object) {
            return Ok(());
        }
        Err(schemas::missing(object))
    }

    pub(super) fn association_type(&self, id: u64) -> Result<&AssociationType, Refusal> {
        let mut types = self.associations.types.iter();
        types
            .find(|known| known.id == id)
            .ok_or_else(|| Refusal::not_found(format!("Association {id} does not exist")))
    }

    /// The only type between two objects; where nothing is kept and none is known, any.
    pub(super) fn default_between(&self, object: &str, other: &str) -> Result<u64, Refusal> {
        let between: Vec<u64> = self.associations.between(object, other).collect();
        match between.as_slice() {
            [only] => Ok(*only),
            [] if !self.keep => Ok(FIRST_ID),
            [] => Err(Refusal::bad(format!(
                "There is no association between `{object}` and `{other}`"
            ))),
            _ => Err(Refusal::bad(format!(
                "There is more than one association between `{object}` and `{other}`: pass the association's id"
            ))),
        }
    }

    pub(super) fn tie(&mut self, association: u64, own: [&str; 2], target: &str) -> Result<Answer, Refusal> {
        if self.keep {
            let (kind, [from, to]) = self.sides(association, own, target)?;
            self.check_exists(&kind.from_object, from)?;
            self.check_exists(&kind.to_object, to)?;
            let cardinality = kind.r#type;
            let ties = &mut self.associations.ties;
            ties.tie(association, cardinality, [from, to])?;
        }
        self.counts.associated += 1;
        Ok(Answer::empty(StatusCode::CREATED))
    }

    fn untie(&mut self, association: u64, own: [&str; 2], target: &str) -> Result<Answer, Refusal> {
        if self.keep {
            let (kind, [from, to]) = self.sides(association, own, target)?;
            // Between two objects of one kind nothing tells the sides apart.
            let is_reversible = kind.from_object == kind.to_object;
            let ties = &mut self.associations.ties;
            ties.untie(association, [from, to]);
            if is_reversible {
                ties.untie(association, [to, from]);
            }
        }
        self.counts.dissociated += 1;
        Ok(Answer::empty(StatusCode::NO_CONTENT))
    }

    /// The type, and the ids on its `from` and its `to` side, whichever way round the path names them.
    fn sides<'a>(
        &self,
        association: u64,
        [object, id]: [&'a str; 2],
        target: &'a str,
    ) -> Result<(&AssociationType, [&'a str; 2]), Refusal> {
        let kind = self.association_type(association)?;
        if kind.from_object == object {
            Ok((kind, [id, target]))
        } else if kind.to_object == object {
            Ok((kind, [target, id]))
        } else {
            Err(Refusal::bad(format!(
                "Association {association} is between `{}` and `{}`, not `{object}`",
                kind.from_object, kind.to_object
            )))
        }
    }
}

impl Associations {
    /// The one type that is there from the start, where companies are: any company with any person.
    pub(super) fn new(has_company: bool) -> Self {
        let mut own = Self {
            types: Vec::new(),
            last_id: FIRST_ID,
            ties: Ties::default(),
        };
        if has_company {
            own.define(Cardinality::ManyToMany, schemas::COMPANY, PERSON, None);
        }
        own
    }

    fn define(&mut self, r#type: Cardinality, from: &str, to: &str, name: Option<String>) -> AssociationType {
        self.last_id += 1;
        let defined = AssociationType {
            id: self.last_id,
            r#type,
            from_object: from.to_owned(),
            to_object: to.to_owned(),
            name,
        };
        self.types.push(defined.clone());
        defined
    }

    pub(super) fn types(&self) -> &[AssociationType] {
        &self.types
    }

    /// The types that an object is a side of.
    pub(super) fn types_of<'a>(&'a self, object: &'a str) -> impl Iterator<Item = &'a AssociationType> {
        let types = self.types.iter();
        types.filter(move |known| known.from_object == object || known.to_object == object)
    }

    fn between<'a>(&'a self, object: &'a str, other: &'a str) -> impl Iterator<Item = u64> + 'a {
        let is_between = move |known: &&AssociationType| {
            let sides = (known.from_object.as_str(), known.to_object.as_str());
            sides == (object, other) || sides == (other, object)
        };
        self.types.iter().filter(is_between).map(|known| known.id)
    }

    /// The ids on the other side, in both directions where both sides are of one kind.
    pub(super) fn tied_to(&self, kind: &AssociationType, object: &str, id: &str) -> Vec<&str> {
        let is_from = kind.from_object == object;
        let is_to = kind.to_object == object;
        let forth = is_from.then(|| self.ties.from(kind.id, id));
        let back = is_to.then(|| self.ties.to(kind.id, id));
        forth
            .into_iter()
            .flatten()
            .chain(back.into_iter().flatten())
            .collect()
    }

    /// Unties an object that is no more from everything.
    pub(super) fn forget(&mut self, object: &str, id: &str) {
        for kind in &self.types {
            if kind.from_object == object {
                self.ties.forget_from(kind.id, id);
            }
            if kind.to_object == object {
                self.ties.forget_to(kind.id, id);
            }
        }
    }

    pub(super) fn forget_object(&mut self, object: &str) {
        self.forget_types(|known| known.from_object == object || known.to_object == object);
    }

    fn forget_types(&mut self, is_gone: impl Fn(&AssociationType) -> bool) {
        self.types.retain(|known| !is_gone(known));
        self.ties
            .retain(&self.types.iter().map(|known| known.id).collect());
    }

    /// Every tie, sorted.
    pub(super) fn list(&self) -> Vec<Association> {
        let ties = self.ties.iter();
        ties.filter_map(|(association, from, to)| {
            let kind = self.types.iter().find(|known| known.id == association)?;
            Some(Association {
                association,
                from_object: kind.from_object.clone(),
                from_id: from.to_owned(),
                to_object: kind.to_object.clone(),
                to_id: to.to_owned(),
            })
        })
        .collect()
    }
}
