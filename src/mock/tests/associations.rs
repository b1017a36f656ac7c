use super::*;
use serde_json::{Value, json};

/// A mock with two people, two invoices, a company, and what their ids are.
struct Scene {
    mock: Mock,
    caller: Caller,
    people: Vec<String>,
}

impl Scene {
    async fn new() -> Self {
        let settings = MockSettings {
            schemas: vec!["company".to_owned(), "invoice".to_owned()],
            ..MockSettings::default()
        };
        let (mock, caller) = start_with(settings).await;
        caller
            .rest("POST", "/people", r#"[{"email":"ann@b"},{"email":"bob@b"}]"#)
            .await;
        caller
            .rest("POST", "/objects/invoice", r#"[{"n":1},{"n":2}]"#)
            .await;
        caller.rest("POST", "/objects/company", r#"[{"n":3}]"#).await;
        let people = mock.state().people;
        Self {
            mock,
            caller,
            people: people.into_iter().map(|person| person.id).collect(),
        }
    }

    /// Defines an association and gives its id.
    async fn define(&self, kind: &str, from: &str, to: &str) -> u64 {
        let body = json!({"type": kind, "fromObject": from, "toObject": to}).to_string();
        let reply = self.caller.rest("POST", "/schemas/associations", &body).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()["association"]["id"].as_u64().unwrap()
    }

    async fn call(&self, method: &str, path: String) -> u16 {
        self.caller.rest(method, &path, "").await.status
    }

    async fn get(&self, path: &str) -> Value {
        self.caller.rest("GET", path, "").await.json()["objects"].clone()
    }

    /// Who is tied to whom, as `from>to`.
    fn ties(&self) -> Vec<String> {
        let ties = self.mock.state().associations;
        ties.iter()
            .map(|tie| {
                format!(
                    "{} {}>{} {}",
                    tie.from_object, tie.from_id, tie.to_object, tie.to_id
                )
            })
            .collect()
    }
}

#[tokio::test]
async fn companies_and_people_have_an_association_from_the_start() {
    let scene = Scene::new().await;
    let shown = scene.caller.rest("GET", "/schemas/company", "").await.json();
    let built_in = json!({"id": 101, "type": "M:M", "fromObject": "company", "toObject": "person"});
    assert_eq!(shown["object"]["associations"], json!([built_in]));
    let ann = &scene.people[0];
    let path = format!("/objects/company/3/associations/101/{ann}");
    let reply = scene.caller.rest("POST", &path, "").await;
    assert_eq!((reply.status, reply.body.as_str()), (201, ""));
    assert_eq!(scene.ties(), [format!("company 3>person {ann}")]);
}

#[tokio::test]
async fn an_association_is_defined_with_an_id_and_shown_on_both_sides() {
    let scene = Scene::new().await;
    let body = r#"{"type":"1:M","fromObject":"company","toObject":"invoice","name":"Billed"}"#;
    let reply = scene.caller.rest("POST", "/schemas/associations", body).await;
    let association = reply.json()["association"].clone();
    assert_eq!(
        (&association["name"], &association["type"]),
        (&json!("Billed"), &json!("1:M"))
    );
    for object in ["company", "invoice"] {
        let path = format!("/schemas/{object}");
        let shown = scene.caller.rest("GET", &path, "").await.json();
        let own = shown["object"]["associations"].as_array().unwrap().clone();
        assert!(own.contains(&association), "{object}");
    }
    assert_eq!(scene.mock.state().association_types.len(), 2);
}

#[tokio::test]
async fn a_definition_of_an_association_needs_objects_that_exist() {
    let scene = Scene::new().await;
    for (body, status) in [
        (r#"{"type":"1:1","fromObject":"person","toObject":"deal"}"#, 404),
        (
            r#"{"type":"1:1","fromObject":"Person","toObject":"invoice"}"#,
            404,
        ),
        (
            r#"{"type":"M:1","fromObject":"person","toObject":"invoice"}"#,
            400,
        ),
        (r#"{"type":"1:1","fromObject":"person"}"#, 400),
        (
            r#"{"type":"1:1","fromObject":"person","toObject":"invoice","id":7}"#,
            400,
        ),
    ] {
        let reply = scene.caller.rest("POST", "/schemas/associations", body).await;
        assert_eq!(reply.status, status, "{body}");
    }
}

#[tokio::test]
async fn tying_works_from_either_side_and_can_be_repeated() {
    let scene = Scene::new().await;
    let id = scene.define("1:M", "person", "invoice").await;
    let ann = &scene.people[0];
    for path in [
        format!("/objects/person/{ann}/associations/{id}/1"),
        format!("/objects/invoice/1/associations/{id}/{ann}"),
        format!("/objects/invoice/1/associations/default/person/{ann}"),
    ] {
        assert_eq!(scene.call("POST", path).await, 201);
    }
    assert_eq!(scene.ties(), [format!("person {ann}>invoice 1")]);
    assert_eq!(scene.mock.state().counts.associated, 3);
}

#[tokio::test]
async fn untying_works_from_either_side_and_can_be_repeated() {
    let scene = Scene::new().await;
    let id = scene.define("M:M", "person", "invoice").await;
    let ann = &scene.people[0];
    for invoice in [1, 2] {
        let path = format!("/objects/person/{ann}/associations/{id}/{invoice}");
        assert_eq!(scene.call("POST", path).await, 201);
    }
    for path in [
        format!("/objects/person/{ann}/associations/{id}/1"),
        format!("/objects/person/{ann}/associations/{id}/1"),
        format!("/objects/invoice/2/associations/{id}/{ann}"),
    ] {
        assert_eq!(scene.call("DELETE", path).await, 204);
    }
    assert!(scene.ties().is_empty());
    assert_eq!(scene.mock.state().counts.dissociated, 3);
}

#[tokio::test]
async fn one_to_many_allows_one_owner() {
    let scene = Scene::new().await;
    let id = scene.define("1:M", "person", "invoice").await;
    let [ann, bob] = &scene.people[..] else {
        unreachable!()
    };
    assert_eq!(
        scene
            .call("POST", format!("/objects/person/{ann}/associations/{id}/1"))
            .await,
        201
    );
    assert_eq!(
        scene
            .call("POST", format!("/objects/person/{ann}/associations/{id}/2"))
            .await,
        201
    );
    assert_eq!(
        scene
            .call("POST", format!("/objects/person/{bob}/associations/{id}/2"))
            .await,
        400
    );
    assert_eq!(
        scene
            .call("DELETE", format!("/objects/person/{ann}/associations/{id}/2"))
            .await,
        204
    );
    assert_eq!(
        scene
            .call("POST", format!("/objects/person/{bob}/associations/{id}/2"))
            .await,
        201
    );
}

#[tokio::test]
async fn one_to_one_allows_one_on_both_sides() {
    let scene = Scene::new().await;
    let id = scene.define("1:1", "person", "invoice").await;
    let [ann, bob] = &scene.people[..] else {
        unreachable!()
    };
    for (path, status) in [
        (format!("/objects/person/{ann}/associations/{id}/1"), 201),
        (format!("/objects/person/{ann}/associations/{id}/1"), 201),
        (format!("/objects/person/{ann}/associations/{id}/2"), 400),
        (format!("/objects/person/{bob}/associations/{id}/1"), 400),
        (format!("/objects/person/{bob}/associations/{id}/2"), 201),
    ] {
        assert_eq!(scene.call("POST", path.clone()).await, status, "{path}");
    }
}

#[tokio::test]
async fn the_default_needs_exactly_one_association() {
    let scene = Scene::new().await;
    let ann = scene.people[0].clone();
    let path = format!("/objects/invoice/1/associations/default/person/{ann}");
    let none = scene.caller.rest("POST", &path, "").await;
    assert_eq!(
        (none.status, none.message().contains("no association")),
        (400, true)
    );
    scene.define("M:M", "person", "invoice").await;
    assert_eq!(scene.call("POST", path.clone()).await, 201);
    scene.define("M:M", "person", "invoice").await;
    let two = scene.caller.rest("POST", &path, "").await;
    assert_eq!((two.status, two.message().contains("more than one")), (400, true));
}

#[tokio::test]
async fn what_does_not_exist_cannot_be_tied() {
    let scene = Scene::new().await;
    let id = scene.define("M:M", "person", "invoice").await;
    let ann = &scene.people[0];
    for (path, status) in [
        (format!("/objects/person/{ann}/associations/{id}/99"), 404),
        (format!("/objects/person/nobody/associations/{id}/1"), 404),
        // An e-mail and an external id are no ids.
        (format!("/objects/person/ann@b/associations/{id}/1"), 404),
        (format!("/objects/person/{ann}/associations/999/1"), 404),
        (format!("/objects/company/3/associations/{id}/1"), 400),
        (format!("/objects/deal/1/associations/{id}/1"), 404),
        (format!("/objects/person/{ann}/associations/billed/1"), 404),
    ] {
        assert_eq!(scene.call("POST", path.clone()).await, status, "{path}");
    }
    assert!(scene.ties().is_empty());
}

#[tokio::test]
async fn what_is_tied_is_read_by_association_and_altogether() {
    let scene = Scene::new().await;
    let id = scene.define("1:M", "person", "invoice").await;
    let ann = &scene.people[0];
    for path in [
        format!("/objects/person/{ann}/associations/{id}/1"),
        format!("/objects/person/{ann}/associations/{id}/2"),
        format!("/objects/person/{ann}/associations/101/3"),
    ] {
        assert_eq!(scene.call("POST", path).await, 201);
    }
    let invoices = scene
        .get(&format!("/objects/person/{ann}/associations/{id}"))
        .await;
    assert_eq!(invoices, json!([{"id": 1, "n": 1}, {"id": 2, "n": 2}]));
    let page = scene
        .get(&format!(
            "/objects/person/{ann}/associations/{id}?offset=1&limit=1"
        ))
        .await;
    assert_eq!(page, json!([{"id": 2, "n": 2}]));
    let owner = scene.get(&format!("/objects/invoice/2/associations/{id}")).await;
    assert_eq!(owner, json!([{"id": ann, "email": "ann@b"}]));
    let all = scene.get(&format!("/objects/person/{ann}/associations")).await;
    assert_eq!(all, json!({"company": [{"id": 3, "n": 3}], "invoice": invoices}));
}

#[tokio::test]
async fn who_is_gone_is_tied_to_nothing() {
    let scene = Scene::new().await;
    let id = scene.define("M:M", "person", "invoice").await;
    let [ann, bob] = &scene.people[..] else {
        unreachable!()
    };
    for (person, invoice) in [(ann, 1), (ann, 2), (bob, 2)] {
        let path = format!("/objects/person/{person}/associations/{id}/{invoice}");
        assert_eq!(scene.call("POST", path).await, 201);
    }
    scene.call("DELETE", "/objects/invoice/1".to_owned()).await;
    assert_eq!(scene.ties().len(), 2);
    scene
        .call("DELETE", format!("/people?people[0][id]={bob}&force=true"))
        .await;
    assert_eq!(scene.ties(), [format!("person {ann}>invoice 2")]);
    assert_eq!(
        scene.call("DELETE", format!("/schemas/associations/{id}")).await,
        204
    );
    assert_eq!(
        scene.call("DELETE", format!("/schemas/associations/{id}")).await,
        404
    );
    assert!(scene.ties().is_empty());
}

#[tokio::test]
async fn objects_of_one_kind_can_be_tied_to_each_other() {
    let scene = Scene::new().await;
    let id = scene.define("M:M", "invoice", "invoice").await;
    let forth = format!("/objects/invoice/1/associations/{id}/2");
    assert_eq!(scene.call("POST", forth).await, 201);
    let other = scene.get(&format!("/objects/invoice/2/associations/{id}")).await;
    assert_eq!(other, json!([{"id": 1, "n": 1}]));
    let back = format!("/objects/invoice/2/associations/{id}/1");
    assert_eq!(scene.call("DELETE", back).await, 204);
    assert!(scene.ties().is_empty());
}

#[tokio::test]
async fn where_nothing_is_kept_everything_can_be_tied() {
    let settings = MockSettings {
        keep: false,
        ..MockSettings::default()
    };
    let (mock, caller) = start_with(settings).await;
    for path in [
        "/objects/company/7/associations/12/x",
        "/objects/company/7/associations/default/person/x",
    ] {
        assert_eq!(caller.rest("POST", path, "").await.status, 201, "{path}");
    }
    let path = "/objects/company/7/associations/12/x";
    assert_eq!(caller.rest("DELETE", path, "").await.status, 204);
    let state = mock.state();
    assert_eq!((state.counts.associated, state.counts.dissociated), (2, 1));
    assert!(state.associations.is_empty());
}
