//! A tenant's definitions: an object with a field of every kind, one that its records belong to, and many others.

use serde_json::{Map, Value, json};

/// How many objects a tenant defines.
pub(crate) const OBJECTS: usize = 20;

/// The body of a request that defines them all.
pub(crate) fn definitions() -> Value {
    let mut all = Map::from_iter([
        ("Vehicle".to_owned(), vehicle()),
        ("Depot".to_owned(), json!({"object": "Depot", "label": "Depot"})),
    ]);
    for number in all.len()..OBJECTS {
        let name = format!("Thing{number:02}");
        all.insert(name.clone(), thing(&name, number));
    }
    json!({"definitions": all})
}

fn vehicle() -> Value {
    json!({
        "object": "Vehicle",
        "label": "Vehicle",
        "description": "What a subscription is for",
        "properties": {
            "DeviceId__c": {"label": "Device ID", "type": "string", "maxLength": 20},
            "Kind__c": {"label": "Kind", "type": "string", "enum": ["car", "van", "truck"]},
            "Colours__c": {"label": "Colours", "type": "string", "enum": ["red", "blue"], "multiselect": true},
            "Price__c": {"label": "Price", "type": "number"},
            "Seats__c": {"label": "Seats", "type": "integer"},
            "Electric__c": {"label": "Is electric", "type": "boolean"},
            "OrderId__c": {"label": "Order", "type": "string", "format": "uuid"},
            "Bought__c": {"label": "Bought on", "type": "string", "format": "date"},
            "DepotId__c": {"label": "Depot", "type": "string", "format": "uuid"},
            "Note__c": {"label": "Note", "type": "string"},
        },
        "required": ["DeviceId__c"],
        "filterable": ["Kind__c"],
        "auditable": ["Price__c"],
        "relationships": [{"namespace": "default", "object": "Depot", "fields": {"DepotId__c": "Id"}}],
    })
}

/// A definition with what a file of YAML must keep as it is.
fn thing(name: &str, number: usize) -> Value {
    let labels = ["yes", "a: b #1", "Täglich \"frisch\"", "- 7", "0x1F", "null"];
    json!({
        "object": name,
        "label": labels[number % labels.len()],
        "description": format!(" {}\nand so on ", "é".repeat(number)),
        "enableCreateRecordAuditing": number.is_multiple_of(2),
        "properties": {
            "Code__c": {"label": "1.0", "type": "string", "maxLength": 512, "description": "it's the {code}"},
            "Text__c": {"label": "Text", "type": "string", "maxLength": 8_192, "default": "off"},
            "Choice__c": {"label": "Choice", "type": "string", "enum": ["on", "1.0", "~", "2024-01-01", "é"]},
            "Count__c": {"label": "Count", "type": "integer", "default": number},
            "Share__c": {"label": "Share", "type": "number", "default": 0.25},
            "Is__c": {"label": "Is", "type": "boolean", "default": false},
            "At__c": {"label": "At", "type": "string", "format": "date-time"},
            "Url__c": {"label": "Url", "type": "string", "format": "url"},
        },
        "required": ["Code__c"],
        "unique": ["Code__c"],
        "filterable": ["Code__c", "Choice__c"],
    })
}
