//! Faults around the ledger.

use outpour::mock::MockSettings;

use crate::harness::{PEOPLE, Scene, people};

/// Row: second process on the same run.
#[test]
fn second_process_on_the_same_run() {
    let scene = Scene::with(MockSettings {
        faults: "hang:100%".parse().unwrap(),
        ..MockSettings::default()
    });
    scene
        .write("people.ndjson", people::ndjson(3))
        .write("job.yaml", PEOPLE)
        .write("other.yaml", PEOPLE);
    let mut first = scene.job_command("run", &[]).spawn().unwrap();
    crate::ledger::wait_for(&scene, 1);
    let arrived = scene.state().arrivals.requests;
    let pid = format!(
        "the job `job` is being run by another process (pid {})",
        first.id()
    );
    for verb in [&["run", "job.yaml"][..], &["run", "job.yaml", "--fresh"]] {
        let second = scene.outpour(verb).ends_with(75);
        assert!(second.stderr.contains(&pid), "{}", second.stderr);
    }
    let listed = scene.outpour(&["runs"]).ends_with(0).stdout;
    assert!(
        listed.contains(&format!("running (pid {})", first.id())),
        "{listed}"
    );
    let another = scene.outpour(&["run", "other.yaml", "--mock"]).ends_with(0);
    assert!(
        another.stdout.contains("accepted             3"),
        "another job may run"
    );
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(arrived <= scene.state().arrivals.requests && scene.state().arrivals.requests <= 3);
    let listed = scene.outpour(&["runs"]).ends_with(0).stdout;
    assert!(listed.contains("killed, can be gone on with"), "{listed}");
}
