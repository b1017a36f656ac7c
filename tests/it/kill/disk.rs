//! A disk that is full: nothing is sent that could not be written down, and the run goes on when there is room.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use outpour::mock::MockSettings;

use super::{Past, arrivals, people, wait_for};
use crate::harness::{Outcome, PEOPLE, Scene};

const COUNT: usize = 3_000;

fn scene() -> Scene {
    let scene = Scene::with(MockSettings {
        latency: Duration::from_millis(2),
        ..MockSettings::default()
    });
    scene
        .write("people.ndjson", people(COUNT))
        .write("job.yaml", PEOPLE);
    scene
}

/// What arrived is known to the ledger, the run ended with 74 and named its file.
fn judge_stopped(scene: &Scene, outcome: Outcome) {
    let outcome = outcome.ends_with(74);
    assert!(outcome.stderr.contains("ledger.db"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("cannot be used"), "{}", outcome.stderr);
    let past = Past::of(scene);
    let arrived = arrivals(scene);
    assert!(
        !arrived.is_empty() && arrived.len() < COUNT / 2,
        "{}",
        arrived.len()
    );
    for (number, _) in arrived {
        assert!(past.knows(number), "{number} was sent and is not recorded");
    }
}

/// With room again the run comes to its end, and only what had no outcome was sent again.
fn judge_gone_on_with(scene: &Scene, past: &Past, outcome: Outcome) {
    let bad = (COUNT / super::BAD) as u64;
    let outcome = outcome.ends_with(1);
    assert_eq!(outcome.totals(), [COUNT as u64, COUNT as u64 - bad, bad, 0, 0, 0]);
    let arrived = arrivals(scene);
    assert_eq!(arrived.len() as u64, COUNT as u64 - bad);
    for (number, arrivals) in arrived {
        assert!(
            arrivals == 1 || arrivals == 2 && past.marked.contains(&number),
            "{number}: {arrivals}"
        );
    }
}

/// No file may grow beyond this many blocks of 512 bytes; a write beyond fails, as it does on a full disk.
pub(crate) fn within(blocks: u32, command: &Command) -> Command {
    // The signal that comes with such a write is ignored, here and in what the shell becomes.
    limited(&format!("trap '' XFSZ; ulimit -f {blocks}"), command)
}

/// The command behind a line of shell that limits it.
pub(crate) fn limited(limit: &str, command: &Command) -> Command {
    let mut limited = Command::new("sh");
    limited
        .arg("-c")
        .arg(format!("{limit}; exec \"$0\" \"$@\""))
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(command.get_current_dir().unwrap())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    limited
}

#[test]
fn a_ledger_that_cannot_grow_stops_the_run_before_any_send_that_is_not_recorded() {
    let scene = scene();
    let mut command = scene.job_command("run", &["--report", "json"]);
    let outcome = within(300, command.env_remove("RUST_BACKTRACE"))
        .output()
        .unwrap();
    judge_stopped(&scene, Outcome::of(outcome, &scene));
    let past = Past::of(&scene);
    judge_gone_on_with(&scene, &past, scene.run(&[]));
}

/// A small file system in memory; only root may have one.
struct Disk(PathBuf);

impl Disk {
    fn mount(scene: &Scene, size: &str) -> Self {
        let path = scene.path(".outpour");
        std::fs::create_dir(&path).unwrap();
        let options = format!("size={size},mode=700");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(&path)
            .status();
        assert!(mounted.unwrap().success(), "only root may mount");
        Self(path)
    }

    /// Leaves not a byte.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let mut file = File::create(&path).unwrap();
        for size in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What is left mounted is seen by whoever runs this as root.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_stops_the_run_and_with_room_it_goes_on() {
    if std::env::var_os("OUTPOUR_FULL_DISK").is_none() {
        return;
    }
    let scene = scene();
    let disk = Disk::mount(&scene, "6m");
    let mut child = scene.job_command("run", &["--report", "json"]).spawn().unwrap();
    assert!(wait_for(&scene, &mut child, 200));
    let filler = disk.fill();
    judge_stopped(&scene, scene.wait(child));

    let refused = scene.run(&[]).ends_with(74);
    assert!(refused.stderr.contains("bytes free"), "{}", refused.stderr);
    std::fs::remove_file(filler).unwrap();
    let past = Past::of(&scene);
    judge_gone_on_with(&scene, &past, scene.run(&[]));
}
