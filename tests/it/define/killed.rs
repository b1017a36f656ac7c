//! `define apply` against the look-alikes: run twice, and killed in the middle of its steps.

use std::time::{Duration, Instant};

use outpour::mock::{Arrival, MockSettings, MockVendor, ZuoraSettings};
use serde_json::{Value, json};

use crate::harness::{Outcome, Scene};

/// How long an answer takes: what a test needs to kill the binary before it comes.
const LATENCY: Duration = Duration::from_millis(5);

/// An account as it is before anything is applied, and the file that is.
#[derive(Clone, Copy)]
enum Case {
    Encharge,
    Zuora,
    /// A tenant with an older definition, which several calls change.
    OlderZuora,
}

impl Case {
    /// The mock's settings.
    fn settings(self) -> MockSettings {
        let older = json!({"definitions": {"Vehicle": {
            "object": "Vehicle",
            "label": "Car",
            "properties": {"DeviceId__c": {"label": "Device", "type": "string", "maxLength": 10}},
        }}});
        let zuora = |definitions| ZuoraSettings {
            definitions,
            ..ZuoraSettings::default()
        };
        let (vendor, zuora) = match self {
            Self::Encharge => (MockVendor::Encharge, zuora(None)),
            Self::Zuora => (MockVendor::Zuora, zuora(None)),
            Self::OlderZuora => (MockVendor::Zuora, zuora(Some(older))),
        };
        MockSettings {
            vendor,
            zuora,
            latency: LATENCY,
            ..MockSettings::default()
        }
    }

    /// An account of its own, and the file in `file.yaml`.
    fn scene(self) -> Scene {
        let file = match self {
            Self::Encharge => include_str!("../../../config/definitions/encharge.yaml"),
            Self::Zuora | Self::OlderZuora => include_str!("../../../config/definitions/zuora.yaml"),
        };
        let scene = Scene::with(self.settings());
        scene.write("file.yaml", file);
        scene
    }

    fn apply(self, scene: &Scene) -> std::process::Command {
        let url = match self {
            Self::Encharge => scene.api_url(),
            Self::Zuora | Self::OlderZuora => scene.rest_url(),
        };
        let mut command = scene.command(&["define", "apply", "file.yaml", "--yes"]);
        command.args(["--set", &format!("account.base_url={url}")]);
        command.args(["--set", "account.limits.rate=[]"]);
        command
    }

    /// Applies the file to its end.
    fn applied(self, scene: &Scene) -> Outcome {
        let output = self.apply(scene).output().unwrap();
        Outcome::of(output, scene).ends_with(0)
    }

    /// What the account has.
    fn account(self, scene: &Scene) -> Value {
        match self {
            Self::Encharge => {
                let state = scene.state();
                json!([state.schemas, state.association_types, state.fields])
            }
            Self::Zuora | Self::OlderZuora => {
                let definitions = scene.zuora_state().definitions.into_values();
                definitions.map(|definition| json!(definition.schema)).collect()
            }
        }
    }
}

/// The requests that changed something, and those alone.
fn writes(scene: &Scene) -> Vec<Arrival> {
    let changed =
        |arrival: &Arrival| arrival.method != "GET" && arrival.path != "/oauth/token" && arrival.carried_out;
    scene.state().arrivals.log.into_iter().filter(changed).collect()
}

/// Starts an apply and kills it as soon as so many requests have arrived. Says whether it was still at work.
fn kill_after(case: Case, scene: &Scene, requests: u64) -> bool {
    let mut child = case.apply(scene).spawn().unwrap();
    let start = Instant::now();
    while scene.requests() < requests && child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < Duration::from_secs(60), "no requests arrive");
        std::thread::sleep(Duration::from_millis(1));
    }
    let is_at_work = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    is_at_work
}

/// Kills an apply at each of its steps, before and after the step's answer, and goes on with it.
fn is_gone_on_with(case: Case) {
    let undisturbed = case.scene();
    case.applied(&undisturbed);
    let wanted = case.account(&undisturbed);
    let steps = writes(&undisturbed);
    let again = case.applied(&undisturbed);
    assert!(again.stdout.contains("nothing to do"), "{}", again.stdout);
    assert_eq!(
        writes(&undisturbed).len(),
        steps.len(),
        "the second one writes nothing"
    );
    let mut killed = 0;
    for requests in steps.iter().flat_map(|step| [step.number, step.number + 1]) {
        let scene = case.scene();
        killed += usize::from(kill_after(case, &scene, requests));
        let before = writes(&scene).len();
        assert!(before <= steps.len());
        let outcome = case.applied(&scene);
        assert!(
            outcome.stdout.contains("nothing is left") || outcome.stdout.contains("nothing to do"),
            "{}",
            outcome.stdout
        );
        assert_eq!(case.account(&scene), wanted, "killed after {requests} requests");
        let made = writes(&scene);
        assert_eq!(
            made.len(),
            steps.len(),
            "killed after {requests} requests: {made:?}"
        );
    }
    assert!(
        killed >= steps.len(),
        "{killed} of {} were killed",
        2 * steps.len()
    );
}

#[test]
fn an_apply_at_encharge_that_is_killed_at_any_step_is_gone_on_with() {
    is_gone_on_with(Case::Encharge);
}

#[test]
fn an_apply_at_zuora_that_is_killed_at_its_only_step_is_gone_on_with() {
    is_gone_on_with(Case::Zuora);
}

#[test]
fn changes_at_zuora_that_are_killed_at_any_step_are_gone_on_with() {
    is_gone_on_with(Case::OlderZuora);
}
