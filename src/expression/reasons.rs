//! What jaq says about an expression that does not compile, in our words.

use jaq_core::load;

use super::REFUSED;

pub(super) fn load_reason(text: &str, errors: load::Errors<&str, ()>) -> String {
    let place = |rest: &str| match text.len() - rest.len().min(text.len()) {
        at if rest.is_empty() || at >= text.len() => "at the end".to_owned(),
        at => format!("at `{}`", text[at..].chars().take(20).collect::<String>()),
    };
    let first = errors.into_iter().next().map(|(_, error)| match error {
        load::Error::Io(mut files) => files.pop().map_or_else(String::new, |(path, _)| {
            format!("it may not read the file `{path}`")
        }),
        load::Error::Lex(mut errors) => errors.pop().map_or_else(String::new, |(expected, rest)| {
            format!("{} expected {}", expected.as_str(), place(rest))
        }),
        load::Error::Parse(mut errors) => errors.pop().map_or_else(String::new, |(expected, found)| {
            let found = if found.is_empty() {
                "the end".to_owned()
            } else {
                format!("`{found}`")
            };
            format!("{} expected, found {found}", expected.as_str())
        }),
    });
    first
        .filter(|reason| !reason.is_empty())
        .unwrap_or_else(|| "it cannot be read".to_owned())
}

pub(super) fn compile_reason(errors: jaq_core::compile::Errors<&str, ()>) -> String {
    let undefined = errors
        .into_iter()
        .flat_map(|(_, errors)| errors)
        .map(|(name, kind)| match kind {
            jaq_core::compile::Undefined::Filter(arity) if REFUSED.contains(&name) || name == "$ENV" => {
                format!("`{name}/{arity}` is not available here, an expression sees its value alone")
            }
            jaq_core::compile::Undefined::Filter(arity) => {
                format!("no filter is named `{name}` with {arity} arguments")
            }
            kind => format!("no {} is named `{name}`", kind.as_str()),
        });
    undefined.collect::<Vec<_>>().join("; ")
}
