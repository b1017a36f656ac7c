//! Ten thousand people, the same in every format, and the proof that a mock holds exactly them.

use std::collections::HashMap;
use std::fmt::Write;

use outpour::mock::State;

/// The columns, each with whether its text is a number, or JSON, rather than a string.
pub(crate) const COLUMNS: [(&str, bool); 6] = [
    ("email", false),
    ("name", false),
    ("big", true),
    ("price", true),
    ("active", true),
    ("note", false),
];

/// The texts of person `number`, in the order of [`COLUMNS`]. Their numbers are such that a float would lose them.
pub(crate) fn cells(number: usize) -> [String; 6] {
    [
        format!("person{number}@example.com"),
        format!("Zoë \"{number}\" Ünicode 🚰"),
        format!("1844674407370955{:04}", number + 1_616),
        format!("{number}.10"),
        number.is_multiple_of(2).to_string(),
        format!("a, b; {number}\nsecond line"),
    ]
}

/// Person `number` as a JSON object, each attribute in the text that must arrive.
pub(crate) fn json(number: usize) -> String {
    let mut text = String::from("{");
    for ((name, is_bare), cell) in COLUMNS.iter().zip(cells(number)) {
        let value = if *is_bare { cell } else { quoted(&cell) };
        let separator = if text.len() == 1 { "" } else { "," };
        write!(text, "{separator}\"{name}\":{value}").unwrap();
    }
    text + "}"
}

/// The first `count` people as NDJSON.
pub(crate) fn ndjson(count: usize) -> String {
    (0..count).map(|number| json(number) + "\n").collect()
}

/// The first `count` people as one JSON array.
pub(crate) fn json_array(count: usize) -> String {
    let people: Vec<String> = (0..count).map(json).collect();
    format!("[\n  {}\n]\n", people.join(",\n  "))
}

/// The first `count` people as CSV.
pub(crate) fn csv(count: usize) -> String {
    let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let mut text = names.join(",") + "\n";
    for number in 0..count {
        let cells = cells(number).map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
        text += &(cells.join(",") + "\n");
    }
    text
}

/// Panics unless the mock holds exactly the first `count` people, attribute by attribute, in the exact text.
#[track_caller]
pub(crate) fn assert_loaded(state: &State, count: usize) {
    assert_eq!(state.people.len(), count);
    let mut held = HashMap::new();
    for person in &state.people {
        let attributes: Vec<(&str, &str)> = person.attributes.iter().collect();
        held.insert(person.attributes.json("email").unwrap(), attributes);
    }
    for number in 0..count {
        let cells = cells(number);
        let expected: Vec<(&str, String)> = COLUMNS
            .iter()
            .zip(&cells)
            .map(|((name, is_bare), cell)| (*name, if *is_bare { cell.clone() } else { quoted(cell) }))
            .collect();
        let attributes = &held[quoted(&cells[0]).as_str()];
        let expected: Vec<(&str, &str)> = expected
            .iter()
            .map(|(name, text)| (*name, text.as_str()))
            .collect();
        assert_eq!(attributes, &expected);
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}
