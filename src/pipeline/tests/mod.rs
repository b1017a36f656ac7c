//! Tests of the pipeline as a whole, in memory.

mod simulation;
