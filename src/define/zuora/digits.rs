//! The digits of a number as it is written.

use serde_json::Value;

/// How many digits a number has left and right of its point, zeros that say nothing left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Digits {
    pub(super) left: usize,
    pub(super) right: usize,
}

/// The digits of a number, or of a text that writes one; none of anything else.
pub(super) fn digits(value: &Value) -> Option<Digits> {
    match value {
        Value::Number(number) => of_text(&number.to_string()),
        Value::String(text) => of_text(text.trim()),
        _ => None,
    }
}

fn of_text(text: &str) -> Option<Digits> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())?;
    let unsigned = text.trim_start_matches(['+', '-']);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // The point stands this far from the first of all digits.
    let point = i64::try_from(whole.len()).ok()? + i64::from(exponent);
    let all = format!("{whole}{fraction}");
    let first = all.find(|digit| digit != '0');
    let last = all.rfind(|digit| digit != '0');
    let (Some(first), Some(last)) = (first, last) else {
        return Some(Digits { left: 0, right: 0 });
    };
    let count = |number: i64| usize::try_from(number.max(0)).unwrap_or(usize::MAX);
    Some(Digits {
        left: count(point - i64::try_from(first).ok()?),
        right: count(i64::try_from(last).ok()? + 1 - point),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn counted(text: &str) -> Option<(usize, usize)> {
        of_text(text).map(|digits| (digits.left, digits.right))
    }

    #[test]
    fn digits_are_counted_on_both_sides_of_the_point() {
        assert_eq!(counted("1234567890123.123456789"), Some((13, 9)));
        assert_eq!(counted("-0012.500"), Some((2, 1)));
        assert_eq!(counted("0.0001"), Some((0, 4)));
        assert_eq!(counted("1e13"), Some((14, 0)));
        assert_eq!(counted("12.5e-9"), Some((0, 10)));
        assert_eq!(counted("0.000"), Some((0, 0)));
        assert_eq!(counted("twelve"), None);
        assert_eq!(digits(&json!(12345)), Some(Digits { left: 5, right: 0 }));
        assert_eq!(digits(&json!(true)), None);
    }
}
