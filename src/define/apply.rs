//! Making the steps of a plan, one at a time.
//!
//! Before each step the account is read and compared anew, and the first step of that plan is made. So nothing is
//! remembered between two runs, and nothing is made twice: a step whose answer was lost is looked for before it is made
//! again, and a run that was killed is gone on with by the next one.

use std::time::Duration;

use serde::Serialize;
use tokio::time::sleep;
use uuid::Uuid;

use super::{Answer, Change, Connection, Contents, Deletion, Plan, ReadError, Step, plan};
use crate::client::Transport;

/// What became of a plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Applied {
    /// The changes that are made, by [`Change::id`], in their order.
    pub done: Vec<String>,
    /// Those that are not.
    pub left: Vec<String>,
    /// Why it ended before the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
}

/// Why steps were left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Stopped {
    /// The credentials are refused.
    Denied {
        /// What the API says.
        said: String,
    },
    /// The API refuses a step.
    Refused {
        /// The changes that the step would have made.
        step: Vec<String>,
        /// What the API says.
        said: String,
    },
    /// A step may have been made, and the account does not show it.
    Doubtful {
        /// The changes of the step.
        step: Vec<String>,
        /// What is known.
        said: String,
    },
    /// The account cannot be reached or read.
    Unreachable {
        /// Why.
        said: String,
    },
    /// The account has changed since the plan was shown.
    Changed {
        /// What is to do now and was not before.
        change: String,
    },
}

/// How often a step is made again whose answer was lost and which the account does not show.
const REPEATS: u32 = 2;

/// How often the account is read again for a step that was answered with success and does not show yet.
const LOOKS: u32 = 5;

/// How long is waited before the account is read again; it doubles with each time.
const PAUSE: Duration = Duration::from_millis(500);

/// Makes the steps of a plan that was shown, until the account is as the file has it or a step fails. `made` is told each
/// change.
///
/// Only what `shown` has is done: a change that it lacks ends the run.
///
/// ```
/// use outpour::client::{Reply, Request, Transport, TransportError};
/// use outpour::define::{Definitions, Deletion, apply, plan};
/// use outpour::template::Catalog;
///
/// /// An account that has the field already.
/// struct Done;
///
/// impl Transport for Done {
///     async fn send(&self, request: &Request) -> Result<Reply, TransportError> {
///         let body = match request.url.path() {
///             "/v1/fields" => r#"{"items": [{"name": "mrr", "type": "number"}]}"#,
///             _ => r#"{"objects": []}"#,
///         };
///         Ok(Reply::new(http::StatusCode::OK, body))
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let text = "
/// vendor: encharge
/// account: {credentials: {api_key: eyJhIjoxfQ.e30.x}}
/// person_fields: {mrr: {type: number}}
/// ";
/// let definitions = Definitions::parse("people.yaml", text, &[])?;
/// let account = definitions.account(&Catalog::built_in()?, true)?.over(Done);
/// let shown = plan(definitions.contents(), &account, Deletion::Never).await?;
/// let applied = apply(definitions.contents(), &account, &shown, Deletion::Never, &mut |_| ()).await;
/// assert!(applied.done.is_empty() && applied.stopped.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn apply<T: Transport>(
    wanted: &Contents,
    connection: &Connection<T>,
    shown: &Plan,
    deletion: Deletion,
    made: &mut (dyn FnMut(&Change) + Send),
) -> Applied {
    let mut course = Course {
        left: shown.pending().cloned().collect(),
        applied: Applied::default(),
        last: None,
        made,
    };
    let stopped = loop {
        let plan = match plan(wanted, connection, deletion).await {
            Ok(plan) => plan,
            Err(error) => break Some(error.into()),
        };
        match course.next(&plan) {
            Next::Done => break None,
            Next::Stop(why) => break Some(why),
            Next::Wait(pause) => sleep(pause).await,
            Next::Make(step, key) => {
                let answer = connection.call(&step.call, &key).await;
                course.last = Some(course.tried(step, key, answer));
            }
        }
    };
    course.end(stopped)
}

/// How far it has come.
struct Course<'a> {
    left: Vec<Change>,
    applied: Applied,
    last: Option<Tried>,
    made: &'a mut (dyn FnMut(&Change) + Send),
}

