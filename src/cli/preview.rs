//! `outpour preview`: the exact requests, without sending them.

use std::fmt::Write;
use std::time::Duration;

use outpour::client::{Concurrency, Limits, Request};
use outpour::config::Plan;
use outpour::endpoint::Endpoint;
use outpour::pipeline::{self, Preview};
use outpour::report::{counted, grouped};
use outpour::source::{self, Source};
use outpour::units::TimeSpan;

use super::args::PreviewArgs;
use super::error::Failure;
use super::job::LoadedJob;
use super::printer::Printer;

pub(super) fn preview(args: &PreviewArgs) -> Result<u8, Failure> {
    let job = LoadedJob::load(&args.job)?;
    let plan = job.plan_without_secrets()?;
    let source = source::open(job.source())?;
    let showing = Showing {
        requests: args.requests,
        is_curl: args.curl,
        is_full: args.full,
    };
    show(plan, source, &showing)
}

/// How much of a preview is shown, and how.
pub(super) struct Showing {
    pub(super) requests: u64,
    pub(super) is_curl: bool,
    pub(super) is_full: bool,
}

/// Shows the requests that a plan would send of a source.
pub(super) fn show(plan: Plan, source: Box<dyn Source>, showing: &Showing) -> Result<u8, Failure> {
    let limits = plan.sender.limits.clone();
    let routes = plan.job.routes.clone();
    let mut shown = 0;
    let mut failure = None;
    let preview = pipeline::preview(plan.job, source, |request, records| {
        if shown < showing.requests {
            shown += 1;
            let endpoint = routes.of(records);
            let text = if showing.is_curl {
                as_curl(endpoint, request)
            } else {
                as_http(endpoint, request)
            };
            let place = records
                .first()
                .map(|first| first.record.position.to_string())
                .unwrap_or_default();
            let more = if records.len() > 1 {
                format!(" and {} more", records.len() - 1)
            } else {
                String::new()
            };
            if let Err(error) = Printer::result(&format!("# {place}{more}\n{text}\n")) {
                failure = Some(error);
            }
        }
        failure.is_none() && (showing.is_full || shown < showing.requests)
    });
    if let Some(failure) = failure {
        return Err(failure);
    }
    Printer::result(&summary(&preview, &limits, showing.is_full))?;
    Ok(match preview {
        Preview { error: Some(_), .. } => 65,
        Preview { rejected: 1.., .. } => 1,
        _ => 0,
    })
}

/// The request as it goes over the wire, with secrets masked.
pub(super) fn as_http(endpoint: &Endpoint, request: &Request) -> String {
    let mut text = format!("{} {}\n", request.method, endpoint.masked_url(&request.url));
    for (name, value) in &request.headers {
        let value = if value.is_sensitive() {
            "***".into()
        } else {
            String::from_utf8_lossy(value.as_bytes())
        };
        let _ = writeln!(text, "{name}: {value}");
    }
    let body = String::from_utf8_lossy(&request.body);
    if body.is_empty() {
        text
    } else {
        format!("{text}\n{}\n", body.trim_end_matches('\n'))
    }
}

/// The request as a command for a POSIX shell. Secrets are masked: put the key in place of `***`.
fn as_curl(endpoint: &Endpoint, request: &Request) -> String {
    let mut text = format!(
        "curl -X {} {}",
        request.method,
        quoted(&endpoint.masked_url(&request.url))
    );
    for (name, value) in &request.headers {
        let value = if value.is_sensitive() {
            "***".into()
        } else {
            String::from_utf8_lossy(value.as_bytes())
        };
        let _ = write!(text, " \\\n  -H {}", quoted(&format!("{name}: {value}")));
    }
    if !request.body.is_empty() {
        let _ = write!(
            text,
            " \\\n  --data-binary {}",
            quoted(&String::from_utf8_lossy(&request.body))
        );
    }
    text
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn summary(preview: &Preview, limits: &Limits, is_full: bool) -> String {
    let requests = counted(preview.requests, "request");
    let mut lines = if is_full {
        whole(preview, limits)
    } else {
        vec![format!("{requests} shown; --full reads the whole input")]
    };
    if preview.filtered > 0 {
        lines.push(format!("filtered: {}", counted(preview.filtered, "record")));
    }
    if preview.rejected > 0 {
        lines.push(format!(
            "rejected before they are sent: {}",
            counted(preview.rejected, "record")
        ));
        lines.extend(preview.reasons.iter().map(|reason| format!("  {reason}")));
    }
    lines.extend(
        preview
            .warnings
            .iter()
            .map(|warning| format!("warning: {warning}")),
    );
    lines.extend(preview.error.iter().map(|error| format!("error: {error}")));
    lines.join("\n")
}

/// What is known once the whole input was read.
fn whole(preview: &Preview, limits: &Limits) -> Vec<String> {
    let [read, duplicates] = [preview.read, preview.duplicates].map(|number| counted(number, "record"));
    let sent = grouped(preview.sent);
    let (requests, bytes) = (
        counted(preview.requests, "request"),
        counted(preview.bytes, "byte"),
    );
    let mut lines = vec![format!("{read} read, {sent} to send in {requests}, {bytes}")];
    if preview.duplicates > 0 {
        lines.push(format!("with the identifiers of an earlier one: {duplicates}"));
    }
    let time = limits.time_for(preview.requests);
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    if let Concurrency::Auto { .. } = limits.concurrency {
        lines.push(format!("{} requests at once", limits.concurrency));
    }
    lines.push(match limits.rates.is_empty() {
        true => "no rate limit is set".to_owned(),
        false => {
            format!(
                "at {} this takes at least {}",
                limits.rates,
                TimeSpan::new(Duration::from_secs(seconds))
            )
        }
    });
    lines
}
