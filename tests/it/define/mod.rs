//! Definitions as code: the limits, the plan, its steps, and what the binary prints.
//!
//! [`tenant`] holds accounts in memory that follow the vendors' contracts, behind a transport and behind a socket.

mod apply;
mod cli;
mod docs;
mod encharge;
mod export;
mod killed;
mod limits;
mod plan;
mod tenant;

use outpour::define::{Account, Applied, Connection, Contents, Definitions, Deletion, Plan, apply, plan};
use outpour::template::Catalog;

use tenant::Tenant;

/// A vendor file of Zuora's, as a directory of the user's has it.
const ZUORA_VENDOR: &str = "
title: Zuora
hosts: {rest: 'https://rest.zuora.com'}
credentials:
  token: {title: token, env: ZUORA_TOKEN, header: Authorization}
error: '.message'
";

const KEY: &str = "eyJhIjoxfQ.CANARY-8f2c.CANARY-8f2c";

/// A file's text as definitions, with a key in it.
fn definitions(text: &str) -> Definitions {
    let name = if text.contains("vendor: zuora") {
        "token"
    } else {
        "api_key"
    };
    let settings = [
        ("account.credentials".to_owned(), format!("{{{name}: {KEY}}}")),
        ("account.limits.rate".to_owned(), "[]".to_owned()),
    ];
    Definitions::parse("file.yaml", text, &settings).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Everything that is wrong with a file.
fn problems(text: &str) -> String {
    match Definitions::parse("file.yaml", text, &[]).and_then(|definitions| definitions.check()) {
        Ok(()) => "nothing".to_owned(),
        Err(problems) => problems.to_string(),
    }
}

fn account(definitions: &Definitions) -> Account {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("zuora")).unwrap();
    std::fs::write(folder.path().join("zuora/vendor.yaml"), ZUORA_VENDOR).unwrap();
    let catalog = Catalog::with_directory(folder.path()).unwrap();
    definitions.account(&catalog, true).unwrap()
}

/// A file held against an account in memory.
struct Held {
    wanted: Contents,
    connection: Connection<Tenant>,
    deletion: Deletion,
}

impl Held {
    fn of(text: &str, tenant: &Tenant) -> Self {
        let definitions = definitions(text);
        definitions
            .check()
            .unwrap_or_else(|problems| panic!("{problems}"));
        Self {
            wanted: definitions.contents().clone(),
            connection: account(&definitions).over(tenant.clone()),
            deletion: Deletion::Never,
        }
    }

    fn deleting(text: &str, tenant: &Tenant) -> Self {
        Self {
            deletion: Deletion::Allowed,
            ..Self::of(text, tenant)
        }
    }

    async fn plan(&self) -> Plan {
        plan(&self.wanted, &self.connection, self.deletion).await.unwrap()
    }

    async fn apply(&self) -> Applied {
        let shown = self.plan().await;
        apply(&self.wanted, &self.connection, &shown, self.deletion, &mut |_| ()).await
    }
}
