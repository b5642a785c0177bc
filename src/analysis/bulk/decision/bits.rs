//! A table of bits: a row for each item, all of one width.

use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

use tarbac_store::index::Id;

/// The bits of a word.
pub(super) const WORD: usize = u64::BITS as usize;

/// A table of bits by indices `I`, whose rows have the same number of words.
pub(super) struct BitRows<I> {
    words: usize,
    bits: Vec<u64>,
    index: PhantomData<fn(I)>,
}

impl<I: Id> BitRows<I> {
    /// A table without set bits.
    pub(super) fn new(words: usize, items: usize) -> Self {
        Self {
            words,
            bits: vec![0; items * words],
            index: PhantomData,
        }
    }

    /// The number of words in a row.
    pub(super) fn words(&self) -> usize {
        self.words
    }

    /// The words of a row; `None` if there is no such row.
    pub(super) fn find(&self, item: I) -> Option<&[u64]> {
        let start = item.index() * self.words;
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
impl<I: Id> Index<I> for BitRows<I> {
    type Output = [u64];

    fn index(&self, item: I) -> &[u64] {
        let start = item.index() * self.words;
        &self.bits[start..start + self.words]
    }
}

#[expect(clippy::indexing_slicing, reason = "as above")]
impl<I: Id> IndexMut<I> for BitRows<I> {
    fn index_mut(&mut self, item: I) -> &mut [u64] {
        let start = item.index() * self.words;
        &mut self.bits[start..start + self.words]
    }
}

/// Sets one bit of `bits`.
#[expect(clippy::indexing_slicing, reason = "as above")]
pub(super) fn set(bits: &mut [u64], bit: usize) {
    bits[bit / WORD] |= 1 << (bit % WORD);
}

/// The first word of `bits`.
#[expect(clippy::indexing_slicing, reason = "as above")]
pub(super) fn first_word(bits: &[u64]) -> u64 {
    bits[0]
}

/// Sets the bits of `others` in `bits`.
pub(super) fn join(bits: &mut [u64], others: &[u64]) {
    bits.iter_mut()
        .zip(others)
        .for_each(|(all, bits)| *all |= bits);
}
