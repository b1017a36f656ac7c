//! Whole runs of the built binary, judged by what the mock or a recording server saw.

mod accepted;
mod arrow;
mod concurrency;
mod faults;
mod loads;
mod manual;
mod memory;
mod oauth;
mod operations;
mod order;
mod parquet;
mod preflight;
mod rate;
mod rejects;
mod replies;
mod results;
mod steps;
mod templates;
mod webhook;
