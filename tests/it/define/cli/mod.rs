//! What `outpour define` prints, and how it ends.

mod applying;
mod reports;

use super::tenant::{Encharge, Tenant, Zuora, serve};
use super::{KEY, ZUORA_VENDOR};
use crate::harness::{Outcome, Scene};

const INVOICE: &str = "vendor: encharge
objects:
  invoice:
    singular: Invoice
    plural: Invoices
    fields: {number: {type: string}}
associations: [{from: invoice, to: person, type: M:M}]
";

/// A folder with a file, and an account behind a socket.
pub(super) struct Stage {
    pub(super) scene: Scene,
    pub(super) tenant: Tenant,
    pub(super) url: String,
}

impl Stage {
    pub(super) fn encharge(file: &str) -> Self {
        Self::of(Tenant::new(Encharge::new()), file)
    }

    pub(super) fn zuora(file: &str) -> Self {
        Self::of(Tenant::new(Zuora::new()), file)
    }

    pub(super) fn of(tenant: Tenant, file: &str) -> Self {
        let scene = Scene::new();
        let url = serve(scene.runtime(), &tenant);
        std::fs::create_dir_all(scene.path("vendors/zuora")).unwrap();
        scene
            .write("file.yaml", file)
            .write("vendors/zuora/vendor.yaml", ZUORA_VENDOR)
            .write("quick.yaml", "vendor: zuora\n");
        Self { scene, tenant, url }
    }

    pub(super) fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = self.scene.command(&["define"]);
        command
            .args(arguments)
            .env("ENCHARGE_API_KEY", KEY)
            .env("ZUORA_TOKEN", format!("Bearer {KEY}"));
        command
    }

    /// Runs the binary with the account's address.
    pub(super) fn outpour(&self, arguments: &[&str]) -> Outcome {
        let base = format!("account.base_url={}", self.url);
        let mut command = self.command(arguments);
        command.args([
            "--set",
            &base,
            "--set",
            "account.limits.rate=[]",
            "--templates",
            "vendors",
        ]);
        self.end(command)
    }

    pub(super) fn end(&self, mut command: std::process::Command) -> Outcome {
        let outcome = Outcome::of(command.env("RUST_LOG", "trace").output().unwrap(), &self.scene);
        for text in [&outcome.stdout, &outcome.stderr] {
            assert!(!text.contains("CANARY"), "a secret is shown:\n{text}");
        }
        outcome
    }

    /// Exit code and standard output, with the account's address named.
    pub(super) fn shown(&self, outcome: &Outcome) -> String {
        let errors: Vec<&str> = outcome
            .stderr
            .lines()
            .filter(|line| {
                ["error:", "  hint:", "wrote"]
                    .iter()
                    .any(|start| line.starts_with(start))
            })
            .collect();
        let text = format!(
            "exit code {}\n{}{}",
            outcome.code.unwrap_or(-1),
            outcome.stdout,
            errors.join("\n")
        );
        text.replace(&self.url, "[account]")
    }
}