/// The last step, and what is known of it.
struct Tried {
    step: Step,
    /// What the API knows the call by.
    key: String,
    answer: Answer,
    /// How often it was made.
    times: u32,
    /// How often the account was looked at since.
    looks: u32,
}

enum Next {
    Make(Step, String),
    Wait(Duration),
    Stop(Stopped),
    Done,
}

impl Course<'_> {
    /// What follows from the account as it is now.
    fn next(&mut self, plan: &Plan) -> Next {
        let pending: Vec<String> = plan.pending().map(Change::id).collect();
        self.settle(&pending);
        let is_left = |id: &&String| self.left.iter().any(|change| change.id() == **id);
        if let Some(stray) = pending.iter().find(|id| !is_left(id)) {
            return Next::Stop(Stopped::Changed {
                change: stray.clone(),
            });
        }
        if let Some(change) = plan.impossible().next() {
            return Next::Stop(Stopped::Changed { change: change.id() });
        }
        let is_open = |tried: &Tried| tried.step.makes.iter().any(|id| pending.contains(id));
        match self.last.take().filter(is_open) {
            Some(tried) => self.look_again(tried, plan),
            None => match plan.steps.first() {
                Some(step) => Next::Make(step.clone(), Uuid::now_v7().to_string()),
                None => Next::Done,
            },
        }
    }

    /// Tells what is not to do any more.
    fn settle(&mut self, pending: &[String]) {
        let (left, done): (Vec<Change>, Vec<Change>) = std::mem::take(&mut self.left)
            .into_iter()
            .partition(|change| pending.contains(&change.id()));
        self.left = left;
        for change in &done {
            (self.made)(change);
            self.applied.done.push(change.id());
        }
    }

    /// The account does not show the last step.
    fn look_again(&mut self, mut tried: Tried, plan: &Plan) -> Next {
        let step = tried.step.makes.clone();
        let pause = PAUSE * 2u32.pow(tried.looks);
        tried.looks += 1;
        match tried.answer.clone() {
            Answer::Denied(said) => Next::Stop(Stopped::Denied { said }),
            answer @ (Answer::Missing | Answer::Refused(_)) => {
                let said = answer.reason();
                Next::Stop(Stopped::Refused { step, said })
            }
            Answer::NotSent(said) => Next::Stop(Stopped::Unreachable { said }),
            Answer::Good(_) if tried.looks > LOOKS => {
                let said = "it was answered with success, and the account does not show it".to_owned();
                Next::Stop(Stopped::Doubtful { step, said })
            }
            Answer::Doubtful(said) | Answer::Failed(said) if tried.times > REPEATS => {
                Next::Stop(Stopped::Doubtful { step, said })
            }
            // It may be on its way still: it is looked for once more before it is made again.
            Answer::Doubtful(_) | Answer::Failed(_) if tried.looks > 1 => self.again(tried, plan),
            Answer::Good(_) | Answer::Doubtful(_) | Answer::Failed(_) => {
                self.last = Some(tried);
                Next::Wait(pause)
            }
        }
    }

    /// The same call has the same key, so that an API that knows it carries it out once. After a failure it has a new one,
    /// since the API gives the same failure for the same key.
    fn again(&mut self, tried: Tried, plan: &Plan) -> Next {
        let Some(step) = plan.steps.first().cloned() else {
            return Next::Done;
        };
        let is_same = step == tried.step && matches!(tried.answer, Answer::Doubtful(_));
        let key = match is_same {
            true => tried.key.clone(),
            false => Uuid::now_v7().to_string(),
        };
        self.last = Some(tried);
        Next::Make(step, key)
    }

    fn tried(&mut self, step: Step, key: String, answer: Answer) -> Tried {
        let times = self.last.take().map_or(0, |tried| tried.times);
        Tried {
            step,
            key,
            answer,
            times: times + 1,
            looks: 0,
        }
    }

    fn end(mut self, stopped: Option<Stopped>) -> Applied {
        self.applied.left = self.left.iter().map(Change::id).collect();
        self.applied.stopped = stopped;
        self.applied
    }
}

impl From<ReadError> for Stopped {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Denied(said) => Self::Denied { said },
            other => Self::Unreachable {
                said: other.to_string(),
            },
        }
    }
}
