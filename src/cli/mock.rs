//! `outpour mock`: a built-in look-alike, until it is interrupted.

use std::num::NonZeroU64;
use std::path::Path;

use outpour::document::Document;
use outpour::mock::{
    API_KEY, CLIENT_ID, CLIENT_SECRET, Mock, MockSettings, MockVendor, WRITE_KEY, ZuoraSettings,
};
use outpour::units::TimeSpan;
use serde_json::Value;

use super::args::{MockArgs, Vendor};
use super::error::Failure;
use super::job::runtime;
use super::printer::Printer;
use super::signal::watch_signals;

pub(super) fn mock(args: &MockArgs) -> Result<u8, Failure> {
    let usual = MockSettings::default();
    let settings = MockSettings {
        port: args.port,
        latency: args.latency.get(),
        rate: args.rate.map(|rate| (rate.count.get(), rate.window.duration())),
        capacity: args.capacity.clone(),
        beyond: args.beyond,
        faults: args.fail.clone().unwrap_or_default(),
        seed: args.seed,
        keep: !args.forget,
        ..usual
    };
    let settings = match args.vendor {
        Vendor::Encharge => of_encharge(args, settings)?,
        Vendor::Zuora => of_zuora(args, settings)?,
    };
    runtime()?.block_on(serve(settings))
}

fn of_encharge(args: &MockArgs, settings: MockSettings) -> Result<MockSettings, Failure> {
    let idle = [
        ("--definitions", args.definitions.is_some()),
        ("--token-requests", args.token_requests.is_some()),
        ("--token-life", args.token_life.is_some()),
    ];
    if let Some((flag, _)) = idle.iter().find(|(_, is_given)| *is_given) {
        let message = format!("`{flag}` belongs to the look-alike of Zuora");
        return Err(Failure::usage_hint(
            message,
            format!("`outpour mock zuora {flag} ..`"),
        ));
    }
    Ok(MockSettings {
        schemas: settings.schemas.iter().chain(&args.objects).cloned().collect(),
        ..settings
    })
}

fn of_zuora(args: &MockArgs, settings: MockSettings) -> Result<MockSettings, Failure> {
    let definitions = args.definitions.as_deref().map(definitions).transpose()?;
    Ok(MockSettings {
        vendor: MockVendor::Zuora,
        zuora: ZuoraSettings {
            definitions,
            open_objects: args.objects.clone(),
            token_requests: args.token_requests.map(NonZeroU64::get),
            token_life: args.token_life.map(TimeSpan::get),
            ..ZuoraSettings::default()
        },
        ..settings
    })
}

/// The definitions of a file.
fn definitions(path: &Path) -> Result<Value, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("`{}` cannot be read: {error}", path.display())))?;
    Ok(Document::parse(&path.display().to_string(), &text)?
        .value()
        .clone())
}

async fn serve(settings: MockSettings) -> Result<u8, Failure> {
    let mut signal = watch_signals(Printer::new(true)).map_err(Failure::Runtime)?;
    let mock = Mock::start(settings).await?;
    Printer::result(&welcome(&mock))?;
    // An error means that no signal can come any more, and then there is nothing to wait for.
    let _ = signal.changed().await;
    mock.stop().await;
    Ok(0)
}

fn welcome(mock: &Mock) -> String {
    let address = mock.address();
    let (title, places) = match mock.vendor() {
        MockVendor::Encharge => (
            "an Encharge look-alike",
            format!(
                "\x20 api     base_url: {api}     key: {API_KEY}\n\
                 \x20 ingest  base_url: {ingest}     key: {WRITE_KEY}\n",
                api = mock.api_url(),
                ingest = mock.ingest_url(),
            ),
        ),
        MockVendor::Zuora => (
            "a Zuora look-alike",
            format!(
                "\x20 rest    base_url: {rest}     client_id: {CLIENT_ID}     client_secret: {CLIENT_SECRET}\n\
                 \x20 token   {rest}/oauth/token\n",
                rest = mock.rest_url(),
            ),
        ),
    };
    format!(
        "{title} listens on {address}\n{places}\x20 state   http://{address}/_mock/state\ninterrupt it to stop"
    )
}
