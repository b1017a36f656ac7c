//! What values weigh and how deep they nest.

use jaq_json::{Num, Val};

use super::super::bounds::{Exceeded, MAX_WEIGHT};

/// What a value of its own weighs, and a string or a container besides what they hold.
const SCALAR: u64 = 16;
const STRING: u64 = 64;
pub(super) const CONTAINER: u64 = 64;

/// The weight of a value that holds no others.
pub(super) fn scalar_weight(val: &Val) -> Option<u64> {
    match val {
        Val::Null | Val::Bool(_) | Val::Num(Num::Int(_) | Num::Float(_)) => Some(SCALAR),
        Val::Num(Num::BigInt(number)) => Some(STRING + number.bits() / 8),
        Val::Num(Num::Dec(text)) => Some(STRING + text.len() as u64),
        Val::BStr(bytes) | Val::TStr(bytes) => Some(STRING + bytes.len() as u64),
        Val::Arr(_) | Val::Obj(_) => None,
    }
}

/// What a value weighs and how deep it nests. Goes no further than the limits.
pub(super) fn measure(val: &Val, levels: u16) -> (u64, u16) {
    if let Some(weight) = scalar_weight(val) {
        return (weight, 0);
    }
    if levels == 0 {
        Exceeded::Depth.end();
    }
    let (mut weight, mut depth) = (CONTAINER, 0);
    let mut add = |val: &Val| {
        let (more, inner) = measure(val, levels - 1);
        weight += more;
        depth = depth.max(inner);
        if weight > MAX_WEIGHT {
            Exceeded::Weight.end();
        }
    };
    match val {
        Val::Arr(list) => list.iter().for_each(add),
        Val::Obj(map) => map.iter().for_each(|(key, value)| {
            add(key);
            add(value);
        }),
        _ => {}
    }
    (weight, depth + 1)
}
