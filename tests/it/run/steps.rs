//! Several jobs in one file: in order, until one does not come to a good end.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;

use outpour::mock::{API_KEY, MockSettings, Object};

use crate::harness::{Outcome, Scene};

/// A scene with the example's files, each pointed at the scene's mock.
fn invoices(settings: MockSettings) -> Scene {
    let scene = Scene::with(settings);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/invoices");
    let base = scene.api_url();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let text = text
            .replace(
                "destination:\n",
                &format!("limits: {{rate: []}}\ndestination:\n  base_url: {base}\n"),
            )
            .replace(
                "vendor: encharge\n",
                &format!("vendor: encharge\naccount: {{base_url: '{base}', limits: {{rate: []}}}}\n"),
            );
        scene.write(&name, text);
    }
    scene
}

fn load(scene: &Scene, more: &[&str]) -> Outcome {
    let mut command = scene.command(&["run", "load.yaml"]);
    command.env("ENCHARGE_API_KEY", API_KEY).args(more);
    Outcome::of(command.output().unwrap(), scene)
}

fn number_of(invoice: &Object) -> usize {
    invoice.attributes.text("externalId").unwrap()[4..]
        .parse()
        .unwrap()
}

#[test]
fn the_six_steps_of_the_vendors_help_are_one_job() {
    const INVOICES: usize = 1_000;
    let scene = invoices(MockSettings {
        drop_unknown_fields: true,
        ..MockSettings::default()
    });
    let mut rows = "externalId,payer,amount,currency,status,dueDate\n".to_owned();
    let mut paid = "externalId,status\n".to_owned();
    for number in 0..INVOICES {
        let payer = number % 300;
        writeln!(
            rows,
            "inv-{number},p{payer}@example.com,{number}.50,EUR,open,2026-12-01"
        )
        .unwrap();
        writeln!(paid, "inv-{number},paid").unwrap();
    }
    scene.write("invoices.csv", rows).write("paid.csv", paid);
    let outcome = load(&scene, &[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());

    let state = scene.state();
    let schema = state
        .schemas
        .iter()
        .find(|schema| schema.name == "invoice")
        .unwrap();
    let fields: Vec<&str> = schema.fields.iter().map(|field| field.name.as_str()).collect();
    for field in ["amount", "currency", "status", "dueDate"] {
        assert!(fields.contains(&field), "{fields:?}");
    }
    assert_eq!(state.people.len(), 300);
    let objects = &state.objects["invoice"];
    assert_eq!(objects.len(), INVOICES);
    let mut numbers = HashSet::new();
    for object in objects {
        let number = number_of(object);
        assert!(number < INVOICES && numbers.insert(number), "invoice {number}");
        assert_eq!(
            object.attributes.json("amount"),
            Some(format!("{number}.50").as_str())
        );
        assert_eq!(object.attributes.json("status"), Some("\"paid\""));
    }
    // Each invoice is tied to the person whose address its row had.
    assert_eq!(state.associations.len(), INVOICES);
    for tie in &state.associations {
        let ids = [&tie.from_id, &tie.to_id];
        let person = state
            .people
            .iter()
            .find(|person| ids.contains(&&person.id))
            .unwrap();
        let object = objects
            .iter()
            .find(|object| ids.contains(&&object.id.to_string()))
            .unwrap();
        assert_eq!(
            person.attributes.text("email").unwrap(),
            format!("p{}@example.com", number_of(object) % 300)
        );
    }
}

#[test]
fn the_example_runs_against_a_look_alike_of_its_own() {
    let scene = Scene::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/invoices");
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let bytes = std::fs::read(entry.path()).unwrap();
        scene.write(&entry.file_name().into_string().unwrap(), bytes);
    }
    let outcome = scene.outpour(&["run", "load.yaml", "--mock"]).ends_with(0);
    assert!(
        outcome.stderr.contains("step 5 of 5: run update.yaml"),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("the mock holds 4 people, 5 objects"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_step_that_fails_ends_it_and_the_rest_can_be_gone_on_with() {
    let scene = invoices(MockSettings::default());
    scene.write("paid.csv", "externalId,status\nno-such,paid\n");
    let outcome = load(&scene, &[]);
    assert_eq!(outcome.code, Some(1), "{}", outcome.shown());
    assert!(
        outcome.stderr.contains("step 5 of 5 did not come to a good end")
            && outcome
                .stderr
                .contains("`outpour run load.yaml --from 5` goes on with it\n"),
        "{}",
        outcome.stderr
    );
    let objects = scene.state().counts.objects;
    scene.write("paid.csv", "externalId,status\ninv-1001,paid\n");
    let again = load(&scene, &["--from", "5"]);
    assert_eq!(again.code, Some(0), "{}", again.shown());
    assert_eq!(
        scene.state().counts.objects,
        objects,
        "no step before it was made again"
    );
}

#[test]
fn steps_refuse_what_belongs_to_one_job_and_numbers_that_are_none() {
    let scene = Scene::new();
    scene.write("load.yaml", "steps: [{run: a.yaml}, {run: b.yaml}]");
    for (arguments, said) in [
        (&["--input", "x.csv"][..], "`--input` belongs to one job"),
        (&["--set", "limits.rate=1/s"], "`--set` belongs to one job"),
        (
            &["--from", "3"],
            "`--from 3` is none of the steps, which are 1 to 2",
        ),
        (&["--from", "0"], "`--from 0` is none of the steps"),
        (&[], "the configuration `a.yaml` cannot be read"),
    ] {
        let outcome = scene
            .outpour(&[&["run", "load.yaml"][..], arguments].concat())
            .ends_with(2);
        assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
    }
    scene.write("job.yaml", crate::harness::PEOPLE);
    let one = scene.outpour(&["run", "job.yaml", "--from", "1"]).ends_with(2);
    assert!(one.stderr.contains("`job.yaml` is one job"), "{}", one.stderr);
}
