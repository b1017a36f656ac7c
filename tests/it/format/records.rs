//! Every documented limit of a Zuora record holds at its edge, where a definition is at hand.

use outpour::endpoint::{Endpoint, Parameters};
use outpour::template::Catalog;
use serde_json::{Value, json};

use super::definitions::record;

const ID: &str = "64edb2a5-2796-4e95-9559-846f8636a01b";

/// Endpoints of the templates that check records, with a definition of one field.
struct Checks(Vec<Endpoint>);

impl Checks {
    fn of(templates: &[&str], field: &Value) -> Self {
        let catalog = Catalog::built_in().unwrap();
        let definition = json!({"object": "Vehicle", "properties": {"A__c": field}});
        let endpoint = |name: &&str| {
            let template = catalog.find(name).unwrap();
            Endpoint::sample_with(template, &Parameters::new(), Some(&definition)).unwrap()
        };
        Self(templates.iter().map(endpoint).collect())
    }

    /// Why a record with this value, given as JSON, is not sent, wherever it goes.
    #[track_caller]
    fn refusal(&self, value: &str) -> Option<String> {
        let refusal = |endpoint: &Endpoint| {
            let id = match endpoint.name().contains("update") {
                true => format!("\"Id\":\"{ID}\","),
                false => String::new(),
            };
            let prepared = endpoint.prepare(record(&format!("{{{id}\"A__c\":{value}}}")));
            prepared.err().map(|refused| refused.1.to_string())
        };
        let mut refusals: Vec<_> = self.0.iter().map(refusal).collect();
        refusals.dedup();
        assert_eq!(refusals.len(), 1, "all templates say the same: {refusals:?}");
        refusals.remove(0)
    }
}

const TEMPLATES: [&str; 3] = [
    "zuora/create-records",
    "zuora/update-record",
    "zuora/update-records",
];

#[test]
fn a_number_has_13_digits_left_of_the_point_and_9_right_of_it() {
    let checks = Checks::of(&TEMPLATES, &json!({"label": "A", "type": "number"}));
    let taken = [
        "1234567890123",
        "-1234567890123.123456789",
        "0",
        "-0.000000001",
        "1.0000000000",
        "1e12",
        "1.5E+1",
        "123456789012345e-2",
        "0.0000000000001e4",
        "1e-9",
        "0e50",
        "9999999999999.999999999",
    ];
    for value in taken {
        assert_eq!(checks.refusal(value), None, "{value}");
    }
    let left = [
        ("12345678901234", 14),
        ("-1e13", 14),
        ("1234567890123.5e1", 14),
        ("1e400", 401),
        ("0.1E15", 15),
    ];
    for (value, digits) in left {
        let reason = format!("`A__c` has {digits} digits left of the point, and at most 13 are allowed");
        assert_eq!(checks.refusal(value), Some(reason), "{value}");
    }
    for value in ["0.1234567891", "1e-10", "1.0000000001", "12.5e-9"] {
        let reason = "`A__c` has 10 digits right of the point, and at most 9 are allowed";
        assert_eq!(checks.refusal(value).as_deref(), Some(reason), "{value}");
    }
}

#[test]
fn a_text_has_512_characters_or_as_many_as_its_definition_says() {
    let text = |characters: usize| format!("\"{}\"", "é".repeat(characters));
    let unbounded = Checks::of(&TEMPLATES, &json!({"label": "A", "type": "string"}));
    assert_eq!(unbounded.refusal(&text(512)), None);
    assert_eq!(
        unbounded.refusal(&text(513)).unwrap(),
        "`A__c` has 513 characters, and at most 512 are allowed"
    );
    let longest = Checks::of(
        &TEMPLATES,
        &json!({"label": "A", "type": "string", "maxLength": 8_192}),
    );
    assert_eq!(longest.refusal(&text(8_192)), None);
    assert!(longest.refusal(&text(8_193)).is_some());
}

#[test]
fn null_clears_a_field_of_any_type() {
    for kind in ["string", "number", "integer", "boolean"] {
        let checks = Checks::of(&TEMPLATES[1..2], &json!({"label": "A", "type": kind}));
        assert_eq!(checks.refusal("null"), None);
    }
}

#[test]
fn a_value_that_is_not_of_its_type_is_refused() {
    let cases: [(&str, &[&str], &[&str]); 4] = [
        ("string", &["\"1\""], &["1", "[]"]),
        ("number", &["1"], &["\"1\"", "{}"]),
        (
            "integer",
            &["7", "-7", "7.0", "7e3", "18446744073709551616"],
            &["1.5", "1e-1", "true"],
        ),
        ("boolean", &["true", "false"], &["\"true\"", "0"]),
    ];
    for (kind, good, wrong) in cases {
        let checks = Checks::of(&TEMPLATES[..1], &json!({"label": "A", "type": kind}));
        for value in good {
            assert_eq!(checks.refusal(value), None, "{kind} {value}");
        }
        for value in wrong {
            assert!(checks.refusal(value).is_some(), "{kind} {value}");
        }
    }
}

#[test]
fn a_default_makes_a_required_field_optional() {
    let catalog = Catalog::built_in().unwrap();
    let template = catalog.find("zuora/create-records").unwrap();
    let refusal = |field: Value| {
        let definition = json!({"object": "V", "properties": {"A__c": field}, "required": ["A__c"]});
        let endpoint = Endpoint::sample_with(template, &Parameters::new(), Some(&definition)).unwrap();
        let prepared = endpoint.prepare(record("{}"));
        prepared.err().map(|refused| refused.1.to_string())
    };
    assert_eq!(refusal(json!({"type": "string", "default": "x"})), None);
    assert_eq!(
        refusal(json!({"type": "string"})).unwrap(),
        "`A__c` is missing, and the field is required"
    );
}
