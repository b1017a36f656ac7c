//! docs/ledger.md: its queries run, and it names every table and column.

use std::path::Path;

use super::with_rejects;

fn document() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ledger.md")).unwrap()
}

/// The `sql` blocks.
fn queries() -> Vec<String> {
    let document = document();
    let blocks = document.split("```sql\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap().to_owned())
        .collect()
}

#[test]
fn every_query_of_the_document_runs_and_finds_something() {
    let scene = with_rejects(&[3, 11]);
    scene
        .retry(&[
            "1",
            "--set",
            "records.map=if .email == \"nobody3\" then .email += \"@example.com\" else . end",
        ])
        .ends_with(1);
    let connection = rusqlite::Connection::open(scene.path(".outpour/ledger.db")).unwrap();
    let queries = queries();
    assert!(queries.len() >= 4, "{queries:?}");
    for query in queries {
        let mut statement = connection
            .prepare(&query)
            .unwrap_or_else(|error| panic!("{error}: {query}"));
        assert!(statement.readonly(), "{query}");
        let mut rows = statement.query([]).unwrap();
        let mut count = 0;
        while rows.next().unwrap().is_some() {
            count += 1;
        }
        assert!(count > 0, "nothing is found by: {query}");
    }
}

#[test]
fn every_table_and_column_stands_in_the_document() {
    let scene = with_rejects(&[3]);
    let connection = rusqlite::Connection::open(scene.path(".outpour/ledger.db")).unwrap();
    let sql = "SELECT t.name, c.name FROM pragma_table_list AS t, pragma_table_info(t.name) AS c
        WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite_%'";
    let mut statement = connection.prepare(sql).unwrap();
    let columns: Vec<(String, String)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert!(columns.len() > 40);
    let document = document();
    for (table, column) in columns {
        let section = document
            .split(&format!("### {table}\n"))
            .nth(1)
            .unwrap_or_else(|| panic!("no section on `{table}`"));
        let section = section
            .split("\n## ")
            .next()
            .unwrap()
            .split("\n### ")
            .next()
            .unwrap();
        assert!(
            section.contains(&format!("`{column}`")),
            "`{table}`: no `{column}`"
        );
    }
}
