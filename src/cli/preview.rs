//! `outpour preview`: the exact requests, without sending them.

use std::fmt::Write;
use std::time::Duration;

use outpour::client::{Limits, Request};
use outpour::pipeline::{self, Preview};
use outpour::source;
use outpour::units::TimeSpan;

use super::args::PreviewArgs;
use super::error::Failure;
use super::job::LoadedJob;
use super::printer::Printer;

pub(super) fn preview(args: &PreviewArgs) -> Result<u8, Failure> {
    let job = LoadedJob::load(&args.job)?;
    let plan = job.plan_without_secrets()?;
    let source = source::open(job.source())?;
    let limits = plan.sender.limits.clone();
    let mut shown = 0;
    let mut failure = None;
    let preview = pipeline::preview(plan.job, source, |request, records| {
        if shown < args.requests {
            shown += 1;
            let text = if args.curl {
                as_curl(request)
            } else {
                as_http(request)
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
        failure.is_none() && (args.full || shown < args.requests)
    });
    if let Some(failure) = failure {
        return Err(failure);
    }
    Printer::result(&summary(&preview, &limits, args.full))?;
    Ok(match preview {
        Preview { error: Some(_), .. } => 65,
        Preview { rejected: 1.., .. } => 1,
        _ => 0,
    })
}

/// The request as it goes over the wire, with secrets masked.
pub(super) fn as_http(request: &Request) -> String {
    let mut text = format!("{} {}\n", request.method, request.url);
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
fn as_curl(request: &Request) -> String {
    let mut text = format!("curl -X {} {}", request.method, quoted(request.url.as_str()));
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
    let mut text = String::new();
    let requests = preview.requests;
    if is_full {
        let _ = writeln!(
            text,
            "{} records read, {} to send in {requests} requests, {} bytes",
            preview.read, preview.sent, preview.bytes
        );
        if preview.filtered > 0 {
            let _ = writeln!(text, "{} filtered", preview.filtered);
        }
        if preview.duplicates > 0 {
            let _ = writeln!(
                text,
                "{} records have the identifiers of an earlier one",
                preview.duplicates
            );
        }
        let _ = if limits.rates.is_empty() {
            writeln!(text, "no rate limit is set")
        } else {
            let whole = Duration::from_secs(limits.time_for(requests).as_secs());
            writeln!(
                text,
                "at {} this takes at least {}",
                limits.rates,
                TimeSpan::new(whole)
            )
        };
    } else {
        let _ = writeln!(text, "{requests} requests shown; --full reads the whole input");
    }
    if preview.rejected > 0 {
        let _ = writeln!(
            text,
            "{} records would be rejected before they are sent:",
            preview.rejected
        );
        for reason in &preview.reasons {
            let _ = writeln!(text, "  {reason}");
        }
    }
    for warning in &preview.warnings {
        let _ = writeln!(text, "warning: {warning}");
    }
    if let Some(error) = &preview.error {
        let _ = writeln!(text, "error: {error}");
    }
    text
}
