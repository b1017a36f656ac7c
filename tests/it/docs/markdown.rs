//! As much of Markdown as the documents use: sections, tables, fenced blocks, links.

/// A fenced block.
#[derive(Debug)]
pub(super) struct Block {
    /// What follows the opening fence, such as `sh`.
    pub(super) language: String,
    /// The line of the opening fence, from 1.
    pub(super) line: usize,
    /// What stands between the fences.
    pub(super) text: String,
}

/// The fenced blocks of a document.
pub(super) fn blocks(document: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in document.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(language), None) => {
                open = Some(Block {
                    language: language.trim().to_owned(),
                    line: index + 1,
                    text: String::new(),
                });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed: {open:?}");
    blocks
}

/// The document without its fenced blocks.
pub(super) fn prose(document: &str) -> String {
    let mut is_fenced = false;
    let mut prose = String::new();
    for line in document.lines() {
        if line.starts_with("```") {
            is_fenced = !is_fenced;
        } else if !is_fenced {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    prose
}

/// What stands under a heading, up to the next heading.
pub(super) fn section(document: &str, heading: &str) -> String {
    let is_it = |line: &&str| line.starts_with('#') && line.trim_start_matches('#').trim() == heading;
    let mut is_fenced = false;
    let after = document.lines().skip_while(|line| !is_it(line)).skip(1);
    let below: Vec<&str> = after
        .take_while(|line| {
            is_fenced ^= line.starts_with("```");
            is_fenced || !line.starts_with('#')
        })
        .collect();
    assert!(!below.is_empty(), "there is no section `{heading}`");
    below.join("\n")
}

/// The rows of the tables in a text, without their headings, cells trimmed.
pub(super) fn rows(text: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
        inner.split(" | ").map(|cell| cell.trim().to_owned()).collect()
    };
    let lines: Vec<&str> = text.lines().collect();
    let is_row = |line: &str| line.starts_with('|');
    let is_rule = |line: &str| line.starts_with("|--") || line.starts_with("| --");
    let mut rows = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let is_heading = lines.get(index + 1).is_some_and(|next| is_rule(next));
        if is_row(line) && !is_rule(line) && !is_heading {
            rows.push(cells(line));
        }
    }
    rows
}

/// The targets of a document's links, `[text](target)`.
pub(super) fn links(document: &str) -> Vec<String> {
    let prose = prose(document);
    let targets = prose.match_indices("](").map(|(at, opening)| {
        let rest = &prose[at + opening.len()..];
        rest[..rest.find(')').unwrap_or(rest.len())].to_owned()
    });
    targets.collect()
}
