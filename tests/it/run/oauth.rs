//! Tokens through the binary: a manual endpoint and a template of one's own, against an API that asks for them.

use std::fmt::Write as _;

use crate::harness::guarded::{CLIENT_ID, CLIENT_SECRET, Guarded, Manners};
use crate::harness::{Outcome, Scene};

/// What no output may hold: it is part of the client's identifier and secret and of each token.
const CANARY: &str = "CANARY-8f2c";

/// The middle of the base64 of client and secret.
const BASIC: &str = "Q0FOQVJZLThmMmM";

const VENDOR: &str = "
title: Acme
hosts: {api: 'https://api.acme.example/v2', login: 'https://login.acme.example'}
credentials:
  client_id: {title: client ID, env: ACME_ID}
  client_secret: {title: client secret, where_to_find: 'Acme, Settings', env: ACME_SECRET}
  token:
    title: token
    oauth: {host: login, path: /oauth/token, client_id: client_id, client_secret: client_secret}
  key: {title: key, env: ACME_KEY, header: Authorization, prefix: 'Key '}
check: {host: api, path: /account, credential: token, account: .name}
";

const TEMPLATE: &str = "
title: Send
method: POST
host: api
path: /things
credential: CREDENTIAL
safe_to_resend: false
example: {id: 1}
tests:
  - {name: a thing, records: ['{\"id\":1}'], requests: [{method: POST, url: 'https://api.acme.example/v2/things', headers: HEADERS, body: '{\"id\":1}'}]}
";

/// A scene with a server of these manners, and a job of so many records that is sent to it.
fn scene(manners: Manners, records: usize, destination: &str) -> (Scene, Guarded) {
    let scene = Scene::new();
    let server = Guarded::start(scene.runtime(), manners);
    let mut text = String::new();
    for id in 0..records {
        writeln!(text, "{{\"id\":{id}}}").unwrap();
    }
    let destination = match destination.contains("template:") {
        true => format!("{destination}, base_url: '{}'", server.url("")),
        false => format!(
            "method: POST, url: '{}', auth: {}, {destination}",
            server.url("/in"),
            server.auth()
        ),
    };
    let job = format!(
        "source: {{path: records.ndjson}}\ndestination: {{{destination}}}\nlimits: {{concurrency: 32}}\n\
         retry: {{initial_backoff: 1ms, max_backoff: 5ms}}\nresponses: {{path: replies.ndjson}}\n"
    );
    scene.write("records.ndjson", text).write("job.yaml", job);
    for (file, credential, headers) in [
        ("send.yaml", "token", "{authorization: Bearer stand-in}"),
        ("keyed.yaml", "key", "{authorization: Key stand-in}"),
    ] {
        let folder = scene.path("templates/acme");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("vendor.yaml"), VENDOR).unwrap();
        let template = TEMPLATE
            .replace("CREDENTIAL", credential)
            .replace("HEADERS", headers);
        std::fs::write(folder.join(file), template).unwrap();
    }
    (scene, server)
}

fn run(scene: &Scene, verb: &[&str]) -> Outcome {
    run_as(scene, verb, CLIENT_SECRET)
}

/// Runs a verb with all that is logged, and looks for secrets in what it leaves behind.
fn run_as(scene: &Scene, verb: &[&str], secret: &str) -> Outcome {
    let mut command = scene.command(verb);
    command
        .env("RUST_LOG", "trace")
        .env("CLIENT_ID", CLIENT_ID)
        .env("CLIENT_SECRET", secret)
        .env("ACME_ID", CLIENT_ID)
        .env("ACME_SECRET", secret)
        .env("ACME_KEY", "CANARY-8f2c-token-1");
    let outcome = Outcome::of(command.output().unwrap(), scene);
    let files: Vec<String> = scene
        .names()
        .into_iter()
        .filter(|name| scene.path(name).is_file())
        .map(|name| scene.read(&name))
        .collect();
    for text in files.iter().chain([&outcome.stdout, &outcome.stderr]) {
        let found = text
            .lines()
            .find(|line| line.contains(CANARY) || line.contains(BASIC));
        assert_eq!(found, None, "a secret is shown");
    }
    outcome
}

