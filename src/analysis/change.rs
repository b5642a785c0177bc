//! Changes before they are made: hypothetical facts, and what they change for whom.

pub mod fact;
pub mod impact;
pub mod what_if;
