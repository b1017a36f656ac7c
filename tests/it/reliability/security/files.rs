//! File permissions: what a run writes, and the secrets that it reads.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::harness::{Outcome, PEOPLE, Scene};

fn mode(scene: &Scene, name: &str) -> u32 {
    std::fs::metadata(scene.path(name)).unwrap().permissions().mode() & 0o777
}

/// A job with a good person and a bad one, and every file that a run can write.
fn scene() -> Scene {
    let scene = Scene::new();
    let people = "{\"email\":\"a@example.com\"}\n{\"email\":\"nobody\"}\n";
    scene.write("people.ndjson", people).write(
        "job.yaml",
        format!("{PEOPLE}responses: {{path: replies.ndjson}}\n"),
    );
    scene
}

#[test]
fn file_permissions_of_all_that_a_run_writes_are_its_owners_alone() {
    let scene = scene();
    scene.run(&["--report-file", "report.json"]).ends_with(1);
    for name in ["job.rejected.ndjson", "replies.ndjson", "report.json"] {
        assert_eq!(mode(&scene, name), 0o600, "{name}");
    }
    let doubtful = scene_in_doubt();
    assert_eq!(mode(&doubtful, "job.in-doubt.ndjson"), 0o600);
}

/// A run whose record is in doubt.
fn scene_in_doubt() -> Scene {
    let scene = Scene::failing("close:100%", 1);
    scene
        .write("people.ndjson", "{\"email\":\"a@example.com\"}\n")
        .write("job.yaml", PEOPLE);
    let set = [
        "--set",
        "destination.safe_to_resend=false",
        "--set",
        "retry.attempts=1",
    ];
    scene.run(&set).ends_with(1);
    scene
}

#[test]
fn file_permissions_of_an_older_file_do_not_matter_since_it_is_never_opened() {
    let scene = scene();
    scene.write("job.rejected.ndjson", "mine");
    std::fs::set_permissions(scene.path("job.rejected.ndjson"), Permissions::from_mode(0o666)).unwrap();
    let outcome = scene.run(&[]).ends_with(1);
    assert_eq!(scene.read("job.rejected.ndjson"), "mine");
    assert_eq!(mode(&scene, "job.rejected-2.ndjson"), 0o600);
    let report = outcome.report()["rejects_files"].to_string();
    assert!(report.contains("job.rejected-2.ndjson"), "{report}");
}

#[test]
fn file_permissions_are_not_evaded_by_a_link_in_the_place_of_a_file() {
    let scene = scene();
    scene.write("victim", "precious");
    for name in ["job.rejected.ndjson", "replies.ndjson"] {
        symlink(scene.path("victim"), scene.path(name)).unwrap();
    }
    // One that leads to where nothing is yet must not be followed either.
    symlink(scene.path("elsewhere"), scene.path("job.rejected-2.ndjson")).unwrap();
    scene.run(&[]).ends_with(1);
    assert_eq!(scene.read("victim"), "precious");
    assert!(!scene.path("elsewhere").exists());
    assert_eq!(mode(&scene, "job.rejected-3.ndjson"), 0o600);
    assert_eq!(mode(&scene, "replies-2.ndjson"), 0o600);
}

fn run_with_key_file(key_mode: u32) -> Outcome {
    let scene = scene();
    scene.write("key.txt", outpour::mock::API_KEY);
    std::fs::set_permissions(scene.path("key.txt"), Permissions::from_mode(key_mode)).unwrap();
    let set = "destination.credentials={api_key: {file: key.txt}}";
    scene.run(&["--set", set]).ends_with(1)
}

#[test]
fn file_permissions_of_a_secret_that_others_can_read_are_warned_of() {
    for open in [0o644, 0o640, 0o604] {
        let outcome = run_with_key_file(open);
        let warnings = outcome.report()["warnings"].to_string();
        assert!(
            warnings.contains("key.txt` can be read by others"),
            "{open:o}: {warnings}"
        );
        assert!(
            outcome.stderr.contains("`chmod 600` keeps it"),
            "{}",
            outcome.stderr
        );
    }
    let outcome = run_with_key_file(0o600);
    assert_eq!(outcome.report()["warnings"].to_string(), "[]");
}
