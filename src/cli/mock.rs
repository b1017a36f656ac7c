//! `outpour mock`: the built-in look-alike, until it is interrupted.

use outpour::mock::{API_KEY, Mock, MockSettings, WRITE_KEY};

use super::args::{MockArgs, Vendor};
use super::error::Failure;
use super::job::runtime;
use super::printer::Printer;
use super::signal::watch_signals;

pub(super) fn mock(args: &MockArgs) -> Result<u8, Failure> {
    let Vendor::Encharge = args.vendor;
    let usual = MockSettings::default();
    let settings = MockSettings {
        port: args.port,
        latency: args.latency.get(),
        rate: args.rate.map(|rate| (rate.count.get(), rate.window.duration())),
        faults: args.fail.clone().unwrap_or_default(),
        seed: args.seed,
        keep: !args.forget,
        schemas: usual.schemas.iter().chain(&args.objects).cloned().collect(),
        ..usual
    };
    runtime()?.block_on(serve(settings))
}

async fn serve(settings: MockSettings) -> Result<u8, Failure> {
    let mut signal = watch_signals(Printer::new(true)).map_err(Failure::Runtime)?;
    let mock = Mock::start(settings).await?;
    Printer::result(&format!(
        "an Encharge look-alike listens on {address}\n\
         \x20 api     base_url: {api}     key: {API_KEY}\n\
         \x20 ingest  base_url: {ingest}     key: {WRITE_KEY}\n\
         \x20 state   http://{address}/_mock/state\n\
         interrupt it to stop",
        address = mock.address(),
        api = mock.api_url(),
        ingest = mock.ingest_url(),
    ))?;
    // An error means that no signal can come any more, and then there is nothing to wait for.
    let _ = signal.changed().await;
    mock.stop().await;
    Ok(0)
}
