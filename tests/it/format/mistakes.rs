//! Mistakes in templates and vendor files are told with file, line and key.

use tempfile::TempDir;

use super::plan_in;

const VENDOR: &str = "title: Acme
hosts: {api: 'https://api.acme.example'}
credentials:
  key: {title: key, env: ACME_KEY, header: X-Key}
";

const ENDPOINT: &str = "title: Put
method: PUT
host: api
path: /things
credential: key
safe_to_resend: true
example: '{}'
tests: []
";

/// What is wrong with a job that uses a template, both with these keys more.
fn told(vendor: &str, endpoint: &str, parameters: &str) -> String {
    let folder = TempDir::new().unwrap();
    let templates = folder.path().join("templates/acme");
    std::fs::create_dir_all(&templates).unwrap();
    std::fs::write(templates.join("vendor.yaml"), format!("{VENDOR}{vendor}")).unwrap();
    std::fs::write(templates.join("put.yaml"), format!("{ENDPOINT}{endpoint}")).unwrap();
    let job = format!(
        "source: {{path: x.ndjson}}\ndestination: {{template: acme/put, parameters: {{{parameters}}}}}\n"
    );
    let wrong = plan_in(folder.path(), &job).map(|_| ()).unwrap_err();
    wrong.replace(&folder.path().display().to_string(), "DIR")
}

#[test]
fn an_expression_is_told_by_its_key() {
    let place = "DIR/job.yaml:2: destination.template: DIR/templates/acme/put.yaml:9";
    for (key, of) in [
        ("refuse", "refuse: 'nope'\n"),
        ("query", "query: 'nope'\n"),
        ("body", "body: 'nope'\n"),
        ("batch.shape", "batch: {shape: nope}\n"),
    ] {
        let told = told("", of, "");
        assert_eq!(
            told,
            format!(
                "{place}: {key}: `nope` is not a jq expression: no filter is named `nope` with 0 arguments"
            )
        );
    }
}

#[test]
fn a_check_is_told_in_the_file_that_has_it() {
    let parameter = "parameters: {a: {description: A., check: nope}}\n";
    let reason =
        "parameters.a.check: `nope` is not a jq expression: no filter is named `nope` with 0 arguments";
    assert_eq!(
        told("", parameter, "a: x"),
        format!("DIR/job.yaml:2: destination.template: DIR/templates/acme/put.yaml:9: {reason}")
    );
    assert_eq!(
        told(parameter, "", "a: x"),
        format!("DIR/job.yaml:2: destination.template: DIR/templates/acme/vendor.yaml:5: {reason}")
    );
}

#[test]
fn what_no_schema_sees_is_told_with_its_line() {
    let cases = [
        (
            "regions: {eu: {apo: 'https://x.example'}}\n",
            "",
            "DIR/templates/acme/vendor.yaml:5: regions.eu.apo: the vendor has no host `apo`, did you mean `api`?",
        ),
        (
            "parameters: {a: {description: A., optional: true, default: x}}\n",
            "",
            "DIR/templates/acme/vendor.yaml:5: parameters.a.optional: it has a default, so that it is optional anyway",
        ),
        (
            "",
            "parameters: {a: {description: A., choices: [x, y], example: z}}\n",
            "DIR/templates/acme/put.yaml:9: parameters.a.example: `z` is not one of `x`, `y`, did you mean `x`?",
        ),
        (
            "",
            "parameters: {a: {description: A., because: no}}\n",
            "DIR/templates/acme/put.yaml:9: parameters.a.because: it belongs to a `check`",
        ),
        (
            "",
            "batch: {distinct: ['a.']}\n",
            "DIR/templates/acme/put.yaml:9: batch.distinct.0: it names no field, write `name` or `outer.inner`",
        ),
        (
            "",
            "empty: drop\n",
            "DIR/templates/acme/put.yaml:9: empty: `drop` is not one of `null`, `omit`, `reject`, `keep`",
        ),
    ];
    for (vendor, endpoint, expected) in cases {
        assert_eq!(told(vendor, endpoint, ""), expected);
    }
}

#[test]
fn a_path_cannot_name_an_optional_parameter() {
    let folder = TempDir::new().unwrap();
    let templates = folder.path().join("templates/acme");
    std::fs::create_dir_all(&templates).unwrap();
    std::fs::write(templates.join("vendor.yaml"), VENDOR).unwrap();
    let endpoint = ENDPOINT.replace("/things", "/things/{a}");
    let parameters = "parameters: {a: {description: A., optional: true}}\n";
    std::fs::write(templates.join("put.yaml"), format!("{endpoint}{parameters}")).unwrap();
    let told = plan_in(folder.path(), "").map(|_| ()).unwrap_err();
    assert!(
        told.ends_with("put.yaml:4: path: `a` is optional, and the path needs it; give it a default"),
        "{told}"
    );
}
