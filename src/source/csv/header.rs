//! The columns of a CSV file: their names, types and pre-rendered keys.

use std::collections::{HashMap, HashSet};

use super::cells::CellKind;
use crate::source::config::CsvConfig;
use crate::source::error::{SourceError, similar_names};
use crate::source::json_text::write_string;

/// A column of a CSV file.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: CellKind,
    /// What stands before the cell in a record: `{"name":` or `,"name":`.
    pub(super) prefix: Vec<u8>,
}

/// What is wrong with a header, and what would help.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HeaderFault {
    pub(super) reason: String,
    pub(super) hint: Option<String>,
}

/// Makes the columns of a file that has these names.
pub(super) fn columns(
    input: &str,
    names: Vec<String>,
    config: &CsvConfig,
) -> Result<Vec<Column>, SourceError> {
    for column in config.columns.keys() {
        if !names.contains(column) {
            let similar = similar_names(column, names.iter().map(String::as_str));
            return Err(SourceError::UnknownColumn {
                name: input.to_owned(),
                option: "csv.columns",
                column: column.clone(),
                similar: similar.into_iter().next(),
            });
        }
    }
    let columns = names.into_iter().enumerate().map(|(index, name)| {
        let mut prefix = Vec::from(if index == 0 { "{" } else { "," });
        write_string(&mut prefix, name.as_bytes());
        prefix.extend_from_slice(b":");
        Column {
            kind: CellKind::new(config.columns.get(&name).copied(), config.types),
            prefix,
            name,
        }
    });
    Ok(columns.collect())
}

/// Checks that each column has a name of its own, or gives it one if that was asked for.
pub(super) fn check_names(names: Vec<String>, rename: bool) -> Result<Vec<String>, HeaderFault> {
    if rename {
        return Ok(renamed(&names));
    }
    let hint = Some("name the columns in the file, or set `source.csv.rename_duplicates: true`".to_owned());
    let mut seen: HashMap<&str, usize> = HashMap::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        if name.is_empty() {
            let reason = format!("column {} has no name", index + 1);
            return Err(HeaderFault { reason, hint });
        }
        if let Some(first) = seen.insert(name, index) {
            let reason = format!("columns {} and {} are both named `{name}`", first + 1, index + 1);
            return Err(HeaderFault { reason, hint });
        }
    }
    Ok(names)
}

/// The names with a number behind each that stood there before, and `column_3` for the third if it has none.
fn renamed(names: &[String]) -> Vec<String> {
    let present: HashSet<&str> = names.iter().map(String::as_str).collect();
    let mut given: HashSet<String> = HashSet::with_capacity(names.len());
    // Where the search for a free number goes on, so that many columns of one name take no time.
    let mut next: HashMap<String, u64> = HashMap::new();
    let mut rename = |(index, name): (usize, &String)| {
        let wanted = match name.as_str() {
            "" => format!("column_{}", index + 1),
            _ => name.clone(),
        };
        let mut candidate = wanted.clone();
        while given.contains(&candidate) || (candidate != *name && present.contains(candidate.as_str())) {
            let number = next.entry(wanted.clone()).or_insert(2);
            candidate = format!("{wanted}_{number}");
            *number += 1;
        }
        given.insert(candidate.clone());
        candidate
    };
    names.iter().enumerate().map(&mut rename).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn duplicate_and_empty_headers_are_refused_with_both_columns() {
        let fault = check_names(names(&["id", "email", "email"]), false).unwrap_err();
        assert_eq!(fault.reason, "columns 2 and 3 are both named `email`");
        assert!(fault.hint.unwrap().contains("rename_duplicates"));
        let fault = check_names(names(&["id", ""]), false).unwrap_err();
        assert_eq!(fault.reason, "column 2 has no name");
    }

    #[test]
    fn renamed_columns_never_take_a_name_that_is_there() {
        let given = check_names(names(&["a", "a", "a_2", "", "a"]), true).unwrap();
        assert_eq!(given, ["a", "a_3", "a_2", "column_4", "a_4"]);
    }

    #[test]
    fn a_header_of_very_many_columns_takes_no_time() {
        let many = || (0..200_000).map(|number| number.to_string()).collect::<Vec<_>>();
        assert_eq!(check_names(many(), false).unwrap().len(), 200_000);
        let same = vec!["x".to_owned(); 100_000];
        let fault = check_names([many(), same.clone()].concat(), false).unwrap_err();
        assert_eq!(fault.reason, "columns 200001 and 200002 are both named `x`");
        assert_eq!(check_names(same, true).unwrap()[99_999], "x_100000");
    }

    #[test]
    fn an_unknown_column_in_the_configuration_is_found_with_what_was_meant() {
        let config: CsvConfig = serde_json::from_str(r#"{"columns": {"emial": "string"}}"#).unwrap();
        let error = columns("p.csv", names(&["id", "email"]), &config).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`csv.columns` names `emial`, a column that `p.csv` does not have"
        );
        assert_eq!(error.hint().unwrap(), "did you mean `email`?");
    }
}
