//! Records of the tenant's vehicles, some of which break a rule that only the server knows.

use serde_json::{Value, json};

/// How many records there are.
pub(crate) const MANY: usize = 5_000;

/// How many of them break a rule.
pub(crate) const BROKEN: usize = 37;

/// What the server can have against a record: the last two digits of its code, a field and the value that it does not take,
/// and what it says of the field.
const FLAWS: &str = r#"
23 Seats__c "four" is an integer field but received a string value.
23 Seats__c 2.5 is an integer field but received a number value.
24 Price__c "12.50" is a number field but received a string value.
25 Electric__c "yes" is a boolean field but received a string value.
26 Note__c 7 is a string field but received a number value.
21 Doors__c 4 is not defined.
22 DeviceId__c null is required.
30 DeviceId__c "123456789012345678901" has 21 characters, the most are 20.
30 Note__c "LONG" has 513 characters, the most are 512.
30 Kind__c "boat" has a value that is not one of its options.
30 Colours__c ["red","pink"] has a value that is not one of its options.
30 Price__c 12345678901234 has 14 digits before the decimal point, the most are 13.
30 Price__c 0.1234567891 has 10 digits after the decimal point, the most are 9.
20 OrderId__c "7" is not a valid uuid.
20 Bought__c "2023-02-29" is not a valid date.
20 Note__c "" is an empty string; use null for no value.
30 DepotId__c "64edb2a5-2796-4e95-9559-846f8636a01b" names no record of Depot.
"#;

/// What the server has against a record.
pub(crate) struct Flaw {
    field: &'static str,
    value: Value,
    /// The API's code for it.
    pub(crate) code: String,
    /// What the API says.
    pub(crate) message: String,
}

impl Flaw {
    fn of(line: &'static str) -> Self {
        let mut words = line.splitn(4, ' ');
        let mut word = || words.next().unwrap();
        let [category, field, value, said] = [word(), word(), word(), word()];
        let value = value.replace("LONG", &"é".repeat(513));
        Self {
            field,
            value: serde_json::from_str(&value).unwrap(),
            // 710125 is the number of the resource that records are.
            code: format!("710125{category}"),
            message: format!("Field [{field}] {said}"),
        }
    }
}

/// A flaw for each record that breaks a rule, each kind several times.
pub(crate) fn all_flaws() -> Vec<Flaw> {
    let lines = FLAWS.lines().filter(|line| !line.is_empty());
    lines.cycle().take(BROKEN).map(Flaw::of).collect()
}

/// Which flaw the record of this number has.
pub(crate) fn flaw_of(number: usize) -> Option<usize> {
    (number % 135 == 7).then_some(number / 135)
}

/// The record of this number, from 0, as a line of NDJSON.
pub(crate) fn line(number: usize, flaws: &[Flaw]) -> String {
    let kinds = ["car", "van", "truck"];
    let mut record = json!({
        "DeviceId__c": format!("device-{number}"),
        "Kind__c": kinds[number % kinds.len()],
        "Colours__c": ["red"],
        "Price__c": 0,
        "Seats__c": number % 9,
        "Electric__c": number.is_multiple_of(2),
        "OrderId__c": "c086028c-5df8-427d-a3c8-7a7fb5d32d3d",
        "Bought__c": "2024-02-29",
        "DepotId__c": null,
        "Note__c": "caf\u{e9}",
    });
    // Digits that a number of 64 bits would not keep.
    let price = format!("{}.123456789", 1_234_567_890_000 + number);
    record["Price__c"] = json!("PRICE");
    if let Some(flaw) = flaw_of(number).map(|index| &flaws[index]) {
        record[flaw.field] = flaw.value.clone();
    }
    record.to_string().replace("\"PRICE\"", &price)
}