fn quietly(scene: &Scene) -> Outcome {
    let mut command = scene.command(&["run", "job.yaml", "--report", "json"]);
    command
        .env("CLIENT_ID", CLIENT_ID)
        .env("CLIENT_SECRET", CLIENT_SECRET);
    Outcome::of(command.output().unwrap(), scene)
}

#[test]
fn a_token_that_expires_in_the_middle_of_a_long_run_costs_one_token_request_and_loses_nothing() {
    let manners = Manners {
        expires_after: Some(5_000),
        ..Manners::default()
    };
    let (scene, server) = scene(manners, 10_000, "identifiers: [id]");
    let outcome = quietly(&scene).ends_with(0);
    assert_eq!(outcome.totals(), [10_000, 10_000, 0, 0, 0, 0]);
    assert_eq!((outcome.count("token_requests"), server.token_requests()), (2, 2));
    let mut bodies: Vec<String> = server.taken().into_iter().map(|taken| taken.body).collect();
    bodies.sort();
    bodies.dedup();
    assert_eq!(
        (server.taken().len(), bodies.len()),
        (10_000, 10_000),
        "each exactly once"
    );
    assert!((1..=32).contains(&server.refused()), "{}", server.refused());
    assert_eq!(
        outcome.report()["retries_by_cause"]["401"],
        server.refused() as u64
    );
    assert_eq!(outcome.count("attempts"), 10_000 + server.refused() as u64);
}

#[test]
fn a_new_token_that_is_refused_too_stops_the_run_with_77_and_rejects_nothing() {
    let manners = Manners {
        trusts_nobody: true,
        echoes: true,
        ..Manners::default()
    };
    let (scene, server) = scene(manners, 100, "identifiers: [id]");
    let outcome = run(&scene, &["run", "job.yaml", "--report", "json"]).ends_with(77);
    assert_eq!(outcome.totals(), [100, 0, 0, 0, 0, 100]);
    assert_eq!(server.token_requests(), 2);
}

#[test]
fn a_client_that_is_refused_stops_the_run_with_77_and_says_where_to_look() {
    let (scene, server) = scene(Manners::default(), 100, "identifiers: [id]");
    let outcome = run_as(
        &scene,
        &["run", "job.yaml", "--report", "json"],
        "CANARY-8f2c wrong",
    )
    .ends_with(77);
    assert_eq!(outcome.totals(), [100, 0, 0, 0, 0, 100]);
    let because = outcome.report()["stopped_because"].as_str().unwrap().to_owned();
    assert!(
        because.contains("invalid_client") && because.ends_with("look at `CLIENT_ID` and `CLIENT_SECRET`"),
        "{because}"
    );
    assert_eq!((server.token_requests(), server.taken().len()), (1, 0));
}

#[test]
fn a_token_endpoint_that_cannot_be_reached_stops_the_run_with_69() {
    let (scene, server) = scene(Manners::default(), 10, "identifiers: [id]");
    let set = "destination.auth.token_url=http://127.0.0.1:1/token";
    let outcome = run(&scene, &["run", "job.yaml", "--report", "json", "--set", set]).ends_with(69);
    assert_eq!(outcome.totals(), [10, 0, 0, 0, 0, 10]);
    assert!(server.taken().is_empty());
}

#[test]
fn a_reply_that_repeats_the_token_shows_it_nowhere() {
    let manners = Manners {
        echoes: true,
        ..Manners::default()
    };
    let (scene, server) = scene(manners, 20, "error: .echo");
    run(&scene, &["run", "job.yaml", "--report", "json"]).ends_with(0);
    assert_eq!(server.taken().len(), 20);
    assert!(scene.read("replies.ndjson").contains("Bearer ***"));
    run(&scene, &["test", "job.yaml"]).ends_with(0);
}

