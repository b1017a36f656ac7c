//! Sending bytes: transport, pace, retries. Knows bytes, not records.
