//! Columns as they are written: blocks of items, each with a digest.

use std::io::{self, Write};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use blake3::{Hash, Hasher};
use zerocopy::IntoBytes;

use super::column::{Column, Item, SharedBytes};

/// The most bytes of a block. A digest of so many takes microseconds.
const BLOCK: usize = 32 * 1024;

/// How many items a block has, except for the last one of a table.
const fn items_of_block<T>() -> usize {
    let size = match size_of::<T>() {
        0 => 1,
        size => size,
    };
    match BLOCK / size {
        0 => 1,
        items => items,
    }
}

/// A table that was lent.
pub(super) struct Lent<T> {
    of: Arc<Written>,
    /// The offset of its first byte.
    start: u64,
    /// The number of its first block among all.
    first: usize,
    pub(super) len: usize,
    /// What was read; a block that is missing has no items.
    blocks: Vec<OnceLock<Box<[T]>>>,
    /// Items in a row that begin in a block and end in a later one, by that block.
    joints: Vec<OnceLock<Box<Joint<T>>>>,
}

/// A copy of items in a row that stand in several blocks.
struct Joint<T> {
    range: Range<usize>,
    items: Option<Box<[T]>>,
    /// Tables are asked for the same rows of items each time, so that there are hardly ever more.
    more: OnceLock<Box<Joint<T>>>,
}

impl<T: Item> Lent<T> {
    pub(super) fn get(&self, index: usize) -> Option<&T> {
        let items = const { items_of_block::<T>() };
        self.block(index / items)?.get(index % items)
    }

    pub(super) fn slice(&self, range: Range<usize>) -> Option<&[T]> {
        if range.start > range.end || range.end > self.len {
            return None;
        }
        if range.is_empty() {
            return Some(&[]);
        }
        let items = const { items_of_block::<T>() };
        let (first, last) = (range.start / items, (range.end - 1) / items);
        if first == last {
            let before = first * items;
            return self
                .block(first)?
                .get(range.start - before..range.end - before);
        }
        let mut place = self.joints.get(first)?;
        loop {
            let joint = place.get_or_init(|| {
                Box::new(Joint {
                    items: self.joined(&range),
                    range: range.clone(),
                    more: OnceLock::new(),
                })
            });
            if joint.range == range {
                return joint.items.as_deref();
            }
            place = &joint.more;
        }
    }

    /// A copy of items of several blocks; `None` where one is missing.
    fn joined(&self, range: &Range<usize>) -> Option<Box<[T]>> {
        let items = const { items_of_block::<T>() };
        let mut joined = Vec::with_capacity(range.len());
        while joined.len() < range.len() {
            let at = range.start + joined.len();
            let block = self.block(at / items)?;
            let end = block.len().min(at % items + range.len() - joined.len());
            joined.extend_from_slice(block.get(at % items..end).filter(|part| !part.is_empty())?);
        }
        Some(joined.into())
    }

    /// A block, which is read and checked unless it was before.
    fn block(&self, number: usize) -> Option<&[T]> {
        let block = self.blocks.get(number)?;
        Some(block.get_or_init(|| self.read(number).unwrap_or_default()))
    }

    fn read(&self, number: usize) -> Option<Box<[T]>> {
        let items = const { items_of_block::<T>() };
        let before = number * items;
        let count = self.len.checked_sub(before)?.min(items);
        let mut block = vec![T::new_zeroed(); count];
        let offset = self.start + (before * size_of::<T>()) as u64;
        let is_read = self
            .of
            .read(self.first + number, offset, block.as_mut_bytes());
        is_read.then(|| block.into())
    }

    pub(super) fn blocks(&self) -> impl Iterator<Item = &[T]> {
        (0..self.blocks.len()).filter_map(|number| self.block(number))
    }
}

/// The bytes that a directory was written as.
pub(crate) struct Written {
    lender: Arc<dyn SharedBytes>,
    /// Those of all blocks.
    digests: Vec<[u8; DIGEST]>,
    anew: OnceLock<Option<Vec<u8>>>,
    is_damaged: AtomicBool,
}

const DIGEST: usize = blake3::OUT_LEN;

impl Written {
    /// Whether something is missing that was asked for.
    pub(crate) fn is_damaged(&self) -> bool {
        self.is_damaged.load(Ordering::Acquire)
    }

    /// Reads a block, if it is the one that was written.
    fn read(&self, number: usize, offset: u64, bytes: &mut [u8]) -> bool {
        let is_as_written = |bytes: &[u8]| {
            let digest = self.digests.get(number);
            digest.is_some_and(|digest| blake3::hash(bytes) == Hash::from_bytes(*digest))
        };
        if self.lender.read_at(offset, bytes).is_ok() && is_as_written(bytes) {
            return true;
        }
        let anew = self.anew.get_or_init(|| self.lender.anew());
        let start = usize::try_from(offset).ok();
        let part = start.and_then(|start| anew.as_ref()?.get(start..start + bytes.len()));
        if let Some(part) = part.filter(|part| is_as_written(part)) {
            bytes.copy_from_slice(part);
            return true;
        }
        self.is_damaged.store(true, Ordering::Release);
        self.lender.lost();
        false
    }
}

/// Writes tables one after the other, and behind them what they are checked against.
pub(crate) struct Writer<'w> {
    out: &'w mut dyn Write,
    /// How many bytes were written.
    size: u64,
    /// For each table its length in bytes.
    lengths: Vec<u64>,
    digests: Vec<[u8; DIGEST]>,
}

