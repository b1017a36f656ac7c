//! Replies that say what became of single records: settled, sent again alone, or in doubt. On paused time, without sockets.

mod again;
mod outcomes;
mod rests;

use serde_json::Value;

use crate::delivery::{Api, status};
use outpour::client::Reply;
use outpour::delivery::{Delivered, Fate};

/// An API that echoes the records that failed, and whose codes end in 61 where a record is worth sending again.
pub(crate) const RULE: &str = "success: {failed: {list: .details, record: .record, code: .code, \
     retry: '.code % 100 == 61', partial: [500]}}";

/// One failure: a record by its number, and a code.
pub(crate) fn failure(number: u64, code: u32) -> String {
    format!(r#"{{"code":{code},"message":"no {number}","record":{{"n":{number}}}}}"#)
}

/// A reply that lists these failures.
pub(crate) fn listing(code: u16, failures: &[String]) -> Reply {
    status(
        code,
        &format!(
            r#"{{"message":"some failed","details":[{}]}}"#,
            failures.join(",")
        ),
    )
}

/// The numbers of the records of each request.
pub(crate) fn sent(api: &Api) -> Vec<Vec<u64>> {
    let numbers = |body: &String| {
        let records: Vec<Value> = serde_json::from_str(body).unwrap();
        records
            .iter()
            .map(|record| record["n"].as_u64().unwrap())
            .collect()
    };
    api.bodies().iter().map(numbers).collect()
}

/// Number, reason and code of each reject, in the order of the numbers.
pub(crate) fn rejects(delivered: &Delivered) -> Vec<(u64, String, Option<String>)> {
    let mut rejects = Vec::new();
    for delivery in &delivered.deliveries {
        if let Fate::Rejected(reason) = &delivery.fate {
            for item in &delivery.items {
                rejects.push((item.record.position.number, reason.clone(), delivery.code.clone()));
            }
        }
    }
    rejects.sort();
    rejects
}
