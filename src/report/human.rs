//! The report for people.

use std::fmt::Write;
use std::time::Duration;

use super::{Ending, Report};
use crate::units::TimeSpan;
use crate::visible::{in_line, visible};

impl Report {
    /// The report as a few lines of text, without a newline at its end. Control characters are made visible.
    pub fn to_human(&self) -> String {
        let mut text = String::new();
        self.write(&mut text).unwrap_or_default();
        visible(text.trim_end()).into_owned()
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let length = Duration::from_millis(self.duration_ms);
        let took = if length.as_secs() >= 10 {
            Duration::from_secs(length.as_secs())
        } else {
            length
        };
        writeln!(
            text,
            "{}: {} in {}",
            in_line(&self.job),
            self.outcome(),
            TimeSpan::new(took)
        )?;
        let totals = &self.totals;
        let counts = [
            ("read", totals.read),
            ("accepted", totals.accepted),
            ("rejected", totals.rejected),
            ("filtered", totals.filtered),
            ("in doubt", totals.in_doubt),
            ("unsent", totals.unsent),
        ];
        for (name, count) in counts {
            writeln!(text, "  {name:<9} {:>12}", grouped(count))?;
        }
        if let Some(run) = self.retry_of {
            writeln!(text, "  these are records of run {run}, sent again")?;
        }
        if let (Some(run), Some(earlier)) = (self.run, &self.earlier) {
            writeln!(
                text,
                "  run {run} was gone on with: {} had been accepted before",
                grouped(earlier.accepted)
            )?;
        }
        self.write_requests(text)?;
        self.write_reasons(text)?;
        self.write_files(text)?;
        if let Some(because) = &self.stopped_because {
            writeln!(text, "  stopped: {}", in_line(because))?;
            writeln!(
                text,
                "  unsent counts what was read; the rest of the input was not read"
            )?;
        }
        for warning in &self.warnings {
            writeln!(text, "  warning: {}", in_line(warning))?;
        }
        Ok(())
    }

    fn write_files(&self, text: &mut String) -> std::fmt::Result {
        for path in &self.rejects_files {
            writeln!(text, "  rejects are in {}", in_line(&path.to_string_lossy()))?;
        }
        for path in &self.in_doubt_files {
            writeln!(
                text,
                "  records in doubt are in {}",
                in_line(&path.to_string_lossy())
            )?;
        }
        for path in &self.accepted_files {
            writeln!(text, "  accepted records are in {}", path.display())?;
        }
        if let Some(path) = &self.responses_file {
            writeln!(text, "  responses are in {}", in_line(&path.to_string_lossy()))?;
        }
        Ok(())
    }

    /// Records that were accepted in this session.
    fn accepted_now(&self) -> u64 {
        let before = self.earlier.as_ref().map_or(0, |earlier| earlier.accepted);
        self.totals.accepted.saturating_sub(before)
    }