impl<'w> Writer<'w> {
    /// Begins with a text that says what follows.
    pub(crate) fn new(out: &'w mut dyn Write, begins: &[u8]) -> io::Result<Self> {
        out.write_all(begins)?;
        Ok(Self {
            out,
            size: begins.len() as u64,
            lengths: Vec::new(),
            digests: Vec::new(),
        })
    }

    /// Writes a table.
    pub(crate) fn table<T: Item>(&mut self, table: &Column<T>) -> io::Result<()> {
        let mut length = 0;
        let own = table.own.chunks(const { items_of_block::<T>() });
        let lent = table.lent.iter().flat_map(|lent| lent.blocks());
        for block in own.chain(lent) {
            let bytes = block.as_bytes();
            self.out.write_all(bytes)?;
            self.digests.push(*blake3::hash(bytes).as_bytes());
            length += bytes.len() as u64;
        }
        if length != (table.len() * size_of::<T>()) as u64 {
            return Err(io::Error::other("what is to be written cannot be read"));
        }
        self.lengths.push(length);
        self.size += length;
        Ok(())
    }

    /// Ends with the digests of all blocks and that of these, which holds under this name only.
    pub(crate) fn finish(self, name: &str) -> io::Result<()> {
        let mut index = Vec::new();
        index.extend_from_slice(&(self.lengths.len() as u64).to_ne_bytes());
        for length in &self.lengths {
            index.extend_from_slice(&length.to_ne_bytes());
        }
        index.extend(self.digests.iter().flatten());
        let length = index.len() as u64;
        self.out.write_all(&index)?;
        self.out.write_all(&length.to_ne_bytes())?;
        let size = self.size + length + TRAILER as u64;
        self.out.write_all(seal(name, size, &index).as_bytes())
    }
}

/// How many bytes stand behind the index: its length and its digest.
const TRAILER: usize = size_of::<u64>() + DIGEST;

fn seal(name: &str, size: u64, index: &[u8]) -> Hash {
    let mut hasher = Hasher::new();
    for number in [name.len() as u64, size] {
        hasher.update(&number.to_le_bytes());
    }
    hasher.update(name.as_bytes()).update(index);
    hasher.finalize()
}

/// Takes tables out of what was written, in the order in which they were.
pub(crate) struct Tables {
    of: Arc<Written>,
    /// The lengths of the tables that are left, the last one first.
    lengths: Vec<u64>,
    /// The offset of the next one.
    at: u64,
    /// Where the tables end.
    end: u64,
    /// The number of the first block of the next one.
    block: usize,
}

impl Tables {
    /// Takes them from what begins with a text and was written under this name; `None` where it is anything else.
    pub(crate) fn of(lender: Arc<dyn SharedBytes>, begins: &[u8], name: &str) -> Option<Self> {
        let size = lender.size().ok()?;
        let mut beginning = vec![0; begins.len()];
        lender.read_at(0, &mut beginning).ok()?;
        if beginning != begins {
            return None;
        }
        let mut trailer = [0; TRAILER];
        let at_trailer = size.checked_sub(TRAILER as u64)?;
        lender.read_at(at_trailer, &mut trailer).ok()?;
        let (length, digest) = trailer.split_first_chunk::<{ size_of::<u64>() }>()?;
        let length = u64::from_ne_bytes(*length);
        let end = at_trailer.checked_sub(length)?;
        end.checked_sub(begins.len() as u64)?;
        let mut index = vec![0; usize::try_from(length).ok()?];
        lender.read_at(end, &mut index).ok()?;
        if seal(name, size, &index) != Hash::from_bytes(digest.try_into().ok()?) {
            return None;
        }
        let (count, index) = index.split_first_chunk()?;
        let count = usize::try_from(u64::from_ne_bytes(*count)).ok()?;
        let lengths = index.get(..count.checked_mul(size_of::<u64>())?)?;
        let (digests, rest) = index.get(lengths.len()..)?.as_chunks::<DIGEST>();
        let (lengths, _) = lengths.as_chunks();
        let lengths = lengths.iter().rev();
        rest.is_empty().then(|| Self {
            of: Arc::new(Written {
                lender,
                digests: digests.to_vec(),
                anew: OnceLock::new(),
                is_damaged: AtomicBool::new(false),
            }),
            lengths: lengths.map(|length| u64::from_ne_bytes(*length)).collect(),
            at: begins.len() as u64,
            end,
            block: 0,
        })
    }

    /// What they are taken from.
    pub(crate) fn written(&self) -> Arc<Written> {
        Arc::clone(&self.of)
    }

    /// The next table; `None` where there is none.
    pub(crate) fn table<T: Item>(&mut self) -> Option<Column<T>> {
        let length = self.lengths.pop()?;
        let (start, first) = (self.at, self.block);
        self.at = start.checked_add(length).filter(|at| *at <= self.end)?;
        let bytes = usize::try_from(length).ok()?;
        let len = bytes.checked_div(size_of::<T>())?;
        let blocks = len.div_ceil(items_of_block::<T>());
        self.block += blocks;
        fn none<T>(count: usize) -> Vec<OnceLock<T>> {
            std::iter::repeat_with(OnceLock::new).take(count).collect()
        }
        let is_whole = len * size_of::<T>() == bytes && self.block <= self.of.digests.len();
        let lent = Lent {
            of: Arc::clone(&self.of),
            start,
            first,
            len,
            blocks: none(blocks),
            joints: none(blocks.saturating_sub(1)),
        };
        is_whole.then(|| Column {
            own: Vec::new(),
            lent: Some(Arc::new(lent)),
        })
    }

    /// Whether every table was taken.
    pub(crate) fn is_at_end(&self) -> bool {
        self.lengths.is_empty() && self.at == self.end && self.block == self.of.digests.len()
    }
}
