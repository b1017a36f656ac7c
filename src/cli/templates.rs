//! `outpour templates`: lists, shows and tests endpoint templates.

use std::fmt::Write;

use outpour::endpoint::{Endpoint, Parameters};
use outpour::record::{Origin, Position, Record, Shape};
use outpour::request;
use outpour::selftest::run_tests;
use outpour::template::{Catalog, Template, TemplateFile};

use super::args::{TemplatesArgs, TemplatesVerb};
use super::error::Failure;
use super::job::catalog;
use super::preview::as_http;
use super::printer::Printer;

pub(super) fn templates(args: &TemplatesArgs) -> Result<u8, Failure> {
    match &args.verb {
        None => list(&catalog(args.templates.as_deref())?),
        Some(TemplatesVerb::Show { name }) => show(catalog(args.templates.as_deref())?.find(name)?),
        Some(TemplatesVerb::Test { directory }) => {
            let only_own = directory.is_some();
            test(
                &catalog(directory.as_deref().or(args.templates.as_deref()))?,
                only_own,
            )
        }
    }
}

fn list(catalog: &Catalog) -> Result<u8, Failure> {
    let mut text = String::new();
    let templates = catalog.templates()?;
    let width = templates
        .iter()
        .map(|template| template.name.len())
        .max()
        .unwrap_or(0);
    for template in templates {
        let own = if template.is_built_in { "" } else { " (yours)" };
        let _ = writeln!(
            text,
            "{:width$}  {:6} {}{own}",
            template.name,
            template.file.method.to_string(),
            template.file.title
        );
    }
    Printer::result(&text)?;
    Ok(0)
}

fn show(template: &Template) -> Result<u8, Failure> {
    let (file, vendor) = (&template.file, &template.vendor);
    let mut text = format!("{}: {}\n\n{}\n\n", template.name, file.title, file.summary.trim());
    let host = vendor.hosts.get(&file.host).map_or("", String::as_str);
    let _ = writeln!(text, "call         {} {host}{}", file.method, file.path);
    for (name, rule) in template.secrets() {
        let env = rule.env.as_deref().unwrap_or_default();
        let _ = writeln!(
            text,
            "credential   {name} ({}), from {env} unless the job says otherwise",
            rule.title
        );
    }
    if let Some(oauth) = template.oauth() {
        let host = vendor.hosts.get(&oauth.host).map_or("", String::as_str);
        let _ = writeln!(text, "token        fetched with them from {host}{}", oauth.path);
    }
    for (name, parameter) in &template.parameters() {
        let mut default = match &parameter.default {
            Some(default) => format!("default {}", default.to_text()),
            None if parameter.optional => "optional".to_owned(),
            None => "required".to_owned(),
        };
        if !parameter.choices.is_empty() {
            let _ = write!(default, "; {}", parameter.choices.join(", "));
        }
        let _ = writeln!(
            text,
            "parameter    {name} ({default}): {}",
            parameter.description.trim()
        );
    }
    write_rules(&mut text, file);
    if let Some(docs) = &file.docs {
        let _ = writeln!(text, "docs         {docs}");
    }
    let example = file.example.to_text();
    let _ = writeln!(
        text,
        "\nexample record\n{example}\n\nits request\n{}",
        example_request(template, example.clone())?
    );
    let _ = writeln!(
        text,
        "`outpour init {}` prints a job to start from",
        template.name
    );
    Printer::result(&text)?;
    Ok(0)
}

fn write_rules(text: &mut String, file: &TemplateFile) {
    for need in &file.needs {
        let unless = need
            .unless
            .as_ref()
            .map(|name| format!(", unless {name} is true"))
            .unwrap_or_default();
        let _ = writeln!(text, "needs        {}{unless}", need.any_of.join(" or "));
    }
    let most = match file.batch.most {
        Some(1) => "one, always".to_owned(),
        Some(most) => format!(
            "{} unless the job says otherwise, at most {most}",
            file.batch.max_records
        ),
        None => format!("{} unless the job says otherwise", file.batch.max_records),
    };
    let _ = writeln!(text, "records      in a request: {most}");
    let resend = if file.safe_to_resend {
        "safe"
    } else {
        "not safe: a lost answer leaves the records in doubt"
    };
    let _ = writeln!(text, "resending    {resend}");
}

fn example_request(template: &Template, example: String) -> Result<String, Failure> {
    let endpoint = Endpoint::sample(template, &Parameters::new()).map_err(Failure::usage)?;
    let origin = Origin {
        name: "example".to_owned(),
        shape: Shape::Json,
    };
    let position = Position {
        origin: origin.into(),
        ordinal: 1,
        number: 1,
        line: None,
        byte: 0,
    };
    let prepared = endpoint
        .prepare(Record {
            position,
            text: example.into(),
            original: None,
        })
        .map_err(|refused| Failure::usage(refused.1.to_string()))?;
    let request =
        request::render(&endpoint, &[prepared]).map_err(|error| Failure::usage(error.to_string()))?;
    Ok(as_http(&endpoint, &request))
}

fn test(catalog: &Catalog, only_own: bool) -> Result<u8, Failure> {
    let mut text = String::new();
    let (mut passed, mut failed) = (0, 0);
    for template in catalog
        .templates()?
        .into_iter()
        .filter(|template| !only_own || !template.is_built_in)
    {
        match run_tests(template) {
            Ok(tests) => {
                passed += tests;
                let _ = writeln!(text, "ok      {} ({tests} tests)", template.name);
            }
            Err(failures) => {
                failed += failures.len();
                for failure in failures {
                    let _ = writeln!(text, "FAILED  {failure}");
                }
            }
        }
    }
    if passed + failed == 0 {
        let hint = "templates stand in a folder for each vendor: DIR/vendor/endpoint.yaml beside DIR/vendor/vendor.yaml";
        return Err(Failure::usage_hint("there is no template to test", hint));
    }
    let _ = writeln!(text, "{passed} passed, {failed} failed");
    Printer::result(&text)?;
    Ok(u8::from(failed > 0))
}
