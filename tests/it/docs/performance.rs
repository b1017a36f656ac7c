//! docs/performance.md and what it tells people to run.

use std::process::Command;

use super::path;

#[test]
fn the_regression_gate_fails_at_5_1_percent_and_passes_at_4_9() {
    let done = Command::new("python3")
        .arg(path("benches/instructions/count.py"))
        .arg("--self-test")
        .output()
        .expect("this test needs python3, in which the comparison of benches/instructions is written");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let said = String::from_utf8_lossy(&done.stdout);
    assert_eq!(said, "the comparison fails at 5.1 % and passes at 4.9 %\n");
}
