//! `outpour init`: a commented job to start from.

use std::fmt::Write as _;
use std::io::Write as _;

use outpour::template::{Parameter, ParameterKind, ParameterValue, Template};

use super::args::InitArgs;
use super::error::Failure;
use super::job::catalog;
use super::printer::Printer;

pub(super) fn init(args: &InitArgs, printer: Printer) -> Result<u8, Failure> {
    let catalog = catalog(args.templates.as_deref())?;
    let text = starter(catalog.find(&args.template)?);
    let Some(path) = &args.output else {
        Printer::result(&text)?;
        return Ok(0);
    };
    let written = std::fs::File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| Failure::Unwritable {
        path: path.clone(),
        source,
    })?;
    printer.note(&format!(
        "wrote {}; look at it with `outpour preview {}`",
        path.display(),
        path.display()
    ));
    Ok(0)
}

/// What a job must give stands there, what it may give or must confirm in comments.
fn write_parameters(text: &mut String, template: &Template) {
    let parameters = template.parameters();
    let is_left_out = |parameter: &Parameter| {
        parameter.optional || (parameter.is_required() && parameter.choices.len() == 1)
    };
    if parameters.values().any(|parameter| !is_left_out(parameter)) {
        text.push_str("  parameters:\n");
    } else if !parameters.is_empty() {
        text.push_str("  # parameters:\n");
    }
    for (name, parameter) in &parameters {
        let _ = writeln!(text, "    # {}", parameter.description.trim());
        let given = parameter.default.as_ref().or(parameter.example.as_ref());
        let value = given.map_or_else(|| placeholder_of(parameter), ParameterValue::to_text);
        let mark = if is_left_out(parameter) { "# " } else { "" };
        let _ = writeln!(text, "    {mark}{name}: {value}");
    }
}

fn placeholder_of(parameter: &Parameter) -> String {
    match (parameter.kind, parameter.choices.first()) {
        (_, Some(choice)) => choice.clone(),
        (ParameterKind::Boolean, _) => "false".to_owned(),
        (ParameterKind::Number, _) => "0".to_owned(),
        (ParameterKind::Text, _) => "\"\"".to_owned(),
    }
}

fn starter(template: &Template) -> String {
    let file = &template.file;
    let mut text = format!(
        "# {}. All options: `outpour schema`, and config/reference.yaml of the project.\n",
        file.title
    );
    text.push_str("source:\n  # A file, a list, a glob, or - for standard input: CSV, NDJSON, JSON or Arrow, plain, gzip or zstd; or Parquet.\n");
    text.push_str("  path: records.csv\n");
    let _ = write!(text, "destination:\n  template: {}\n", template.name);
    write_parameters(&mut text, template);
    text.push_str("  credentials:\n");
    for (name, rule) in template.secrets() {
        let place = rule
            .where_to_find
            .as_ref()
            .map(|place| format!(" ({place})"))
            .unwrap_or_default();
        let env = rule.env.as_deref().unwrap_or_default();
        let _ = write!(
            text,
            "    # The {}{place}.\n    {name}: {{env: {env}}}\n",
            rule.title
        );
    }
    text.push_str("# records:\n#   exclude: [internal_id]       # attributes that are not sent\n#   where: '.status == \"active\"'  # jq: which records are sent\n");
    if file.batch.most != Some(1) {
        let most = file.batch.most.unwrap_or(100).min(100);
        let _ = write!(
            text,
            "# batch:\n#   {:28} # records in one request\n",
            format!("max_records: {most}")
        );
    }
    text.push_str("# limits:\n#   rate: 10/s                   # retries count\n#   concurrency: 4\n");
    for need in &file.needs {
        let _ = writeln!(text, "# Each record needs {}.", need.any_of.join(" or "));
    }
    text
}