    fn outcome(&self) -> &'static str {
        match self.ending {
            Ending::Finished if self.totals.read == 0 => "nothing to send, the input has no records",
            Ending::Finished if self.totals.is_clean() => "all records accounted for",
            Ending::Finished => "finished, but not every record was accepted",
            Ending::Defect => "stopped by a defect of outpour",
            _ => "stopped before its end",
        }
    }

    fn write_requests(&self, text: &mut String) -> std::fmt::Result {
        let rate = match self.duration_ms {
            0 => String::new(),
            millis => format!(", {} records/s", grouped(self.accepted_now() * 1_000 / millis)),
        };
        let (requests, attempts) = (
            counted(self.requests, "request"),
            counted(self.attempts, "attempt"),
        );
        writeln!(text, "  {requests} in {attempts}{rate}")?;
        if self.retries > 0 {
            let causes = self
                .retries_by_cause
                .iter()
                .map(|(cause, count)| format!("{} after {cause}", grouped(*count)));
            let causes = causes.collect::<Vec<_>>().join(", ");
            writeln!(text, "  {}: {causes}", counted(self.retries, "retry"))?;
        }
        if self.token_requests > 0 {
            writeln!(text, "  {} for tokens", counted(self.token_requests, "request"))?;
        }
        if let Some(reached) = self.concurrency {
            let (last, highest) = (reached.last, reached.highest);
            writeln!(text, "  at once (auto): {last} at the end, {highest} at the most")?;
        }
        if self.cut_replies > 0 {
            let cut = counted(self.cut_replies, "reply");
            writeln!(text, "  {cut} cut short, of which the status counted")?;
        }
        if let Some(proxy) = &self.proxy {
            writeln!(text, "  through the proxy {}", in_line(proxy))?;
        }
        if let Some(webhook) = &self.webhook {
            let counts = [
                webhook.delivered,
                webhook.waiting,
                webhook.failed,
                webhook.dropped,
            ];
            let [delivered, waiting, failed, dropped] = counts.map(grouped);
            writeln!(
                text,
                "  webhook: {delivered} delivered, {waiting} waiting, {failed} failed, {dropped} dropped"
            )?;
        }
        if self.blank_lines > 0 {
            writeln!(text, "  {} skipped", counted(self.blank_lines, "blank line"))?;
        }
        Ok(())
    }

    fn write_reasons(&self, text: &mut String) -> std::fmt::Result {
        const SHOWN: usize = 5;
        for reason in self.reasons.iter().take(SHOWN) {
            writeln!(
                text,
                "  {:>9} x {}",
                grouped(reason.count),
                in_line(&reason.words())
            )?;
            if !reason.example.is_empty() {
                writeln!(text, "            first: {}", in_line(&reason.example))?;
            }
        }
        if self.reasons.len() > SHOWN {
            writeln!(
                text,
                "            and {} more reasons",
                self.reasons.len() - SHOWN
            )?;
        }
        Ok(())
    }
}

/// A number of things, for people.
///
/// ```
/// use outpour::report::counted;
/// assert_eq!([1, 2_000].map(|number| counted(number, "request")), ["1 request", "2,000 requests"]);
/// assert_eq!(counted(2, "retry"), "2 retries");
/// ```
pub fn counted(number: u64, noun: &str) -> String {
    let number_text = grouped(number);
    match noun.strip_suffix('y') {
        _ if number == 1 => format!("{number_text} {noun}"),
        Some(stem) => format!("{number_text} {stem}ies"),
        None => format!("{number_text} {noun}s"),
    }
}

/// A number with its thousands apart: 1,234,567.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Reached;
    use crate::report::{Reason, Totals};

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(grouped),
            ["0", "999", "1,000", "1,234,567"]
        );
    }

    #[test]
    fn a_reply_cannot_steer_the_terminal() {
        let report = Report::new("01", "a\u{1b}[2Jb\nread  5", "manual");
        assert!(report.to_human().starts_with("a\\u001b[2Jb\\nread  5: "));
    }

    #[test]
    fn the_report_says_what_happened_and_where_to_look() {
        let report = Report {
            totals: Totals {
                read: 1_200,
                accepted: 1_198,
                rejected: 2,
                ..Totals::default()
            },
            requests: 12,
            attempts: 14,
            retries: 2,
            retries_by_cause: [("429".to_owned(), 2)].into(),
            concurrency: Some(Reached { last: 7, highest: 12 }),
            cut_replies: 1,
            duration_ms: 1_500,
            reasons: vec![Reason {
                reason: "400 Bad Request: bad email".into(),
                code: None,
                count: 2,
                example: "people.csv: record 7 (line 8, byte 99)".into(),
            }],
            rejects_files: vec!["people.rejected.csv".into()],
            warnings: vec!["no record has `emial`, did you mean `email`?".into()],
            ..Report::new("01", "people", "encharge/upsert-person")
        };
        insta::assert_snapshot!(report.to_human(), @"
        people: finished, but not every record was accepted in 1s 500ms
          read             1,200
          accepted         1,198
          rejected             2
          filtered             0
          in doubt             0
          unsent               0
          12 requests in 14 attempts, 798 records/s
          2 retries: 2 after 429
          at once (auto): 7 at the end, 12 at the most
          1 reply cut short, of which the status counted
                  2 x 400 Bad Request: bad email
                    first: people.csv: record 7 (line 8, byte 99)
          rejects are in people.rejected.csv
          warning: no record has `emial`, did you mean `email`?
        ");
    }
}
