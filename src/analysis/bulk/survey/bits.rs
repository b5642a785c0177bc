//! Rows of bits, with the same number of words each.

use std::ops::{Index, IndexMut};

/// A table of bits, whose rows have the same number of words.
#[derive(Default)]
pub(super) struct BitRows {
    words: usize,
    bits: Vec<u64>,
}

impl BitRows {
    /// A table without set bits.
    pub(super) fn new(words: usize, things: usize) -> Self {
        Self {
            words,
            bits: vec![0; things * words],
        }
    }

    /// The number of words in a row.
    pub(super) fn words(&self) -> usize {
        self.words
    }

    /// The words of a row; `None` if there is no such row.
    pub(super) fn find(&self, thing: usize) -> Option<&[u64]> {
        let start = thing * self.words;
        self.bits.get(start..start + self.words)
    }

    /// The words of all rows, row by row.
    pub(super) fn all_mut(&mut self) -> &mut [u64] {
        &mut self.bits
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "what is not there has no bits, and none may pass for them"
)]
impl Index<usize> for BitRows {
    type Output = [u64];

    fn index(&self, thing: usize) -> &[u64] {
        let start = thing * self.words;
        &self.bits[start..start + self.words]
    }
}

#[expect(clippy::indexing_slicing, reason = "as above")]
impl IndexMut<usize> for BitRows {
    fn index_mut(&mut self, thing: usize) -> &mut [u64] {
        let start = thing * self.words;
        &mut self.bits[start..start + self.words]
    }
}

/// Sets the bits of `others` in `bits`.
pub(super) fn join(bits: &mut [u64], others: &[u64]) {
    bits.iter_mut()
        .zip(others)
        .for_each(|(all, bits)| *all |= bits);
}
