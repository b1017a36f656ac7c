//! Row: stdout/report pipe closed.

use crate::harness::Scene;

#[test]
fn stdout_closed_before_the_end_finishes_the_delivery_writes_the_report_file_and_ends_with_74() {
    let scene = Scene::of_a_hundred();
    let mut child = scene
        .job_command("run", &["--report", "json", "--report-file", "report.json"])
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(74));
    assert_eq!(scene.state().counts.people, 100);
    let report: serde_json::Value = serde_json::from_str(&scene.read("report.json")).unwrap();
    assert_eq!(
        (&report["accepted"], &report["ending"]),
        (&100.into(), &"finished".into())
    );
}

#[test]
fn stderr_closed_changes_nothing() {
    let scene = Scene::of_a_hundred();
    let mut child = scene
        .job_command("run", &["--report", "json", "-vv"])
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    let outcome = scene.wait(child).ends_with(0);
    assert_eq!(outcome.totals(), [100, 100, 0, 0, 0, 0]);
}
