//! What goes wrong on purpose, and how often.
//!
//! [`Faults`] is read from the notation `429:5%,reset:1%`. Which request meets which [`Fault`] follows from the
//! seed and the request's number alone, so that a run can be repeated; nothing here knows of HTTP.

use std::fmt;
use std::str::FromStr;

use crate::units::{Percent, UnitError};

/// One way in which a request can go wrong.
///
/// ```
/// use outpour::mock::Fault;
/// assert_eq!("503".parse(), Ok(Fault::Status(503)));
/// assert_eq!("timeout".parse(), Ok(Fault::Hang));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Answered with this status (400 to 599) and the vendor's error envelope; not carried out.
    Status(u16),
    /// The connection is reset (TCP RST) once the request was read; carried out half of the time.
    Reset,
    /// The connection is closed (TCP FIN) without an answer; carried out half of the time.
    Close,
    /// No answer ever comes while the caller waits; carried out half of the time. `timeout` means the same.
    Hang,
    /// Carried out, and answered late.
    Slow,
    /// Answered 200 with the vendor's error envelope as its body; not carried out.
    Error200,
    /// Carried out and answered with its status, but the body is not the JSON that it claims to be.
    Garbage,
    /// Carried out and answered with its status, but the connection closes in the middle of the body.
    Cut,
    /// Where many records share a request at Zuora, carried out for about half of them, and answered 500 with a list of
    /// the others, to be sent again. Any other request is answered 500 and not carried out.
    Throttled,
}

/// How often each fault strikes. The default is never.
///
/// ```
/// use outpour::mock::Faults;
/// let faults: Faults = "429:5%, reset:0.5%".parse()?;
/// assert_eq!(faults.to_string(), "429:5%,reset:0.5%");
/// assert!("teapot:1%".parse::<Faults>().is_err());
/// # Ok::<(), outpour::mock::FaultError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    shares: Vec<(Fault, Percent)>,
}

/// A notation of faults that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// The kind is none of those that exist.
    #[error("`{kind}` is not a fault: expected a status from 400 to 599, {KINDS}")]
    Kind {
        /// The kind as written.
        kind: String,
    },
    /// There is no share after the kind.
    #[error("`{text}` does not say how often: expected for example `{text}:5%`")]
    NoShare {
        /// The part that lacks a share.
        text: String,
    },
    /// The share is not one.
    #[error("fault `{kind}` has no valid share")]
    Share {
        /// The kind as written.
        kind: String,
        /// What is wrong with the share.
        source: UnitError,
    },
    /// The same fault is given twice.
    #[error("fault `{fault}` is given twice")]
    Twice {
        /// The fault.
        fault: Fault,
    },
    /// All faults together strike more often than always.
    #[error("the shares of all faults add up to {total}%, which is more than 100%")]
    TooMuch {
        /// The sum of the shares.
        total: String,
    },
}

const KINDS: &str = "`reset`, `close`, `hang`, `slow`, `error200`, `garbage`, `cut` or `throttled`";

impl Faults {
    /// Whether nothing ever goes wrong.
    pub fn is_empty(&self) -> bool {
        self.shares.is_empty()
    }

    /// The fault that the request of this number meets, if any.
    pub(super) fn roll(&self, seed: u64, number: u64) -> Option<Fault> {
        if self.is_empty() {
            return None;
        }
        let mut point = ratio(mix(seed, number));
        for (fault, share) in &self.shares {
            if point < share.ratio() {
                return Some(*fault);
            }
            point -= share.ratio();
        }
        None
    }
}

/// Whether the request of this number is carried out although its caller will not hear of it.
pub(super) fn is_carried_out(seed: u64, number: u64) -> bool {
    mix(!seed, number) & 1 == 1
}

/// A number that looks random and follows from both arguments: the step of `SplitMix64` (Steele, Lea, Flood, 2014).
pub(super) fn mix(seed: u64, number: u64) -> u64 {
    let step = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut bits = seed.wrapping_add(step);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// A number of 64 random bits as a ratio from 0 up to but not including 1, a millionth and less apart.
fn ratio(bits: u64) -> f64 {
    let high = u32::try_from(bits >> 32).unwrap_or(u32::MAX);
    f64::from(high) / (f64::from(u32::MAX) + 1.0)
}

impl Fault {
    /// Whether it is an answer of the API itself, in place of the one that there would have been. A 429 is none: it comes
    /// from before the API.
    pub(super) fn is_answer(self) -> bool {
        match self {
            Self::Status(status) => status != 429,
            Self::Error200 | Self::Throttled => true,
            _ => false,
        }
    }
}

impl FromStr for Faults {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let mut faults = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (fault, share) = parse_part(part)?;
            if faults.shares.iter().any(|(known, _)| *known == fault) {
                return Err(FaultError::Twice { fault });
            }
            faults.shares.push((fault, share));
        }
        let total: f64 = faults.shares.iter().map(|(_, share)| share.ratio() * 100.0).sum();
        // Shares are decimal fractions in binary: a sum of exactly 100% may come out a hair above it.
        if total > 100.0 + 1e-9 {
            return Err(FaultError::TooMuch {
                total: total.to_string(),
            });
        }
        Ok(faults)
    }
}

fn parse_part(part: &str) -> Result<(Fault, Percent), FaultError> {
    let no_share = || FaultError::NoShare {
        text: part.to_owned(),
    };
    let (kind, share) = part.split_once(':').ok_or_else(no_share)?;
    let fault = kind.trim().parse()?;
    let share = share.trim().parse().map_err(|source| FaultError::Share {
        kind: kind.trim().to_owned(),
        source,
    })?;
    Ok((fault, share))
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(kind: &str) -> Result<Self, FaultError> {
        Ok(match kind {
            "reset" => Self::Reset,
            "close" => Self::Close,
            "hang" | "timeout" => Self::Hang,
            "slow" => Self::Slow,
            "error200" => Self::Error200,
            "garbage" => Self::Garbage,
            "cut" => Self::Cut,
            "throttled" => Self::Throttled,
            _ => match kind.parse() {
                Ok(status @ 400..=599) => Self::Status(status),
                _ => {
                    return Err(FaultError::Kind {
                        kind: kind.to_owned(),
                    });
                }
            },
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Status(status) => return write!(f, "{status}"),
            Self::Reset => "reset",
            Self::Close => "close",
            Self::Hang => "hang",
            Self::Slow => "slow",
            Self::Error200 => "error200",
            Self::Garbage => "garbage",
            Self::Cut => "cut",
            Self::Throttled => "throttled",
        })
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (fault, share)) in self.shares.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{fault}:{share}")?;
        }
        Ok(())
    }
}

impl<'de> serde::Deserialize<'de> for Fault {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let kind = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        kind.parse().map_err(serde::de::Error::custom)
    }
}

impl serde::Serialize for Fault {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
