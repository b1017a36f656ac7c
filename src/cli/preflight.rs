//! The preflight: records compared with what the account knows, before anything is sent.

use std::fmt::Write;

use outpour::client::{HttpTransport, Outcome, Policy, Reply, Request, Sender};
use outpour::config::Plan;
use outpour::endpoint::Endpoint;
use outpour::pipeline;
use outpour::preflight::{Finding, Known, Misfit, Preflight, Survey};
use outpour::report::{counted, grouped};
use outpour::source;

use super::error::Failure;
use super::job::LoadedJob;

/// Where the findings are told.
pub(super) type Say = fn(&str) -> Result<(), Failure>;

const NOTHING_LIKE_IT: &str = "the template has no preflight: the API does not tell its fields, or takes any";

/// What an endpoint's records are compared with.
struct Compared {
    /// What the comparison is called.
    title: String,
    /// None where the endpoint's template has no preflight.
    known: Option<Known>,
}

/// Looks at all records of the job, tells `say` what does not fit, and fails if there is something. `plan` is one of its
/// own: its records are read.
pub(super) async fn preflight(plan: Plan, job: &LoadedJob, say: Say) -> Result<(), Failure> {
    if plan.preflights.iter().all(Option::is_none) {
        return say(&format!("  {NOTHING_LIKE_IT}"));
    }
    if job.source().path.as_slice().iter().any(|path| path == "-") {
        return Err(Failure::usage_hint(
            "a preflight reads the records before they are sent, and standard input can be read once",
            "write them to a file first, or leave the preflight out",
        ));
    }
    let compared = compared(&plan).await?;
    let source = source::open(job.source())?;
    let mut surveys: Vec<_> = compared
        .iter()
        .map(|one| one.known.as_ref().map(Survey::new))
        .collect();
    // Reading is synchronous, and it is all that happens meanwhile.
    let seen = tokio::task::block_in_place(|| {
        pipeline::preview(plan.job, source, |_, records| {
            for item in records {
                if let Some(Some(survey)) = surveys.get_mut(item.route) {
                    survey.look(&item.record);
                }
            }
            true
        })
    });
    if let Some(error) = seen.error {
        return Err(Failure::Preflight {
            message: format!("the input cannot be read to its end: {error}"),
            code: 65,
        });
    }
    let mut count = 0;
    for (Compared { title, known }, survey) in compared.iter().zip(&surveys) {
        match (known, survey) {
            (Some(known), Some(survey)) => {
                say(&told(title, survey, known))?;
                count += survey.findings().len() as u64;
            }
            _ => say(&format!("  {title}: not compared, the template has none"))?,
        }
    }
    match count {
        0 => Ok(()),
        count => Err(Failure::Preflight {
            message: format!(
                "the preflight found {} that {} not fit; no record was sent",
                counted(count, "thing"),
                if count == 1 { "does" } else { "do" }
            ),
            code: 65,
        }),
    }
}

/// What the account knows of the records of each endpoint, in the order of the job's.
async fn compared(plan: &Plan) -> Result<Vec<Compared>, Failure> {
    let mut compared = Vec::new();
    for (route, preflight) in plan.job.routes.iter().zip(&plan.preflights) {
        let title = match plan.job.routes.is_change_feed() {
            true => format!("preflight of {}", route.endpoint.name()),
            false => "preflight".to_owned(),
        };
        let known = match preflight {
            Some(preflight) => Some(known(plan, &route.endpoint, preflight).await?),
            None => None,
        };
        compared.push(Compared { title, known });
    }
    Ok(compared)
}

/// What the account says that it knows.
async fn known(plan: &Plan, endpoint: &Endpoint, preflight: &Preflight) -> Result<Known, Failure> {
    let reply = ask(plan, preflight.request()).await?;
    let status = reply.status.as_u16();
    if status == 404
        && let Some(request) = preflight.names_request()
    {
        let names = ask(plan, request).await?;
        if let Some(message) = preflight.no_such_name(&names.body) {
            return Err(Failure::Preflight { message, code: 2 });
        }
    }
    if !reply.status.is_success() {
        let reason = endpoint.success().reason(reply.status, &reply.body);
        return Err(Failure::Preflight {
            message: format!("the account does not tell its fields: {reason}"),
            code: if matches!(status, 401 | 403) { 77 } else { 69 },
        });
    }
    preflight.known(&reply.body).map_err(|error| Failure::Preflight {
        message: error.to_string(),
        code: 75,
    })
}

async fn ask(plan: &Plan, request: &Request) -> Result<Reply, Failure> {
    let sender = Sender::new(HttpTransport::new(&plan.transport)?, &plan.sender);
    let policy = Policy {
        safe_to_resend: true,
        needs_body: true,
        ..Policy::default()
    };
    let no_answer = |error: &dyn std::error::Error| Failure::Preflight {
        message: format!(
            "the account does not answer: {error}{}",
            error
                .source()
                .map(|cause| format!(": {cause}"))
                .unwrap_or_default()
        ),
        code: 69,
    };
    match sender.send(request, &policy).await.outcome {
        Outcome::Replied(mut reply) => {
            plan.job.routes.mask(&mut reply);
            Ok(reply)
        }
        Outcome::NotSent(error) | Outcome::InDoubt(error) => Err(no_answer(&error)),
        Outcome::Fatal(fatal) => Err(no_answer(&fatal)),
        Outcome::Stopped => Err(Failure::Preflight {
            message: "the preflight was stopped".to_owned(),
            code: 75,
        }),
    }
}

fn told(title: &str, survey: &Survey<'_>, known: &Known) -> String {
    const SHOWN: usize = 50;
    let looked = counted(survey.records(), "record");
    let findings = survey.findings();
    if findings.is_empty() {
        return format!(
            "  {title}: {looked} fit the account's {}",
            counted(known.fields.len() as u64, "field")
        );
    }
    let mut text = format!("  {title}: of {looked}, some do not fit what the account knows\n");
    for finding in findings.iter().take(SHOWN) {
        let _ = writeln!(
            text,
            "    `{}`: {} ({}, first {})",
            finding.attribute,
            what(finding, known),
            counted(finding.records, "record"),
            finding.first,
        );
    }
    let more = findings.len().saturating_sub(SHOWN) as u64 + survey.beyond();
    if more > 0 {
        let _ = writeln!(text, "    and {} more", grouped(more));
    }
    text.push_str(
        "  hint: `records.rename`, `records.exclude` and types of columns mend it; `preflight.allow` names attributes that are meant",
    );
    text
}

fn what(finding: &Finding, known: &Known) -> String {
    match finding.misfit {
        Misfit::Unknown => {
            let names = known.fields.iter().map(|field| field.name.as_str());
            let meant = outpour::document::closest(&finding.attribute, names)
                .map(|meant| format!(", did you mean `{meant}`?"))
                .unwrap_or_default();
            format!("no such field, {}{meant}", known.unknown)
        }
        Misfit::Type => format!("a value is not {}", finding.expects),
        Misfit::Long => format!("a value is longer than {} characters", finding.expects),
    }
}
