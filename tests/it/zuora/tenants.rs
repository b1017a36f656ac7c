//! A tenant is exported and copied, and its records are created in the copy: those that break a rule of the server are
//! rejects, each with its own reason, and all others are there.

use std::collections::BTreeMap;

use outpour::mock::{Mock, MockSettings, MockVendor, ZuoraSettings};
use serde_json::Value;

use super::tenant::{OBJECTS, definitions};
use super::vehicles::{self, BROKEN, Flaw, MANY, all_flaws, flaw_of};
use super::{account, vehicles as job};
use crate::harness::{Outcome, Scene};

/// An empty tenant whose calls go wrong as said, and a folder with the file that names it, `b.yaml`.
fn empty_tenant(faults: &str) -> Scene {
    let scene = Scene::with(MockSettings {
        vendor: MockVendor::Zuora,
        faults: faults.parse().unwrap(),
        seed: 7,
        ..MockSettings::default()
    });
    scene.write("b.yaml", account(&scene.rest_url()));
    scene
}

/// Starts the tenant that has all definitions, and writes the file that names it, `a.yaml`.
fn full_tenant(scene: &Scene) -> Mock {
    let settings = MockSettings {
        vendor: MockVendor::Zuora,
        zuora: ZuoraSettings {
            definitions: Some(definitions()),
            ..ZuoraSettings::default()
        },
        ..MockSettings::default()
    };
    let mock = scene.runtime().block_on(Mock::start(settings)).unwrap();
    scene.write("a.yaml", account(&mock.rest_url()));
    mock
}

/// Creates the records in the scene's tenant, so many a request.
fn create(scene: &Scene, flaws: &[Flaw], together: u64) -> Outcome {
    let lines = (0..MANY).map(|number| vehicles::line(number, flaws) + "\n");
    scene
        .write("vehicles.ndjson", lines.collect::<String>())
        .write("job.yaml", job(scene, together).to_string());
    scene.outpour(&["run", "job.yaml", "--report", "json"])
}

/// Fails unless exactly the records that break a rule are rejects, with their own reasons, and the tenant has all others.
fn check(scene: &Scene, outcome: &Outcome, flaws: &[Flaw]) {
    let [many, broken] = [MANY as u64, BROKEN as u64];
    assert_eq!(outcome.totals(), [many, many - broken, broken, 0, 0, 0]);
    let mut found = 0;
    for reject in scene.records("rejects.ndjson") {
        let number = usize::try_from(reject["_error_line"].as_u64().unwrap()).unwrap() - 1;
        let flaw = flaw_of(number).unwrap_or_else(|| panic!("{reject} breaks no rule"));
        let flaw = &flaws[flaw];
        assert_eq!(reject["_error_code"], flaw.code, "{reject}");
        assert_eq!(reject["_error_reason"], flaw.message, "{reject}");
        found += 1;
    }
    assert_eq!(found, BROKEN);
    let state = scene.zuora_state();
    let mut held = BTreeMap::new();
    for record in &state.records["Vehicle"] {
        let text = serde_json::to_string(&record.fields).unwrap();
        *held.entry(text).or_insert(0) += 1;
    }
    let good = (0..MANY).filter(|number| flaw_of(*number).is_none());
    let good: BTreeMap<_, _> = good.map(|number| (vehicles::line(number, flaws), 1)).collect();
    assert_eq!(held.len(), good.len());
    assert!(held == good, "some are not as they were sent");
    assert_eq!(state.counts.created, many - broken);
}

#[test]
fn a_tenant_is_copied_and_exactly_the_records_that_break_its_rules_are_rejects() {
    let scene = empty_tenant("");
    let full = full_tenant(&scene);
    let define = |arguments: &[&str]| scene.outpour(&[&["define"], arguments].concat()).ends_with(0);
    define(&["export", "--account", "a.yaml", "-o", "export.yaml"]);
    define(&["validate", "export.yaml"]);
    define(&["copy", "--from", "a.yaml", "--to", "b.yaml", "--yes"]);
    let schemas = |state: outpour::mock::ZuoraState| -> BTreeMap<_, _> {
        let definitions = state.definitions.into_iter();
        definitions
            .map(|(name, definition)| (name, definition.schema))
            .collect()
    };
    let wanted = schemas(full.zuora_state().unwrap());
    assert_eq!(wanted.len(), OBJECTS);
    assert_eq!(schemas(scene.zuora_state()), wanted);
    let plan = [
        "plan",
        "export.yaml",
        "--account",
        "b.yaml",
        "--detailed-exitcode",
    ];
    define(&plan);
    define(&["export", "--account", "b.yaml", "-o", "again.yaml"]);
    assert_eq!(scene.read("again.yaml"), scene.read("export.yaml"));

    let flaws = all_flaws();
    let outcome = create(&scene, &flaws, 1_000).ends_with(1);
    check(&scene, &outcome, &flaws);
    let state = scene.zuora_state();
    assert_eq!(state.counts.tokens, 4, "one for each command");
}

#[test]
fn an_export_applied_to_an_empty_tenant_makes_the_same_one() {
    let scene = empty_tenant("");
    let full = full_tenant(&scene);
    let define = |arguments: &[&str]| scene.outpour(&[&["define"], arguments].concat()).ends_with(0);
    define(&["export", "--account", "a.yaml", "-o", "export.yaml"]);
    define(&["apply", "export.yaml", "--account", "b.yaml", "--yes"]);
    let schemas = |state: outpour::mock::ZuoraState| {
        let definitions = state.definitions.into_values();
        serde_json::to_value(
            definitions
                .map(|definition| definition.schema)
                .collect::<Vec<_>>(),
        )
        .unwrap()
    };
    let [made, wanted]: [Value; 2] = [scene.zuora_state(), full.zuora_state().unwrap()].map(schemas);
    assert_eq!(made, wanted);
}

#[test]
fn a_server_that_puts_records_off_and_refuses_calls_changes_nothing_about_it() {
    let scene = empty_tenant("throttled:10%,429:5%");
    let _full = full_tenant(&scene);
    let copy = ["define", "copy", "--from", "a.yaml", "--to", "b.yaml", "--yes"];
    scene.outpour(&copy).ends_with(0);
    let flaws = all_flaws();
    let outcome = create(&scene, &flaws, 100).ends_with(1);
    check(&scene, &outcome, &flaws);
    let struck = scene.zuora_state().arrivals.by_fault;
    assert!(struck["throttled"] >= 2 && struck["429"] >= 2, "{struck:?}");
}
