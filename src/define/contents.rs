//! What a file wants and what an account has, in one form, whichever the vendor; and the plan that lies between.

use serde_json::Value;

use super::{Answer, Connection, Kind, Mark, Plan, ReadError, Vendor, encharge, zuora};
use crate::client::Transport;

/// Objects, fields and what joins them: of a file, or of an account.
#[derive(Debug, Clone, PartialEq)]
pub enum Contents {
    /// Encharge's.
    Encharge(encharge::Contents),
    /// Zuora's.
    Zuora(zuora::Contents),
}

/// Whether what the file does not name may be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// Nothing is deleted.
    Never,
    /// What is custom, has no records, and is not in the file.
    Allowed,
}

impl Contents {
    /// Reads an account, with GETs alone.
    pub async fn read<T: Transport>(vendor: Vendor, connection: &Connection<T>) -> Result<Self, ReadError> {
        Ok(match vendor {
            Vendor::Encharge => Self::Encharge(encharge::read(connection).await?),
            Vendor::Zuora => Self::Zuora(zuora::read(connection).await?),
        })
    }

    /// Whose they are.
    pub fn vendor(&self) -> Vendor {
        match self {
            Self::Encharge(_) => Vendor::Encharge,
            Self::Zuora(_) => Vendor::Zuora,
        }
    }

    /// Without what the vendor made itself and what belongs to one account alone: as a file would have it.
    #[must_use]
    pub fn custom(self) -> Self {
        match self {
            Self::Encharge(contents) => Self::Encharge(contents.custom()),
            // What is read of Zuora is clean already.
            other @ Self::Zuora(_) => other,
        }
    }

    fn compare(&self, found: &Self, deletion: Deletion) -> Plan {
        match (self, found) {
            (Self::Encharge(wanted), Self::Encharge(found)) => encharge::compare(wanted, found, deletion),
            (Self::Zuora(wanted), Self::Zuora(found)) => zuora::compare(wanted, found, deletion),
            // An account is read for the vendor of what is wanted.
            _ => Plan::default(),
        }
    }
}

/// Reads the account and says what would have to be done to it. Only reads.
///
/// A deletion that would take records along cannot be done.
pub async fn plan<T: Transport>(
    wanted: &Contents,
    connection: &Connection<T>,
    deletion: Deletion,
) -> Result<Plan, ReadError> {
    let found = Contents::read(wanted.vendor(), connection).await?;
    let mut plan = wanted.compare(&found, deletion);
    spare_records(&mut plan, connection).await?;
    Ok(plan)
}

async fn spare_records<T: Transport>(plan: &mut Plan, connection: &Connection<T>) -> Result<(), ReadError> {
    let mut spared = Vec::new();
    for step in &plan.steps {
        let Some((call, key)) = &step.unless_records else {
            continue;
        };
        let answer = connection.call(call, "").await;
        if has_records(answer, &call.path, key)? {
            spared.extend(step.makes.iter().cloned());
        }
    }
    plan.steps
        .retain(|step| !step.makes.iter().any(|id| spared.contains(id)));
    for change in &mut plan.changes {
        if spared.contains(&change.id()) {
            change.mark = Mark::Cannot;
            let whose = if change.kind == Kind::Object {
                "it has"
            } else {
                "its object has"
            };
            change.because = Some(format!("it is not deleted, since {whose} records"));
        }
    }
    Ok(())
}

fn has_records(answer: Answer, path: &str, key: &str) -> Result<bool, ReadError> {
    match answer {
        Answer::Good(value) => match value.get(key).and_then(Value::as_array) {
            Some(records) => Ok(!records.is_empty()),
            None => Err(ReadError::Strange {
                path: path.to_owned(),
                reason: format!("it has no list `{key}`"),
            }),
        },
        // The object is gone, and its records with it.
        Answer::Missing => Ok(false),
        Answer::Denied(reason) => Err(ReadError::Denied(reason)),
        other => Err(ReadError::Failed(other.reason())),
    }
}
