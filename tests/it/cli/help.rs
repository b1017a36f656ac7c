//! The help of every verb, word for word.

use crate::harness::Scene;

/// What `outpour .. --help` prints.
#[track_caller]
fn help(arguments: &[&str]) -> String {
    let mut arguments = arguments.to_vec();
    arguments.push("--help");
    let outcome = Scene::new().outpour(&arguments).ends_with(0);
    assert_eq!(outcome.stderr, "");
    outcome.stdout
}

#[test]
fn the_help_of_outpour_lists_verbs_and_exit_codes() {
    insta::assert_snapshot!(help(&[]), @"
    Pours records into HTTP APIs: shaped, paced, retried, and every one accounted for

    Usage: outpour [OPTIONS] <COMMAND>

    Commands:
      run          Sends the records of a job
      preview      Shows the exact requests that a run would send; opens no connection
      test         Sends one sample record and prints the reply
      check        Checks a job without sending anything
      init         Prints a commented job for a template, to start from
      runs         Lists the runs of the ledger, shows one, and forgets old ones
      rejects      Writes the open rejects of a run, in the shape of their input
      doubts       Lists the records of a run that are in doubt
      retry        Sends the open rejects of a run again, or a file of them that was mended
      templates    Lists, shows and tests endpoint templates
      define       Plans and applies what an account's objects and fields are to be, from a file
      webhook      Delivers the webhook events that runs left in the ledger
      mock         Runs a built-in look-alike of Encharge or Zuora
      schema       Prints a JSON Schema, for editors
      completions  Prints a completion script for a shell
      man          Prints the manual page
      help         Print this message or the help of the given subcommand(s)

    Options:
      -v, --verbose...           Says more on standard error: -v what happens, -vv every attempt
      -q, --quiet                Says nothing on standard error but errors
          --log-format <FORMAT>  How logs are written [default: human] [possible values: human, json]
      -h, --help                 Print help
      -V, --version              Print version

    Exit codes:
      0    every record was accepted or filtered
      1    finished, but some records were rejected or are in doubt
      2    the command line or the configuration is wrong
      65   the input became unreadable, or the preflight found something
      69   the destination cannot be reached or trusted
      70   a defect of outpour
      74   a file cannot be written
      75   stopped before the end: the report says how many records were not sent
      77   the destination refuses the credentials
      130, 143   stopped by SIGINT, SIGTERM
    ");
}

#[test]
fn the_help_of_run() {
    insta::assert_snapshot!(help(&["run"]), @"
    Sends the records of a job

    Usage: outpour run [OPTIONS] <CONFIG>

    Arguments:
      <CONFIG>  The job's configuration, a YAML file

    Options:
          --set <KEY=VALUE>       Sets a key of the configuration, such as limits.rate=5/s
      -v, --verbose...            Says more on standard error: -v what happens, -vv every attempt
          --input <PATH>          Reads these files (or - for standard input) in place of those that the
                                  job names
      -q, --quiet                 Says nothing on standard error but errors
          --limit <N>             Reads at most this many records
          --log-format <FORMAT>   How logs are written [default: human] [possible values: human, json]
          --templates <DIR>       A directory of templates that add to the built-in ones, or replace
                                  them
          --allow-inline-secrets  Permits secrets that stand in the configuration itself
          --mock                  Sends to a built-in look-alike of the vendor; needs no account and no
                                  key, and keeps only the job's own limits
          --fail <FAULTS>         What goes wrong at the mock: a status, reset, close, hang, slow, cut,
                                  garbage, error200, throttled; such as 429:5%,reset:1%
          --report <FORMAT>       How the report is written to standard output [default: human]
                                  [possible values: human, json]
          --report-file <PATH>    Writes the report to this file too, as JSON
          --grace <TIME>          How long a stopped run waits for what is in flight, in place of the
                                  job's `grace`
          --state <DIR>           The folder of the ledger. Default: .outpour beside the configuration
          --no-ledger             Remembers nothing: a stopped run cannot be gone on with, and rejects
                                  are in their file alone
          --fresh                 Begins anew where the last run was stopped before its end
          --force-resume          Goes on with a stopped run although its input, template, mapping or
                                  batching has changed
          --preflight             Compares the records with the fields that the account knows first, and
                                  sends nothing if something does not fit
          --from <N>              Begins with this step of a file that has `steps`, the first being 1
      -h, --help                  Print help
    ");
}

#[test]
fn the_help_of_preview() {
    insta::assert_snapshot!(help(&["preview"]), @"
    Shows the exact requests that a run would send; opens no connection

    Usage: outpour preview [OPTIONS] <CONFIG>

    Arguments:
      <CONFIG>  The job's configuration, a YAML file

    Options:
          --set <KEY=VALUE>       Sets a key of the configuration, such as limits.rate=5/s
      -v, --verbose...            Says more on standard error: -v what happens, -vv every attempt
          --input <PATH>          Reads these files (or - for standard input) in place of those that the
                                  job names
      -q, --quiet                 Says nothing on standard error but errors
          --limit <N>             Reads at most this many records
          --log-format <FORMAT>   How logs are written [default: human] [possible values: human, json]
          --templates <DIR>       A directory of templates that add to the built-in ones, or replace
                                  them
          --allow-inline-secrets  Permits secrets that stand in the configuration itself
      -n, --requests <N>          How many requests are shown [default: 3]
          --curl                  Prints each request as a curl command
          --full                  Reads the whole input and says how many requests, how many bytes and
                                  how long
      -h, --help                  Print help
    ");
}

#[test]
fn the_help_of_test() {
    insta::assert_snapshot!(help(&["test"]), @"
    Sends one sample record and prints the reply

    Usage: outpour test [OPTIONS] <CONFIG>

    Arguments:
      <CONFIG>  The job's configuration, a YAML file

    Options:
          --set <KEY=VALUE>       Sets a key of the configuration, such as limits.rate=5/s
      -v, --verbose...            Says more on standard error: -v what happens, -vv every attempt
          --input <PATH>          Reads these files (or - for standard input) in place of those that the
                                  job names
      -q, --quiet                 Says nothing on standard error but errors
          --limit <N>             Reads at most this many records
          --log-format <FORMAT>   How logs are written [default: human] [possible values: human, json]
          --templates <DIR>       A directory of templates that add to the built-in ones, or replace
                                  them
          --allow-inline-secrets  Permits secrets that stand in the configuration itself
          --record <JSON>         The record to send, as JSON; the first of the input unless given
          --mock                  Sends to a built-in look-alike of the vendor; needs no account and no
                                  key
      -h, --help                  Print help
    ");
}

#[test]
fn the_help_of_check() {
    insta::assert_snapshot!(help(&["check"]), @"
    Checks a job without sending anything

    Usage: outpour check [OPTIONS] <CONFIG>

    Arguments:
      <CONFIG>  The job's configuration, a YAML file

    Options:
          --set <KEY=VALUE>       Sets a key of the configuration, such as limits.rate=5/s
      -v, --verbose...            Says more on standard error: -v what happens, -vv every attempt
          --input <PATH>          Reads these files (or - for standard input) in place of those that the
                                  job names
      -q, --quiet                 Says nothing on standard error but errors
          --limit <N>             Reads at most this many records
          --log-format <FORMAT>   How logs are written [default: human] [possible values: human, json]
          --templates <DIR>       A directory of templates that add to the built-in ones, or replace
                                  them
          --allow-inline-secrets  Permits secrets that stand in the configuration itself
          --online                Also asks the vendor whether the credentials are good and the records
                                  fit its fields, with requests that change nothing
      -h, --help                  Print help
    ");
}

#[test]
fn the_help_of_init() {
    insta::assert_snapshot!(help(&["init"]), @"
    Prints a commented job for a template, to start from

    Usage: outpour init [OPTIONS] <TEMPLATE>

    Arguments:
      <TEMPLATE>  The template's name, such as encharge/upsert-person

    Options:
      -o, --output <PATH>        Writes to this file, which must not be there yet
      -v, --verbose...           Says more on standard error: -v what happens, -vv every attempt
      -q, --quiet                Says nothing on standard error but errors
          --templates <DIR>      A directory of templates that add to the built-in ones, or replace them
          --log-format <FORMAT>  How logs are written [default: human] [possible values: human, json]
      -h, --help                 Print help
    ");
}

#[test]
fn the_help_of_templates() {
    insta::assert_snapshot!(help(&["templates"]), @"
    Lists, shows and tests endpoint templates

    Usage: outpour templates [OPTIONS] [COMMAND]

    Commands:
      show  Shows what a template needs, and an example
      test  Runs the tests that stand in templates
      help  Print this message or the help of the given subcommand(s)

    Options:
      -v, --verbose...           Says more on standard error: -v what happens, -vv every attempt
      -q, --quiet                Says nothing on standard error but errors
          --log-format <FORMAT>  How logs are written [default: human] [possible values: human, json]
          --templates <DIR>      A directory of templates that add to the built-in ones, or replace them
      -h, --help                 Print help
    ");
}

#[test]
fn the_help_of_mock() {
    insta::assert_snapshot!(help(&["mock"]), @"
    Runs a built-in look-alike of Encharge or Zuora

    Usage: outpour mock [OPTIONS] [VENDOR]

    Arguments:
      [VENDOR]  Whose look-alike it is [default: encharge] [possible values: encharge, zuora]

    Options:
          --port <PORT>          The port of 127.0.0.1 to listen on; 0 lets the system choose [default:
                                 8080]
      -v, --verbose...           Says more on standard error: -v what happens, -vv every attempt
          --latency <TIME>       How long each answer is held back [default: 0s]
      -q, --quiet                Says nothing on standard error but errors
          --log-format <FORMAT>  How logs are written [default: human] [possible values: human, json]
          --rate <RATE>          How many requests it takes; one more is answered 429
          --capacity <NUMBER>    How many requests it serves at once; `20,5@1000`: from the 1000th on
                                 only 5
          --beyond <WHAT>        What becomes of more: slow, 429 or 503 [default: slow]
          --fail <FAULTS>        What goes wrong, and how often: a status, reset, close, hang, slow,
                                 cut, garbage, error200, throttled; such as 429:5%,reset:1%
          --seed <SEED>          What chance follows: the same seed and the same requests meet the same
                                 faults [default: 1]
          --object <NAME>        An object that is there from the start: at Encharge besides `company`,
                                 at Zuora one that takes any fields
          --definitions <FILE>   Zuora: what is defined from the start, a JSON file: the answer of a
                                 list, or a request to create
          --token-requests <N>   Zuora: how many requests a token is good for; the next is answered 401
          --token-life <TIME>    Zuora: how long a token is good for, whatever its `expires_in` says,
                                 which is an hour
          --forget               Counts what arrives without keeping it, for large loads
      -h, --help                 Print help
    ");
}

#[test]
fn the_help_of_schema() {
    insta::assert_snapshot!(help(&["schema"]), @"
    Prints a JSON Schema, for editors

    Usage: outpour schema [OPTIONS] [OF]

    Arguments:
      [OF]  Whose schema [default: job] [possible values: job, template, vendor, definitions, steps]

    Options:
      -v, --verbose...           Says more on standard error: -v what happens, -vv every attempt
      -q, --quiet                Says nothing on standard error but errors
          --log-format <FORMAT>  How logs are written [default: human] [possible values: human, json]
      -h, --help                 Print help
    ");
}

#[test]
fn the_help_of_completions() {
    insta::assert_snapshot!(help(&["completions"]), @"
    Prints a completion script for a shell

    Usage: outpour completions [OPTIONS] <SHELL>

    Arguments:
      <SHELL>  The shell [possible values: bash, elvish, fish, powershell, zsh]

    Options:
      -v, --verbose...           Says more on standard error: -v what happens, -vv every attempt
      -q, --quiet                Says nothing on standard error but errors
          --log-format <FORMAT>  How logs are written [default: human] [possible values: human, json]
      -h, --help                 Print help
    ");
}

#[test]
fn the_help_of_man() {
    insta::assert_snapshot!(help(&["man"]), @"
    Prints the manual page

    Usage: outpour man [OPTIONS]

    Options:
      -v, --verbose...           Says more on standard error: -v what happens, -vv every attempt
      -q, --quiet                Says nothing on standard error but errors
          --log-format <FORMAT>  How logs are written [default: human] [possible values: human, json]
      -h, --help                 Print help
    ");
}

#[test]
fn the_help_of_templates_show() {
    insta::assert_snapshot!(help(&["templates", "show"]), @"
    Shows what a template needs, and an example

    Usage: outpour templates show [OPTIONS] <NAME>

    Arguments:
      <NAME>  The template's name

    Options:
      -v, --verbose...           Says more on standard error: -v what happens, -vv every attempt
      -q, --quiet                Says nothing on standard error but errors
          --log-format <FORMAT>  How logs are written [default: human] [possible values: human, json]
          --templates <DIR>      A directory of templates that add to the built-in ones, or replace them
      -h, --help                 Print help
    ");
}

#[test]
fn the_help_of_templates_test() {
    insta::assert_snapshot!(help(&["templates", "test"]), @"
    Runs the tests that stand in templates

    Usage: outpour templates test [OPTIONS] [DIRECTORY]

    Arguments:
      [DIRECTORY]  A directory of templates; the built-in ones unless given

    Options:
      -v, --verbose...           Says more on standard error: -v what happens, -vv every attempt
      -q, --quiet                Says nothing on standard error but errors
          --log-format <FORMAT>  How logs are written [default: human] [possible values: human, json]
          --templates <DIR>      A directory of templates that add to the built-in ones, or replace them
      -h, --help                 Print help
    ");
}

#[test]
fn the_help_of_webhook_deliver() {
    insta::assert_snapshot!(help(&["webhook", "deliver"]), @r#"
    Delivers what waits, for as long as the webhook takes something within its `grace`

    Usage: outpour webhook deliver [OPTIONS]

    Options:
          --config <FILE>         The job's configuration, in place of the one that its last run used
      -v, --verbose...            Says more on standard error: -v what happens, -vv every attempt
          --job <NAME>            The job whose events are delivered; the configuration's, or all of the
                                  ledger, unless given
      -q, --quiet                 Says nothing on standard error but errors
          --log-format <FORMAT>   How logs are written [default: human] [possible values: human, json]
          --state <DIR>           The folder of the ledger. Default: .outpour beside the configuration,
                                  or here
          --set <KEY=VALUE>       Sets a key of the configuration, such as webhook.grace=5m
          --allow-inline-secrets  Permits secrets that stand in the configuration itself
      -h, --help                  Print help
    "#);
}

#[test]
fn the_help_of_runs() {
    insta::assert_snapshot!(help(&["runs"]), @"
    Lists the runs of the ledger, shows one, and forgets old ones

    Usage: outpour runs [OPTIONS] [COMMAND]

    Commands:
      show   Shows a run: totals, reasons, retries, what later runs settled, and what to do next
      prune  Forgets runs that ended long ago and left nothing open; never the last run of a job
      help   Print this message or the help of the given subcommand(s)

    Options:
      -v, --verbose...           Says more on standard error: -v what happens, -vv every attempt
      -q, --quiet                Says nothing on standard error but errors
          --job <NAME>           Lists the runs of this job alone
          --log-format <FORMAT>  How logs are written [default: human] [possible values: human, json]
          --json                 Prints JSON, a line a run
          --state <DIR>          The folder of the ledger. Default: .outpour in this folder
      -h, --help                 Print help
    ");
}

#[test]
fn the_help_of_runs_show() {
    insta::assert_snapshot!(help(&["runs", "show"]), @"
    Shows a run: totals, reasons, retries, what later runs settled, and what to do next

    Usage: outpour runs show [OPTIONS] <RUN>

    Arguments:
      <RUN>  The run's number

    Options:
      -v, --verbose...           Says more on standard error: -v what happens, -vv every attempt
      -q, --quiet                Says nothing on standard error but errors
          --log-format <FORMAT>  How logs are written [default: human] [possible values: human, json]
          --json                 Prints JSON, a line a run
          --state <DIR>          The folder of the ledger. Default: .outpour in this folder
      -h, --help                 Print help
    ");
}

#[test]
fn the_help_of_runs_prune() {
    insta::assert_snapshot!(help(&["runs", "prune"]), @"
    Forgets runs that ended long ago and left nothing open; never the last run of a job

    Usage: outpour runs prune [OPTIONS]

    Options:
          --older-than <TIME>    Forgets runs that ended longer ago than this [default: 30d]
      -v, --verbose...           Says more on standard error: -v what happens, -vv every attempt
          --keep <N>             Keeps so many of the newest runs of each job, whatever their age
                                 [default: 1]
      -q, --quiet                Says nothing on standard error but errors
          --log-format <FORMAT>  How logs are written [default: human] [possible values: human, json]
          --with-open            Forgets runs with open rejects, doubts or waiting events too
          --dry-run              Says which runs would be forgotten, and forgets none
          --json                 Prints JSON, a line a run
          --state <DIR>          The folder of the ledger. Default: .outpour in this folder
      -h, --help                 Print help
    ");
}

#[test]
fn the_help_of_rejects() {
    insta::assert_snapshot!(help(&["rejects"]), @"
    Writes the open rejects of a run, in the shape of their input

    Usage: outpour rejects [OPTIONS] [RUN]

    Arguments:
      [RUN]  The run's number. Default: the last run that has any

    Options:
          --format <FORMAT>      csv or ndjson. Default: as the input was [possible values: csv, ndjson]
      -v, --verbose...           Says more on standard error: -v what happens, -vv every attempt
      -o, --output <PATH>        Writes to this file, which must not be there yet
      -q, --quiet                Says nothing on standard error but errors
          --all                  Those too that a later run has settled
          --log-format <FORMAT>  How logs are written [default: human] [possible values: human, json]
          --state <DIR>          The folder of the ledger. Default: .outpour in this folder
      -h, --help                 Print help
    ");
}

#[test]
fn the_help_of_doubts() {
    insta::assert_snapshot!(help(&["doubts"]), @"
    Lists the records of a run that are in doubt

    Usage: outpour doubts [OPTIONS] [RUN]

    Arguments:
      [RUN]  The run's number. Default: the last run that has any

    Options:
          --format <FORMAT>      Writes the records as csv or ndjson. Default: a list of their places,
                                 or with -o the records as the input had them [possible values: csv,
                                 ndjson]
      -v, --verbose...           Says more on standard error: -v what happens, -vv every attempt
      -o, --output <PATH>        Writes to this file, which must not be there yet
      -q, --quiet                Says nothing on standard error but errors
          --all                  Those too that a later run has settled
          --log-format <FORMAT>  How logs are written [default: human] [possible values: human, json]
          --state <DIR>          The folder of the ledger. Default: .outpour in this folder
      -h, --help                 Print help
    ");
}

#[test]
fn the_help_of_retry() {
    insta::assert_snapshot!(help(&["retry"]), @"
    Sends the open rejects of a run again, or a file of them that was mended

    Usage: outpour retry [OPTIONS] [RUN|FILE]

    Arguments:
      [RUN|FILE]  A run's number, or a file of its rejects that was mended. Default: the last run that
                  has any open ones

    Options:
          --in-doubt              Sends the records in doubt in place of the rejects
      -v, --verbose...            Says more on standard error: -v what happens, -vv every attempt
          --dry-run               Shows the exact requests and sends none; opens no connection and
                                  writes nothing to the ledger
      -q, --quiet                 Says nothing on standard error but errors
          --config <PATH>         The job's configuration. Default: the one that the run had, as it is
                                  today
          --log-format <FORMAT>   How logs are written [default: human] [possible values: human, json]
          --set <KEY=VALUE>       Sets a key of the configuration, such as limits.rate=5/s
          --templates <DIR>       A directory of templates that add to the built-in ones, or replace
                                  them
          --allow-inline-secrets  Permits secrets that stand in the configuration itself
          --mock                  Sends to a built-in look-alike of the vendor; needs no account and no
                                  key, and keeps only the job's own limits
          --fail <FAULTS>         What goes wrong at the mock: a status, reset, close, hang, slow, cut,
                                  garbage, error200, throttled; such as 429:5%,reset:1%
          --report <FORMAT>       How the report is written to standard output [default: human]
                                  [possible values: human, json]
          --report-file <PATH>    Writes the report to this file too, as JSON
          --grace <TIME>          How long a stopped run waits for what is in flight, in place of the
                                  job's `grace`
          --state <DIR>           The folder of the ledger. Default: .outpour beside --config, beside
                                  FILE, or in this folder
          --fresh                 Begins anew where the last retry of the run was stopped before its end
          --force-resume          Goes on with a stopped retry although the file or the job has changed
      -h, --help                  Print help
    ");
}

#[test]
fn the_help_of_define() {
    insta::assert_snapshot!(help(&["define"]), @"
    Plans and applies what an account's objects and fields are to be, from a file

    Usage: outpour define [OPTIONS] <COMMAND>

    Commands:
      validate  Checks a file of definitions against the vendor's rules and limits; opens no connection
      plan      Shows what would be created, changed or deleted; changes nothing
      apply     Shows the plan, asks, and makes its steps one by one
      export    Writes the file that describes an account
      copy      Gives an account what another one has
      help      Print this message or the help of the given subcommand(s)

    Options:
      -v, --verbose...           Says more on standard error: -v what happens, -vv every attempt
      -q, --quiet                Says nothing on standard error but errors
          --log-format <FORMAT>  How logs are written [default: human] [possible values: human, json]
      -h, --help                 Print help
    ");
}

#[test]
fn the_help_of_define_validate() {
    insta::assert_snapshot!(help(&["define", "validate"]), @"
    Checks a file of definitions against the vendor's rules and limits; opens no connection

    Usage: outpour define validate [OPTIONS] <FILE>

    Arguments:
      <FILE>  The definitions, a YAML file, or a List answer of Zuora's as JSON

    Options:
          --json                 Prints JSON, for other programs
      -v, --verbose...           Says more on standard error: -v what happens, -vv every attempt
      -q, --quiet                Says nothing on standard error but errors
          --log-format <FORMAT>  How logs are written [default: human] [possible values: human, json]
      -h, --help                 Print help
    ");
}

#[test]
fn the_help_of_define_plan() {
    insta::assert_snapshot!(help(&["define", "plan"]), @"
    Shows what would be created, changed or deleted; changes nothing

    Usage: outpour define plan [OPTIONS] <FILE>

    Arguments:
      <FILE>  The definitions, a YAML file, or a List answer of Zuora's as JSON

    Options:
          --account <FILE>        A file whose `vendor` and `account` are taken in place of those of
                                  FILE
      -v, --verbose...            Says more on standard error: -v what happens, -vv every attempt
      -q, --quiet                 Says nothing on standard error but errors
          --set <KEY=VALUE>       Sets a key of the file that names the account, such as
                                  account.limits.rate=5/s
          --log-format <FORMAT>   How logs are written [default: human] [possible values: human, json]
          --templates <DIR>       A directory of templates, whose vendor files come before the built-in
                                  ones
          --allow-inline-secrets  Permits secrets that stand in the file itself
          --json                  Prints JSON, for other programs
          --allow-delete          Deletes what is custom, is not in the file and has no records
          --detailed-exitcode     Ends with 2 where there is something to do
      -h, --help                  Print help
    ");
}

#[test]
fn the_help_of_define_apply() {
    insta::assert_snapshot!(help(&["define", "apply"]), @"
    Shows the plan, asks, and makes its steps one by one

    Usage: outpour define apply [OPTIONS] <FILE>

    Arguments:
      <FILE>  The definitions, a YAML file, or a List answer of Zuora's as JSON

    Options:
          --account <FILE>        A file whose `vendor` and `account` are taken in place of those of
                                  FILE
      -v, --verbose...            Says more on standard error: -v what happens, -vv every attempt
      -q, --quiet                 Says nothing on standard error but errors
          --set <KEY=VALUE>       Sets a key of the file that names the account, such as
                                  account.limits.rate=5/s
          --log-format <FORMAT>   How logs are written [default: human] [possible values: human, json]
          --templates <DIR>       A directory of templates, whose vendor files come before the built-in
                                  ones
          --allow-inline-secrets  Permits secrets that stand in the file itself
          --json                  Prints JSON, for other programs
          --allow-delete          Deletes what is custom, is not in the file and has no records
          --yes                   Does not ask before it creates and changes
          --confirm <NAME>        Confirms the deletion of this name, in place of typing it
      -h, --help                  Print help
    ");
}

#[test]
fn the_help_of_define_export() {
    insta::assert_snapshot!(help(&["define", "export"]), @"
    Writes the file that describes an account

    Usage: outpour define export [OPTIONS]

    Options:
      -v, --verbose...            Says more on standard error: -v what happens, -vv every attempt
          --vendor <NAME>         Whose account it is, where no file says it
          --account <FILE>        A file that names the account
      -q, --quiet                 Says nothing on standard error but errors
          --log-format <FORMAT>   How logs are written [default: human] [possible values: human, json]
      -o, --output <PATH>         Writes to this file, which must not be there yet
          --set <KEY=VALUE>       Sets a key of the file that names the account, such as
                                  account.limits.rate=5/s
          --templates <DIR>       A directory of templates, whose vendor files come before the built-in
                                  ones
          --allow-inline-secrets  Permits secrets that stand in the file itself
          --json                  Prints JSON, for other programs
      -h, --help                  Print help
    ");
}

#[test]
fn the_help_of_define_copy() {
    insta::assert_snapshot!(help(&["define", "copy"]), @"
    Gives an account what another one has

    Usage: outpour define copy [OPTIONS] --from <FILE> --to <FILE>

    Options:
          --from <FILE>           A file that names the account to copy from
      -v, --verbose...            Says more on standard error: -v what happens, -vv every attempt
      -q, --quiet                 Says nothing on standard error but errors
          --to <FILE>             A file that names the account to copy to
          --dry-run               Shows the plan alone
          --log-format <FORMAT>   How logs are written [default: human] [possible values: human, json]
          --templates <DIR>       A directory of templates, whose vendor files come before the built-in
                                  ones
          --allow-inline-secrets  Permits secrets that stand in the files themselves
          --json                  Prints JSON, for other programs
          --yes                   Does not ask before it creates and changes
      -h, --help                  Print help
    ");
}
