//! What would become of an account: changes to show, and the steps that make them.

use serde::Serialize;
use serde_json::Value;

use super::Call;

/// What a comparison of a file with an account comes to.
///
/// ```
/// use outpour::define::Plan;
/// assert!(!Plan::default().is_pending());
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// Everything that the file names, and what would be deleted, in the order of their names.
    pub changes: Vec<Change>,
    /// The calls that make the changes, in the order in which they must be made.
    pub steps: Vec<Step>,
}

/// One thing that the file or the account has.
///
/// ```
/// use outpour::define::{Change, Kind, Mark};
/// let change = Change { mark: Mark::Create, kind: Kind::Field, name: "invoice.due".into(), details: vec![], because: None };
/// assert_eq!(change.id(), "field invoice.due");
/// assert_eq!(change.to_string(), "+ field invoice.due");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// What becomes of it.
    pub mark: Mark,
    /// What it is.
    pub kind: Kind,
    /// Its name, such as `invoice.amount`.
    pub name: String,
    /// The keys that differ, or all of them where it is new.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Detail>,
    /// Why it cannot be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// What becomes of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// It is there as the file has it.
    Same,
    /// It would be created.
    Create,
    /// It would be changed.
    Change,
    /// It would be deleted.
    Delete,
    /// The file asks for what cannot be done.
    Cannot,
}

/// What a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A custom object, or its definition.
    Object,
    /// A field of an object.
    Field,
    /// Which fields of an object are searched and shown first.
    Search,
    /// A type of association between two objects.
    Association,
    /// A field of people.
    PersonField,
    /// A relationship of a definition to another object.
    Relationship,
}

/// A key that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Detail {
    /// The key, as the API calls it.
    pub key: String,
    /// What the account has; nothing where the thing is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// What the file has.
    pub to: Value,
}

/// One call, and the changes that it makes.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The changes, by [`Change::id`].
    pub makes: Vec<String>,
    /// The call.
    pub call: Call,
    /// A call that lists records that a deletion would take along, and the key of its answer that holds them.
    pub unless_records: Option<(Call, &'static str)>,
}

/// How many changes there are of each mark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// As the file has them.
    pub same: usize,
    /// To be created.
    pub create: usize,
    /// To be changed.
    pub change: usize,
    /// To be deleted.
    pub delete: usize,
    /// What cannot be done.
    pub cannot: usize,
}

impl Plan {
    /// The changes that steps make.
    pub fn pending(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.mark.is_pending())
    }

    /// Whether there is anything to do.
    pub fn is_pending(&self) -> bool {
        self.pending().next().is_some()
    }

    /// What the file asks for and cannot be done.
    pub fn impossible(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.mark == Mark::Cannot)
    }

    /// What would be deleted.
    pub fn deletions(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.mark == Mark::Delete)
    }

    /// How many changes there are of each mark.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for change in &self.changes {
            *match change.mark {
                Mark::Same => &mut counts.same,
                Mark::Create => &mut counts.create,
                Mark::Change => &mut counts.change,
                Mark::Delete => &mut counts.delete,
                Mark::Cannot => &mut counts.cannot,
            } += 1;
        }
        counts
    }

    /// Adds a change, and the call that makes it where one does.
    pub(super) fn add(&mut self, change: Change, call: Option<Call>) {
        if let Some(call) = call {
            self.steps.push(Step::new(vec![change.id()], call));
        }
        self.changes.push(change);
    }
}

impl Step {
    pub(super) fn new(makes: Vec<String>, call: Call) -> Self {
        Self {
            makes,
            call,
            unless_records: None,
        }
    }
}

impl Change {
    pub(super) fn new(mark: Mark, kind: Kind, name: impl Into<String>) -> Self {
        Self {
            mark,
            kind,
            name: name.into(),
            details: Vec::new(),
            because: None,
        }
    }

    pub(super) fn with(mut self, details: Vec<Detail>) -> Self {
        self.details = details;
        self
    }

    /// A change that cannot be, and why.
    pub(super) fn cannot(kind: Kind, name: impl Into<String>, because: impl Into<String>) -> Self {
        Self {
            because: Some(because.into()),
            ..Self::new(Mark::Cannot, kind, name)
        }
    }

    /// What tells it from all other changes of a plan: kind and name.
    pub fn id(&self) -> String {
        format!("{} {}", self.kind.word(), self.name)
    }
}

impl Mark {
    /// Whether there is something to do.
    pub fn is_pending(self) -> bool {
        matches!(self, Self::Create | Self::Change | Self::Delete)
    }

    /// The sign before a line.
    pub(super) const fn sign(self) -> char {
        match self {
            Self::Same => '=',
            Self::Create => '+',
            Self::Change => '~',
            Self::Delete => '-',
            Self::Cannot => '!',
        }
    }
}

impl Kind {
    /// The word for it in a line.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Field => "field",
            Self::Search => "search of",
            Self::Association => "association",
            Self::PersonField => "person field",
            Self::Relationship => "relationship",
        }
    }
}
