//! Which module of `src/` names which other: `use crate::x` and `crate::x::..`, tests and comments left out.

use super::{files, text};

/// One use of another top-level module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Import {
    /// The file that has it.
    pub(super) file: String,
    /// The file's top-level module.
    pub(super) from: String,
    /// The module that is named.
    pub(super) to: String,
    /// The item of that module, empty for the module itself.
    pub(super) item: String,
}

/// Every import between top-level modules of the library.
pub(super) fn imports() -> Vec<Import> {
    let mut imports = Vec::new();
    for file in library_files() {
        let from = module_of(&file);
        for (to, item) in paths(&code(&text(&file))) {
            if to != from {
                imports.push(Import {
                    file: file.clone(),
                    from: from.clone(),
                    to,
                    item,
                });
            }
        }
    }
    imports.sort();
    imports.dedup();
    imports
}

/// The top-level modules of the library.
pub(super) fn modules() -> Vec<String> {
    let mut modules: Vec<String> = library_files().iter().map(|file| module_of(file)).collect();
    modules.sort();
    modules.dedup();
    modules
}

/// The files of the library that are not tests.
pub(super) fn library_files() -> Vec<String> {
    let is_library = |file: &String| {
        let is_program = file == "src/main.rs"
            || file == "src/lib.rs"
            || file.starts_with("src/cli/")
            || file == "src/cli.rs";
        let is_test =
            file.contains("/tests/") || file.ends_with("/tests.rs") || file.ends_with("/testing.rs");
        !is_program && !is_test
    };
    files("src", ".rs").into_iter().filter(is_library).collect()
}

/// The top-level module of a file, such as `client` for `src/client/retry.rs`.
fn module_of(file: &str) -> String {
    let below = file.trim_start_matches("src/");
    let first = below.split('/').next().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// A file's text without comments and without the tests at its end.
pub(super) fn code(text: &str) -> String {
    let text = match text.find("#[cfg(test)]\nmod tests {") {
        Some(tests) => &text[..tests],
        None => text,
    };
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .fold(String::new(), |code, line| code + line + "\n")
}

/// The modules, and the items in them, that follow `crate::`.
fn paths(code: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (at, before) in code.match_indices("crate::") {
        let is_part_of_a_name =
            code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
        if is_part_of_a_name {
            continue;
        }
        let rest = &code[at + before.len()..];
        let module = name(rest);
        assert!(
            !module.is_empty(),
            "write one `use` a module instead of `crate::{{..}}`: {}",
            line(rest)
        );
        for item in items(&rest[module.len()..]) {
            found.push((module.to_owned(), item));
        }
    }
    found
}

/// What follows a module's name: `::Item`, `::{One, Other}`, or nothing.
fn items(rest: &str) -> Vec<String> {
    let Some(rest) = rest.strip_prefix("::") else {
        return vec![String::new()];
    };
    let Some(list) = rest.strip_prefix('{') else {
        return vec![name(rest).to_owned()];
    };
    let end = list.find('}').unwrap();
    let parts = list[..end]
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts
        .map(|part| match name(part) {
            "self" => String::new(),
            item => item.to_owned(),
        })
        .collect()
}

fn name(text: &str) -> &str {
    let end = text.find(|character: char| !(character.is_alphanumeric() || character == '_'));
    &text[..end.unwrap_or(text.len())]
}

fn line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[test]
fn imports_are_found_in_every_notation() {
    let code = code(
        "use crate::units::TimeSpan;\n// crate::gone::Away\nuse crate::client::{\n    Reply, Sender,\n};\n\
         use crate::document::{self, closest};\nfn f() { crate::delivery::g() }\nuse crate::request;\n\
         #[cfg(test)]\nmod tests {\n    use crate::template::Catalog;\n}\n",
    );
    let found: Vec<String> = paths(&code)
        .iter()
        .map(|(module, item)| format!("{module} {item}"))
        .collect();
    let wanted = [
        "units TimeSpan",
        "client Reply",
        "client Sender",
        "document ",
        "document closest",
        "delivery g",
        "request ",
    ];
    assert_eq!(found, wanted);
}
