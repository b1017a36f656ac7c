//! What a user reads when something is wrong: where it is, what it is, and what to do next.

use crate::harness::{EVENTS, PEOPLE, Scene, people};

/// A job over one person.
fn scene() -> Scene {
    let scene = Scene::new();
    scene
        .write("people.ndjson", people::ndjson(1))
        .write("job.yaml", PEOPLE);
    scene
}

/// What a job of this text gives.
fn checked(job: &str) -> String {
    let scene = scene();
    scene.write("job.yaml", job);
    let shown = scene.outpour(&["check", "job.yaml"]).shown();
    assert_eq!(scene.state().arrivals.requests, 0);
    shown
}

/// What these arguments give.
fn shown(arguments: &[&str]) -> String {
    scene().outpour(arguments).shown()
}

#[test]
fn unknown_keys_are_named_with_line_and_what_was_meant() {
    let job = "
sorce: {path: people.ndjson}
destination:
  template: encharge/upsert-person
  tempalte: x
limits:
  rate: ten per second
retry: {attempts: 0}
";
    insta::assert_snapshot!(checked(job), @"
    exit code 2
    --- stderr
    error: job.yaml:2: `source` is missing
    error: job.yaml:2: unknown key `sorce`, did you mean `source`?
    error: job.yaml:5: destination: unknown key `tempalte`, did you mean `template`?
    error: job.yaml:7: limits.rate: `ten per second` is not a rate such as `10/s`, `600/min`, `1000/h` or `100000/d`
    error: job.yaml:8: retry.attempts: `0` is too small, the least is 1
    ");
}

#[test]
fn an_unknown_template_is_named_with_what_was_meant() {
    insta::assert_snapshot!(checked(&PEOPLE.replace("upsert-person", "upsert-persn")), @"
    exit code 2
    --- stderr
    error: job.yaml:3: destination.template: no template is named `encharge/upsert-persn`, did you mean `encharge/upsert-person`?; `outpour templates` lists them
    ");
}

#[test]
fn broken_yaml_is_named_with_its_line() {
    insta::assert_snapshot!(checked("source: {path: a\nlimits: ]\n"), @"
    exit code 2
    --- stderr
    error: job.yaml:2: not valid YAML: while parsing a flow mapping, did not find expected ',' or '}'
    ");
}

#[test]
fn expressions_that_are_not_jq_are_named_with_their_place() {
    let records = "records: {where: '.a ==', map: '{a: foo(1)}'}\n";
    insta::assert_snapshot!(checked(&(PEOPLE.to_owned() + records)), @"
    exit code 2
    --- stderr
    error: job.yaml:6: records.where: `.a ==` is not a jq expression: term expected, found the end
    error: job.yaml:6: records.map: `{a: foo(1)}` is not a jq expression: no filter is named `foo` with 1 arguments
    ");
}

#[test]
fn parameters_that_are_missing_or_unknown_are_named_at_once() {
    let job = PEOPLE.replace(
        "upsert-person",
        "create-object, parameters: {object_nme: x}, credentials: {write_key: {env: A}}",
    );
    insta::assert_snapshot!(checked(&job), @"
    exit code 2
    --- stderr
    error: job.yaml:3: destination.parameters.object_name: `object_name` is missing: The schema's name, exactly as it was defined; upper and lower case count.
    error: job.yaml:3: destination.parameters.object_nme: `encharge/create-object` has no parameter `object_nme`, did you mean `object_name`?
    error: job.yaml:3: destination.credentials.write_key: `encharge/create-object` takes `api_key`, not `write_key`
    ");
}

#[test]
fn a_template_that_takes_one_record_says_so() {
    insta::assert_snapshot!(checked(&(EVENTS.to_owned() + "batch: {max_records: 10}\n")), @"
    exit code 2
    --- stderr
    error: job.yaml:6: batch.max_records: `encharge/track-event` takes one record a request
    ");
}

#[test]
fn a_manual_endpoint_without_url_or_with_keys_of_a_template_says_so() {
    let job = "source: {path: people.ndjson}\ndestination: {method: POST, base_url: 'https://x.example'}\n";
    insta::assert_snapshot!(checked(job), @"
    exit code 2
    --- stderr
    error: job.yaml:2: destination: a manual endpoint needs `url`
    error: job.yaml:2: destination.base_url: it belongs to a template, a manual endpoint has its `url`
    ");
}

#[test]
fn a_template_with_keys_of_a_manual_endpoint_says_so() {
    let job = PEOPLE.replace(
        "upsert-person",
        "upsert-person, method: PUT, url: 'https://x.example', auth: {type: none}",
    );
    insta::assert_snapshot!(checked(&job), @"
    exit code 2
    --- stderr
    error: job.yaml:3: destination.method: it belongs to a manual endpoint, `encharge/upsert-person` says it itself
    error: job.yaml:3: destination.url: it belongs to a manual endpoint, `encharge/upsert-person` says it itself
    ");
}

#[test]
fn urls_and_headers_that_cannot_be_used_are_named() {
    let job = "
source: {path: people.ndjson}
destination:
  method: POST
  url: https://x.example/{record.id}/{name}
  headers: {Host: x, 'Bad Name': y, Content-Length: '3'}
";
    insta::assert_snapshot!(checked(job), @"
    exit code 2
    --- stderr
    error: job.yaml:5: destination.url: `{name}` is no parameter; a field of the record is `{record.name}`, a parameter is set under `parameters:`
    error: job.yaml:6: destination.headers.Host: `host` is set by outpour itself
    error: job.yaml:6: destination.headers.Bad Name: `Bad Name` is not a header name
    error: job.yaml:6: destination.headers.Content-Length: `content-length` is set by outpour itself
    ");
}

#[test]
fn rates_and_times_that_are_none_are_named_with_an_example() {
    let job = PEOPLE
        .replace("rate: []", "rate: [10/s, 5/fortnight]")
        .replace("1ms", "1 moment")
        + "grace: 5 s\n";
    insta::assert_snapshot!(checked(&job), @"
    exit code 2
    --- stderr
    error: job.yaml:4: limits.rate.1: `5/fortnight` is not a rate such as `10/s`, `600/min`, `1000/h` or `100000/d`
    error: job.yaml:5: retry.initial_backoff: `1 moment` is not a length of time such as `250ms`, `5s` or `1m 30s`
    ");
}

#[test]
fn a_missing_configuration_is_named_with_what_was_meant() {
    insta::assert_snapshot!(shown(&["run", "jbo.yaml"]), @"
    exit code 2
    --- stderr
    error: the configuration `jbo.yaml` cannot be read
      Caused by: No such file or directory (os error 2)
      hint: did you mean `./job.yaml`?
    ");
}

#[test]
fn a_missing_input_is_named_with_what_was_meant() {
    insta::assert_snapshot!(shown(&["run", "job.yaml", "--input", "poeple.ndjson"]), @"
    exit code 2
    --- stderr
    error: the input cannot be read
      Caused by: `poeple.ndjson` does not exist
      hint: did you mean `people.ndjson`?
    ");
}

#[test]
fn a_pattern_without_a_match_is_named() {
    insta::assert_snapshot!(shown(&["run", "job.yaml", "--input", "*.csv"]), @"
    exit code 2
    --- stderr
    error: the input cannot be read
      Caused by: `*.csv` matches no file
      hint: a glob that matches nothing is an error, so that an empty directory is noticed
    ");
}

#[test]
fn an_input_of_no_known_format_is_named() {
    let scene = scene();
    scene.write("people.xlsx", "PK");
    insta::assert_snapshot!(scene.outpour(&["run", "job.yaml", "--input", "people.xlsx"]).shown(), @"
    exit code 2
    --- stderr
    error: the input cannot be read
      Caused by: the format of `people.xlsx` is not known
      hint: set `source.format` to csv, ndjson, json, arrow, arrow_stream or parquet
    ");
}

#[test]
fn a_column_that_is_not_in_the_file_is_named() {
    let scene = scene();
    scene.write("people.csv", "email,mrr\na@example.com,1\n");
    let set = [
        "run",
        "job.yaml",
        "--set",
        "source={path: people.csv, csv: {columns: {mmr: number}}}",
    ];
    insta::assert_snapshot!(scene.outpour(&set).shown(), @"
    exit code 2
    --- stderr
    error: the input cannot be read
      Caused by: `csv.columns` names `mmr`, a column that `people.csv` does not have
      hint: did you mean `mrr`?
    ");
}

#[test]
fn duplicate_columns_are_named() {
    let scene = scene();
    scene.write("people.csv", "email,name,email\na@example.com,A,b\n");
    insta::assert_snapshot!(scene.outpour(&["run", "job.yaml", "--input", "people.csv"]).shown(), @"
    exit code 65
    --- stderr
    error: the input cannot be read
      Caused by: `people.csv`, line 1: columns 1 and 3 are both named `email`
      hint: name the columns in the file, or set `source.csv.rename_duplicates: true`
    ");
}

#[test]
fn a_misspelt_verb_is_named_with_what_was_meant() {
    insta::assert_snapshot!(shown(&["prevew", "job.yaml"]), @"
    exit code 2
    --- stderr
    error: unrecognized subcommand 'prevew'

      tip: a similar subcommand exists: 'preview'

    Usage: outpour [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
}

#[test]
fn a_setting_without_a_value_is_named_with_an_example() {
    insta::assert_snapshot!(shown(&["run", "job.yaml", "--set", "limits.rate"]), @"
    exit code 2
    --- stderr
    error: `--set limits.rate` is not KEY=VALUE
      hint: write for example `--set limits.rate=5/s`
    ");
}

#[test]
fn a_setting_of_an_unknown_key_is_named_with_what_was_meant() {
    insta::assert_snapshot!(shown(&["run", "job.yaml", "--set", "limits.rte=5/s"]), @"
    exit code 2
    --- stderr
    error: --set: limits: unknown key `rte`, did you mean `rate`?
    ");
}

#[test]
fn a_fault_that_is_none_is_named() {
    insta::assert_snapshot!(shown(&["run", "job.yaml", "--mock", "--fail", "teapot:5%"]), @"
    exit code 2
    --- stderr
    error: invalid value 'teapot:5%' for '--fail <FAULTS>': `teapot` is not a fault: expected a status from 400 to 599, `reset`, `close`, `hang`, `slow`, `error200`, `garbage`, `cut` or `throttled`

    For more information, try '--help'.
    ");
}

#[test]
fn a_record_that_is_no_json_is_named_with_an_example() {
    insta::assert_snapshot!(shown(&["test", "job.yaml", "--mock", "--record", "{email: x}"]), @r#"
    exit code 2
    --- stderr
    error: `--record` is not a JSON object: not valid JSON: key must be a string at line 1 column 2
      hint: write for example --record '{"email":"ada@example.com"}'
    "#);
}

#[test]
fn a_record_that_would_be_rejected_is_not_sent() {
    insta::assert_snapshot!(shown(&["test", "job.yaml", "--mock", "--record", "{\"name\":\"Ada\"}"]), @"
    exit code 2
    --- stderr
    error: --record: record 1 would be rejected: the record has no `email`, `userId` or `id`: without one Encharge would create a new person
    ");
}

#[test]
fn an_unreachable_destination_is_named_with_a_hint() {
    let set = [
        "run",
        "job.yaml",
        "-q",
        "--set",
        "destination.base_url=http://127.0.0.1:1/v1",
    ];
    insta::assert_snapshot!(scene().outpour(&set).stderr, @"
    error: the destination was never reached: no connection to `http://127.0.0.1:1`: Connection refused (os error 111)
      hint: look at the destination with `outpour test`, and at the URL, the network and the proxy
    ");
}

#[test]
fn a_refused_key_is_named_with_a_hint() {
    let scene = scene();
    let mut command = scene.job_command("run", &[]);
    let output = command
        .env("ENCHARGE_API_KEY", "eyJhIjoxfQ.eyJhIjoxfQ.c2ln")
        .output()
        .unwrap();
    insta::assert_snapshot!(String::from_utf8(output.stderr).unwrap(), @"
    error: the destination refuses the credentials: 401 Unauthorized: User not logged in. Pass a valid token in the X-Encharge-Token header.
      hint: look at the key with `outpour check --online`
    ");
}

#[test]
fn all_problems_of_a_job_are_named_at_once() {
    let records = "records: {where: '.a =='}\nretry: {attempts: 0}\n";
    let job = PEOPLE.replace("retry: {initial_backoff: 1ms, max_backoff: 5ms}\n", "");
    let shown = checked(&(job + records));
    assert!(
        shown.contains("retry.attempts") && shown.contains("records.where"),
        "{shown}"
    );
}

#[test]
fn a_column_that_is_not_in_the_file_says_what_was_meant() {
    let scene = scene();
    scene.write("people.csv", "email,mrr\na@example.com,1\n");
    let set = "source={path: people.csv, csv: {columns: {mmr: number}}}";
    let shown = scene.outpour(&["run", "job.yaml", "--set", set]).shown();
    assert!(shown.contains("did you mean `mrr`?"), "{shown}");
}

/// What a job with this `operation` gives, and these further lines of the destination.
fn checked_operation(operation: &str, more: &str) -> String {
    checked(&format!(
        "source: {{path: people.ndjson}}\ndestination:\n  operation: {operation}\n{more}"
    ))
}

#[test]
fn the_templates_of_a_change_feed_are_named_with_what_is_wrong_with_them() {
    let operation = "{field: op, insert: encharge/upsert-persn, update: encharge/add-tag, skip: [update]}";
    insta::assert_snapshot!(checked_operation(operation, "  template: encharge/add-tag\nbatch: {body_shape: array, max_records: 2}\n"), @"
    exit code 2
    --- stderr
    error: job.yaml:3: destination.operation.insert: no template is named `encharge/upsert-persn`, did you mean `encharge/upsert-person`?; `outpour templates` lists them
    error: job.yaml:3: destination.operation.skip: `update` has a template, and is skipped; leave out one of the two
    error: job.yaml:4: destination.template: `operation` names the templates, leave this out or leave out `operation`
    error: job.yaml:5: batch.body_shape: the templates of `operation` have each a shape of their own
    error: job.yaml:5: batch.max_records: each of the templates takes one record a request
    ");
    insta::assert_snapshot!(checked_operation("{field: a..b, values: {x: remove}}", ""), @"
    exit code 2
    --- stderr
    error: job.yaml:3: destination.operation: name a template for `insert`, `update` or `delete`
    error: job.yaml:3: destination.operation.field: a field has no name, write `name` or `outer.inner`
    error: job.yaml:3: destination.operation.values.x: `remove` is not one of `insert`, `update`, `delete`
    ");
    insta::assert_snapshot!(checked_operation("{field: a..b}", "  url: https://example.com\n"), @"
    exit code 2
    --- stderr
    error: job.yaml:3: destination.operation: name a template for `insert`, `update` or `delete`
    error: job.yaml:3: destination.operation.field: a field has no name, write `name` or `outer.inner`
    error: job.yaml:4: destination.url: `operation` names the templates, leave this out or leave out `operation`
    ");
}

#[test]
fn the_parameters_of_a_change_feed_belong_to_one_of_its_templates() {
    let operation = "{field: op, insert: encharge/create-object, update: encharge/upsert-person}";
    let parameters = "  parameters: {objct_name: company, allow_unidentified: maybe}\n";
    insta::assert_snapshot!(checked_operation(operation, parameters), @"
    exit code 2
    --- stderr
    error: job.yaml:4: destination.parameters.object_name: `object_name` is missing: The schema's name, exactly as it was defined; upper and lower case count.
    error: job.yaml:4: destination.parameters.objct_name: none of the templates has a parameter `objct_name`, did you mean `object_name`?
    error: job.yaml:4: destination.parameters.allow_unidentified: it takes true or false
    ");
    let hosts = "{field: op, insert: encharge/track-event, update: encharge/upsert-person}";
    insta::assert_snapshot!(checked_operation(hosts, "  base_url: https://example.com\n"), @"
    exit code 2
    --- stderr
    error: job.yaml:4: destination.base_url: the templates are on different hosts of the vendor, and this stands for one
    ");
}
