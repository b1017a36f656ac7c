//! How many requests a mock serves at once, and what becomes of more.
//!
//! [`Capacity`] is read from the notation `20,5@1000`, in which it changes while requests arrive; [`Beyond`] says what
//! a request meets that is one too many. Both hold for all requests that the rate holds for.

use std::fmt;
use std::str::FromStr;

use crate::units::UnitError;

/// How many requests are served at once in the usual latency: `20`, or in steps `20,5@1000,40@3000`, where the 1,000th request and
/// those after it find a capacity of 5.
///
/// ```
/// use outpour::mock::Capacity;
/// let capacity: Capacity = "20, 5@1000".parse()?;
/// assert_eq!([1, 999, 1_000].map(|number| capacity.at(number)), [20, 20, 5]);
/// assert_eq!(capacity.to_string(), "20,5@1000");
/// assert!("5@1000".parse::<Capacity>().is_err());
/// # Ok::<(), outpour::units::UnitError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capacity {
    /// Each with the number of the first request that finds it; in order, and the first from 0 on.
    steps: Vec<(u64, u32)>,
}

/// What becomes of a request beyond the capacity.
///
/// ```
/// use outpour::mock::Beyond;
/// assert_eq!("503".parse(), Ok(Beyond::Refused(503)));
/// assert_eq!(Beyond::default(), Beyond::Slow);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Beyond {
    /// It takes longer: the latency times the requests under way, divided by the capacity. So do all that arrive while there
    /// are too many.
    #[default]
    Slow,
    /// It is answered with this status, 429 or 503, and not carried out.
    Refused(u16),
}

const EXPECTED: &str = "a capacity such as `20` or `20,5@1000`";

impl Capacity {
    /// The capacity that the request of this number finds.
    pub fn at(&self, number: u64) -> u32 {
        let begun = self.steps.iter().rev().find(|(from, _)| *from <= number);
        begun.map_or(1, |(_, most)| *most)
    }
}

impl FromStr for Capacity {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let step = |(index, part): (usize, &str)| {
            let (most, from) = match part.split_once('@') {
                Some((most, from)) if index > 0 => (most, from.trim().parse().ok()?),
                None if index == 0 => (part, 0),
                _ => return None,
            };
            let most = most.trim().parse().ok().filter(|most| *most > 0)?;
            Some((from, most))
        };
        let steps: Option<Vec<(u64, u32)>> = text.split(',').enumerate().map(step).collect();
        let steps = steps.filter(|steps| steps.is_sorted_by(|(before, _), (after, _)| before < after));
        steps
            .map(|steps| Self { steps })
            .ok_or_else(|| UnitError::new(text, EXPECTED))
    }
}

impl FromStr for Beyond {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        match text {
            "slow" => Ok(Self::Slow),
            "429" => Ok(Self::Refused(429)),
            "503" => Ok(Self::Refused(503)),
            _ => Err(UnitError::new(text, "`slow`, `429` or `503`")),
        }
    }
}

impl fmt::Display for Capacity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (from, most)) in self.steps.iter().enumerate() {
            match index {
                0 => write!(f, "{most}")?,
                _ => write!(f, ",{most}@{from}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Beyond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slow => f.write_str("slow"),
            Self::Refused(status) => write!(f, "{status}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capacity_has_steps_in_the_order_of_requests() {
        for text in ["20", "20,5@1000", "1,2@1,3@2"] {
            assert_eq!(text.parse::<Capacity>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "0",
            "20,5",
            "20@3",
            "20,5@9,6@9",
            "20,5@9,6@8",
            "20,0@9",
            "x",
            "20,",
        ] {
            let error = text.parse::<Capacity>().unwrap_err();
            assert_eq!(error.to_string(), format!("`{text}` is not {EXPECTED}"));
        }
    }

    #[test]
    fn beyond_it_is_slow_or_one_of_two_statuses() {
        for text in ["slow", "429", "503"] {
            assert_eq!(text.parse::<Beyond>().unwrap().to_string(), text);
        }
        assert!("500".parse::<Beyond>().is_err());
    }
}
