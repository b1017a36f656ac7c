//! The built-in look-alike of Encharge.