#[test]
fn preview_shows_no_token_and_needs_none() {
    let (scene, server) = scene(Manners::default(), 1, "identifiers: [id]");
    let outcome = run(&scene, &["preview", "job.yaml"]).ends_with(0);
    assert!(
        outcome.stdout.contains("authorization: ***\n"),
        "{}",
        outcome.stdout
    );
    assert_eq!(server.token_requests(), 0);
}

#[test]
fn a_template_of_ones_own_fetches_its_token_at_the_base_url() {
    let (scene, server) = scene(Manners::default(), 20, "template: acme/send");
    let own = ["--templates", "templates"];
    run(
        &scene,
        &[&["run", "job.yaml", "--report", "json"], &own[..]].concat(),
    )
    .ends_with(0);
    assert_eq!((server.taken().len(), server.token_requests()), (20, 1));
    let outcome = run(&scene, &[&["check", "job.yaml", "--online"], &own[..]].concat()).ends_with(0);
    assert!(
        outcome.stdout.contains("the credentials are good: Acme"),
        "{}",
        outcome.stdout
    );
    let check = [&["check", "job.yaml", "--online"], &own[..]].concat();
    let outcome = run_as(&scene, &check, "another").ends_with(77);
    assert!(
        outcome
            .stdout
            .contains("the credentials were refused: the token endpoint refuses the client"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn a_credential_may_have_a_prefix() {
    let (scene, server) = scene(Manners::default(), 1, "template: acme/keyed");
    let outcome = run(
        &scene,
        &["run", "job.yaml", "--report", "json", "--templates", "templates"],
    )
    .ends_with(77);
    assert_eq!(
        (server.refused(), outcome.count("unsent")),
        (1, 1),
        "it is no bearer"
    );
    run(&scene, &["templates", "test", "templates"]).ends_with(0);
}

#[test]
fn a_job_says_where_the_clients_secrets_are_kept() {
    let own = ["--templates", "templates"];
    let given = "template: acme/send, credentials: {client_id: {env: CLIENT_ID}, client_secret: {env: CLIENT_SECRET}}";
    let (good, server) = scene(Manners::default(), 1, given);
    run(&good, &[&["run", "job.yaml"], &own[..]].concat()).ends_with(0);
    assert_eq!(server.taken().len(), 1);
    let (missing, _) = scene(
        Manners::default(),
        1,
        "template: acme/send, credentials: {token: {env: NOWHERE}, client_secret: {env: NOWHERE}}",
    );
    let outcome = run(&missing, &[&["check", "job.yaml"], &own[..]].concat()).ends_with(2);
    for expected in [
        "destination.credentials.client_secret: the environment variable `NOWHERE` is not set; it holds the client secret (Acme, Settings)",
        "destination.credentials.token: `acme/send` takes `client_id` and `client_secret`, not `token`",
    ] {
        assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
    }
}

#[test]
fn a_starter_and_a_description_name_both_credentials() {
    let (scene, _) = scene(Manners::default(), 1, "template: acme/send");
    let starter = run(&scene, &["init", "acme/send", "--templates", "templates"]).ends_with(0);
    assert!(
        starter.stdout.contains(
            "  credentials:\n    # The client ID.\n    client_id: {env: ACME_ID}\n    # The client secret (Acme, Settings).\n"
        ),
        "{}",
        starter.stdout
    );
    let shown = run(
        &scene,
        &["templates", "show", "acme/send", "--templates", "templates"],
    )
    .ends_with(0);
    assert!(
        shown
            .stdout
            .contains("token        fetched with them from https://login.acme.example/oauth/token\n"),
        "{}",
        shown.stdout
    );
}

#[test]
fn a_vendor_file_that_cannot_work_is_refused_with_its_place() {
    let (scene, _) = scene(Manners::default(), 1, "template: acme/send");
    let wrong = VENDOR
        .replace("host: login,", "host: logon,")
        .replace("client_secret: client_secret}", "client_secret: token}")
        .replace("title: key, env: ACME_KEY", "title: key")
        .replace("    title: token\n", "    title: token\n    env: TOKEN\n");
    scene.write("templates/acme/vendor.yaml", wrong);
    let outcome = run(&scene, &["templates", "--templates", "templates"]).ends_with(2);
    for expected in [
        "credentials.token.env: a token comes from `oauth`",
        "credentials.token.oauth.host: the vendor has no host `logon`",
        "credentials.token.oauth.client_secret: the vendor has no credential `token` that is no token itself",
        "credentials.key: it needs `env`, or `oauth`",
    ] {
        assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
    }
}

#[test]
fn large_bodies_go_and_come_compressed_where_the_job_says_so() {
    let manners = Manners {
        packs: true,
        failures: vec![503, 503],
        ..Manners::default()
    };
    let destination = "compression: gzip, idempotency: {header: Idempotency-Key}, success: {when: .ok}";
    let (scene, server) = scene(manners, 301, destination);
    let set = ["--set", "batch.max_records=300", "--set", "limits.concurrency=1"];
    let outcome = run(
        &scene,
        &[&["run", "job.yaml", "--report", "json"], &set[..]].concat(),
    )
    .ends_with(0);
    assert_eq!(outcome.totals(), [301, 301, 0, 0, 0, 0]);
    let taken = server.taken();
    assert_eq!(taken.len(), 4);
    let (large, small): (Vec<_>, Vec<_>) = taken
        .iter()
        .partition(|taken| taken.headers.contains_key("content-encoding"));
    assert_eq!(small[0].body, "[{\"id\":300}]", "less than 1 KiB goes as it is");
    for taken in &large {
        assert!(taken.size < taken.body.len() / 2, "{} bytes", taken.size);
        assert_eq!((&taken.body, taken.size), (&large[0].body, large[0].size));
    }
    let mut keys: Vec<&str> = taken
        .iter()
        .map(|taken| taken.headers["idempotency-key"].to_str().unwrap())
        .collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 4, "a new key after each answered failure");
    let readable = run(&scene, &["preview", "job.yaml"]).ends_with(0);
    assert!(readable.stdout.contains("{\"id\":0}"), "{}", readable.stdout);
    run(&scene, &["test", "job.yaml"]).ends_with(0);
}

#[test]
fn options_that_cannot_work_are_refused() {
    let refused = |destination: &str| {
        let (scene, _) = scene(Manners::default(), 1, destination);
        run(&scene, &["check", "job.yaml"]).ends_with(2).stderr
    };
    let stderr = refused("success: {treat: {409: wait}}");
    assert!(
        stderr.contains(
            "destination.success.treat: `wait` asks for what came of an earlier attempt by its key"
        ),
        "{stderr}"
    );
    let stderr = refused("compression: gzip, headers: {Content-Encoding: br}");
    assert!(
        stderr.contains("destination.compression: `content-encoding` stands in `headers` too"),
        "{stderr}"
    );
    let stderr = refused("headers: {Authorization: Bearer x}");
    assert!(stderr.contains("is set from the credential"), "{stderr}");
}

#[test]
fn an_idempotency_key_on_a_method_that_needs_none_is_refused() {
    let (scene, _) = scene(Manners::default(), 1, "idempotency: {header: X-Key}");
    for method in ["PUT", "DELETE"] {
        let set = format!("destination.method={method}");
        let outcome = run(&scene, &["check", "job.yaml", "--set", &set]).ends_with(2);
        assert!(
            outcome
                .stderr
                .contains("destination.idempotency: keys are for POST and PATCH"),
            "{}",
            outcome.stderr
        );
    }
}
