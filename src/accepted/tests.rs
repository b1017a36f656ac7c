use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;

use super::*;
use crate::record::{Origin, Record};

const CSV_HEADER: &str = "email;\"na;me\"";

fn csv(header: &'static str) -> Shape {
    Shape::Csv {
        header: Bytes::from_static(header.as_bytes()),
        delimiter: b';',
        quote: b'"',
    }
}

fn item(shape: &Shape, original: &'static str) -> Prepared {
    let origin = Arc::new(Origin {
        name: "people".into(),
        shape: shape.clone(),
    });
    let is_json = *shape == Shape::Json;
    let record = Record {
        position: Position {
            origin,
            ordinal: 1,
            number: 1,
            line: None,
            byte: 0,
        },
        text: Bytes::from_static(if is_json {
            original.as_bytes()
        } else {
            br#"{"email":"a@b.c"}"#
        }),
        original: (!is_json).then(|| Bytes::from_static(original.as_bytes())),
    };
    Prepared {
        piece: Bytes::new(),
        record,
        target: None,
        lacks_need: false,
        was_marked: false,
        order: Vec::new(),
        route: 0,
        distinct: None,
        query_bytes: 0,
    }
}

fn columns(given: &[(&str, &str)]) -> Columns {
    let mut columns = Columns::default();
    for (name, expression) in given {
        columns.add(name, expression).unwrap();
    }
    columns
}

/// The text that is written of these records, and the warning.
fn written(
    given: &[(&str, &str)],
    items: &[Prepared],
    places: &[usize],
    reply: &Reply,
) -> (String, Option<String>) {
    let folder = tempfile::tempdir().unwrap();
    let mut file = AcceptedFile::new(&folder.path().join("people.accepted.csv"), columns(given));
    file.write(items, places, Some(reply)).unwrap();
    file.sync().unwrap();
    let path = &file.paths()[0];
    assert_eq!(
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let text = std::fs::read_to_string(path).unwrap();
    (text, file.warning())
}

fn reply(body: &'static str) -> Reply {
    Reply::new(StatusCode::OK, body)
}

const TWO: &str = r#"{"users":[{"id":"1-a","n":1.10},{"id":"2;\"b\"","n":null}]}"#;

#[test]
fn a_csv_row_keeps_its_bytes_and_gets_its_values_of_the_reply() {
    let items = [
        item(&csv(CSV_HEADER), "a@b.c;\"x \"\"y\"\"\""),
        item(&csv(CSV_HEADER), "d@e.f"),
    ];
    let given = [("id", ".users[$index].id"), ("n", ".users[$index].n")];
    let (text, warning) = written(&given, &items, &[], &reply(TWO));
    insta::assert_snapshot!(text, @r#"
    email;"na;me";id;n
    a@b.c;"x ""y""";1-a;1.10
    d@e.f;;"2;""b""";
    "#);
    assert_eq!(warning, None, "a missing value is none to warn of");
}

#[test]
fn a_json_record_keeps_its_text_and_gets_members() {
    let items = [item(&Shape::Json, "{\"n\":1.10}"), item(&Shape::Json, "{\n}")];
    let given = [("id", ".users[$index].id"), ("plan", ".plan")];
    let (text, _) = written(&given, &items, &[], &reply(TWO));
    insta::assert_snapshot!(text, @r#"
    {"n":1.10,"id":"1-a","plan":null}
    {"id":"2;\"b\"","plan":null}
    "#);
}

#[test]
fn a_record_is_found_by_its_place_in_the_request_or_by_itself() {
    let items = [item(&Shape::Json, "{\"key\":\"b\"}")];
    let given = [
        ("place", ".[$index].v"),
        ("own", ".[] | select(.k == $record.key) | .v"),
    ];
    let body = r#"[{"k":"a","v":1},{"k":"b","v":2}]"#;
    let (text, warning) = written(&given, &items, &[1], &reply(body));
    assert_eq!((text.trim(), warning), (r#"{"key":"b","place":2,"own":2}"#, None));
}

#[test]
fn an_expression_that_fails_leaves_its_value_empty_and_is_counted() {
    let items = [item(&Shape::Json, "{}"), item(&Shape::Json, "{}")];
    let given = [("bad", ".users + 1"), ("good", ".users[0].id")];
    let (text, warning) = written(&given, &items, &[], &reply(TWO));
    assert_eq!(text.lines().next().unwrap(), r#"{"bad":null,"good":"1-a"}"#);
    let warning = warning.unwrap();
    assert!(
        warning.starts_with("2 accepted records lack values of their replies, the first of them because of people: record 1: `.users + 1` failed"),
        "{warning}"
    );
}

#[test]
fn a_reply_that_cannot_be_read_leaves_all_values_empty_and_is_counted() {
    let cut = Reply {
        complete: false,
        ..reply("{\"users\":")
    };
    let long = Reply {
        truncated: true,
        ..reply("{\"users\":")
    };
    for (reply, reason) in [
        (cut, "the reply was cut"),
        (long, "the reply is longer than `http.max_response_bytes`"),
        (reply("<html>"), "the reply is no JSON"),
    ] {
        let (text, warning) = written(&[("id", ".id")], &[item(&csv("email"), "a@b.c")], &[], &reply);
        assert_eq!(text, "email;id\na@b.c;\n");
        let warning = warning.unwrap();
        assert!(warning.ends_with(reason), "{warning}");
    }
    let (text, warning) = written(&[("id", ".id")], &[item(&Shape::Json, "{}")], &[], &reply(""));
    assert_eq!(
        (text.trim(), warning),
        (r#"{"id":null}"#, None),
        "an empty reply has no values"
    );
}

#[test]
fn a_column_of_the_same_name_gives_way_and_so_do_those_of_an_error() {
    let header = "id;email;_error_reason;_error_status;_error_attempts;_error_line;_error_id;_error_row";
    let items = [item(&csv(header), "old;a@b.c;bad;400;1;2;3-4;")];
    let (text, _) = written(&[("id", ".id")], &items, &[], &reply("{\"id\":7}"));
    assert_eq!(text, "email;id\na@b.c;7\n");
    let (text, _) = written(
        &[("id", ".id")],
        &[item(&csv("id"), "old")],
        &[],
        &reply("{\"id\":7}"),
    );
    assert_eq!(text, "id\n7\n");
    let items = [item(&Shape::Json, "{\"id\":1,\"x\":2,\"_error_reason\":\"old\"}")];
    let (text, _) = written(&[("id", ".id")], &items, &[], &reply("{\"id\":7}"));
    assert_eq!(text, "{\"x\":2,\"id\":7}\n");
}

#[test]
fn each_shape_has_a_file_of_its_own_and_an_older_one_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = AcceptedFile::new(&folder.path().join("out"), columns(&[]));
    let items = [
        item(&csv("a"), "1"),
        item(&csv("b"), "2"),
        item(&Shape::Json, "{}"),
    ];
    file.write(&items, &[], None).unwrap();
    let names = ["out.csv", "out-2.csv", "out.ndjson"].map(|name| folder.path().join(name));
    assert_eq!(file.paths(), names);
    assert_eq!(std::fs::read_to_string(&names[1]).unwrap(), "b\n2\n");
}
