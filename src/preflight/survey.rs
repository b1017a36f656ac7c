//! A look at records: what of them does not fit, each kind once.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Field, Known};
use crate::record::{Fields, Position, Record, text_of};

/// Attributes that are told apart; those beyond are counted together.
const MOST: usize = 1_000;

/// Looks at records and remembers what does not fit, in memory that does not grow with them.
///
/// ```
/// use std::sync::Arc;
/// use outpour::preflight::{Known, Survey};
/// use outpour::record::{Origin, Position, Record, Shape};
/// let known = Known { fields: vec![], besides: vec![], unknown: "it is dropped".into(), longest: None };
/// let origin = Arc::new(Origin { name: "people.csv".into(), shape: Shape::Json });
/// let position = Position { origin, ordinal: 1, number: 1, line: Some(1), byte: 0 };
/// let mut survey = Survey::new(&known);
/// survey.look(&Record { position, text: r#"{"colour":"red"}"#.into(), original: None });
/// assert_eq!(survey.findings()[0].attribute, "colour");
/// ```
#[derive(Debug)]
pub struct Survey<'a> {
    fields: HashMap<&'a str, &'a Field>,
    besides: HashSet<&'a str>,
    longest: Option<u64>,
    findings: BTreeMap<(String, Misfit), Finding>,
    /// Findings about attributes that are not told apart any more.
    beyond: u64,
    records: u64,
}

/// In which way an attribute does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Misfit {
    /// The account does not know it.
    Unknown,
    /// A value has another type than the field.
    Type,
    /// A text is longer than the field holds.
    Long,
}

/// Something that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The attribute.
    pub attribute: String,
    /// In which way.
    pub misfit: Misfit,
    /// What the field takes: of a type in words, of a length the most characters.
    pub expects: String,
    /// In how many records.
    pub records: u64,
    /// Where it stands for the first time.
    pub first: Position,
}

impl<'a> Survey<'a> {
    /// A survey that has seen nothing.
    pub fn new(known: &'a Known) -> Self {
        Self {
            fields: known
                .fields
                .iter()
                .map(|field| (field.name.as_str(), field))
                .collect(),
            besides: known.besides.iter().map(String::as_str).collect(),
            longest: known.longest,
            findings: BTreeMap::new(),
            beyond: 0,
            records: 0,
        }
    }

    /// Looks at a record.
    pub fn look(&mut self, record: &Record) {
        self.records += 1;
        let Ok(fields) = Fields::parse(record.as_str()) else {
            return;
        };
        for attribute in fields.iter() {
            let name = attribute.key();
            if let Some((misfit, expects)) = self.misfit(&name, attribute.value) {
                self.note(&name, misfit, expects, &record.position);
            }
        }
    }

    /// How many records were looked at.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// What does not fit, by attribute.
    pub fn findings(&self) -> Vec<&Finding> {
        self.findings.values().collect()
    }

    /// How often something did not fit in attributes that are not listed, since there are too many.
    pub fn beyond(&self) -> u64 {
        self.beyond
    }

    fn misfit(&self, name: &str, json: &str) -> Option<(Misfit, String)> {
        let field = self.fields.get(name);
        if field.is_none() && !self.besides.contains(name) {
            return Some((Misfit::Unknown, String::new()));
        }
        if let Some(field) = field.filter(|field| !field.takes(json)) {
            return Some((Misfit::Type, field.expects()));
        }
        let longest = field.and_then(|field| field.longest).or(self.longest)?;
        let is_long = json.len() as u64 > longest && characters(json) > longest;
        is_long.then(|| (Misfit::Long, longest.to_string()))
    }

    fn note(&mut self, name: &str, misfit: Misfit, expects: String, position: &Position) {
        let key = (name.to_owned(), misfit);
        if let Some(finding) = self.findings.get_mut(&key) {
            finding.records += 1;
            return;
        }
        if self.findings.len() >= MOST {
            self.beyond += 1;
            return;
        }
        let finding = Finding {
            attribute: name.to_owned(),
            misfit,
            expects,
            records: 1,
            first: position.clone(),
        };
        self.findings.insert(key, finding);
    }
}

/// The characters of a text, or of what else a value is written with.
fn characters(json: &str) -> u64 {
    text_of(json).as_deref().unwrap_or(json).chars().count() as u64
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::record::{Origin, Shape};

    fn known() -> Known {
        Known {
            fields: serde_json::from_str(
                r#"[{"name":"email","type":"string"},{"name":"mrr","type":"number"},{"name":"code","longest":3}]"#,
            )
            .unwrap(),
            besides: vec!["tags".into()],
            unknown: String::new(),
            longest: Some(5),
        }
    }

    fn look(survey: &mut Survey<'_>, number: u64, text: &str) {
        let origin = Arc::new(Origin {
            name: "in.ndjson".into(),
            shape: Shape::Json,
        });
        let position = Position {
            origin,
            ordinal: number,
            number,
            line: Some(number),
            byte: 0,
        };
        survey.look(&Record {
            position,
            text: text.to_owned().into(),
            original: None,
        });
    }

    #[test]
    fn each_misfit_is_told_once_with_its_count_and_first_place() {
        let known = known();
        let mut survey = Survey::new(&known);
        look(&mut survey, 1, r#"{"email":"a","mrr":1,"tags":"x"}"#);
        look(&mut survey, 2, r#"{"email":"äöüß€!","mrr":"1","Email":"b"}"#);
        look(&mut survey, 3, r#"{"email":"äöüß€","mrr":"2","code":"1234"}"#);
        let seen: Vec<_> = survey
            .findings()
            .into_iter()
            .map(|finding| {
                (
                    finding.attribute.as_str(),
                    finding.misfit,
                    finding.records,
                    finding.first.number,
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("Email", Misfit::Unknown, 1, 2),
                ("code", Misfit::Long, 1, 3),
                ("email", Misfit::Long, 1, 2),
                ("mrr", Misfit::Type, 2, 2),
            ]
        );
        assert_eq!(survey.records(), 3);
    }

    #[test]
    fn very_many_unknown_attributes_are_counted_and_not_all_kept() {
        let known = known();
        let mut survey = Survey::new(&known);
        for number in 0..2_000 {
            look(&mut survey, number, &format!(r#"{{"a{number}":1}}"#));
        }
        assert_eq!(
            (survey.findings().len(), survey.beyond()),
            (MOST, 2_000 - MOST as u64)
        );
    }
}
