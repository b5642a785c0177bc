//! The file format of a written directory: columns in blocks, each block with a digest.

use std::io::{self, Write};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use blake3::{Hash, Hasher};
use zerocopy::IntoBytes;

use super::column::{Column, Item, SharedBytes};

/// The most bytes of a block. Its digest takes microseconds.
const BLOCK: usize = 32 * 1024;

/// The number of items of a block; the last block of a table may have fewer.
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

/// A table of a written directory.
pub(super) struct Shared<T> {
    of: Arc<Written>,
    /// The offset of the first byte.
    start: u64,
    /// The number of the first block, counted over all tables.
    first: usize,
    pub(super) len: usize,
    /// The blocks that were read; a block that cannot be read is empty.
    blocks: Vec<OnceLock<Box<[T]>>>,
    /// Consecutive items that begin in one block and end in a later one, by the first of the blocks.
    joints: Vec<OnceLock<Box<Joint<T>>>>,
}

/// A copy of consecutive items from several blocks.
struct Joint<T> {
    range: Range<usize>,
    items: Option<Box<[T]>>,
    /// A joint of another range. Callers ask for the same ranges each time, so there is hardly ever one.
    more: OnceLock<Box<Joint<T>>>,
}

impl<T: Item> Shared<T> {
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

    /// A copy of consecutive items from several blocks; `None` if a block cannot be read.
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

    /// The items of a block, which is read and checked at its first use.
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

/// The bytes of a written directory.
pub(crate) struct Written {
    source: Arc<dyn SharedBytes>,
    /// The digests of all blocks.
    digests: Vec<[u8; DIGEST]>,
    anew: OnceLock<Option<Vec<u8>>>,
    is_damaged: AtomicBool,
}

const DIGEST: usize = blake3::OUT_LEN;

impl Written {
    /// Whether a block was needed that can neither be read nor be computed again.
    pub(crate) fn is_damaged(&self) -> bool {
        self.is_damaged.load(Ordering::Acquire)
    }

    /// Reads a block; `false` if it can neither be read as it was written nor be computed again.
    fn read(&self, number: usize, offset: u64, bytes: &mut [u8]) -> bool {
        let is_as_written = |bytes: &[u8]| {
            let digest = self.digests.get(number);
            digest.is_some_and(|digest| blake3::hash(bytes) == Hash::from_bytes(*digest))
        };
        if self.source.read_at(offset, bytes).is_ok() && is_as_written(bytes) {
            return true;
        }
        let anew = self.anew.get_or_init(|| self.source.anew());
        let start = usize::try_from(offset).ok();
        let part = start.and_then(|start| anew.as_ref()?.get(start..start + bytes.len()));
        if let Some(part) = part.filter(|part| is_as_written(part)) {
            bytes.copy_from_slice(part);
            return true;
        }
        self.is_damaged.store(true, Ordering::Release);
        self.source.lost();
        false
    }
}

/// A writer of tables, with the digests after them.
pub(crate) struct Writer<'w> {
    out: &'w mut dyn Write,
    /// The number of bytes so far.
    size: u64,
    /// The length of each table in bytes.
    lengths: Vec<u64>,
    digests: Vec<[u8; DIGEST]>,
}

impl<'w> Writer<'w> {
    /// A writer that has written a text which identifies the format.
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
        for block in table.blocks(const { items_of_block::<T>() }) {
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

    /// Writes the digests of all blocks and a digest of these, which includes `name`.
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

/// The number of bytes after the index: its length and its digest.
const TRAILER: usize = size_of::<u64>() + DIGEST;

fn seal(name: &str, size: u64, index: &[u8]) -> Hash {
    let mut hasher = Hasher::new();
    for number in [name.len() as u64, size] {
        hasher.update(&number.to_le_bytes());
    }
    hasher.update(name.as_bytes()).update(index);
    hasher.finalize()
}

/// A reader of the tables of a written directory, in the order in which they were written.
pub(crate) struct Tables {
    of: Arc<Written>,
    /// The lengths of the remaining tables, in reverse order.
    lengths: Vec<u64>,
    /// The offset of the next table.
    at: u64,
    /// The end of the last table.
    end: u64,
    /// The number of the first block of the next table.
    block: usize,
}

impl Tables {
    /// The tables of a directory that begins with a text and was written under this name; `None` for any other bytes.
    pub(crate) fn open(source: Arc<dyn SharedBytes>, begins: &[u8], name: &str) -> Option<Self> {
        let size = source.size().ok()?;
        let mut beginning = vec![0; begins.len()];
        source.read_at(0, &mut beginning).ok()?;
        if beginning != begins {
            return None;
        }
        let mut trailer = [0; TRAILER];
        let at_trailer = size.checked_sub(TRAILER as u64)?;
        source.read_at(at_trailer, &mut trailer).ok()?;
        let (length, digest) = trailer.split_first_chunk::<{ size_of::<u64>() }>()?;
        let length = u64::from_ne_bytes(*length);
        let end = at_trailer.checked_sub(length)?;
        end.checked_sub(begins.len() as u64)?;
        let mut index = vec![0; usize::try_from(length).ok()?];
        source.read_at(end, &mut index).ok()?;
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
                source,
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

    /// The bytes that the tables are read from.
    pub(crate) fn written(&self) -> Arc<Written> {
        Arc::clone(&self.of)
    }

    /// The next table; `None` after the last one.
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
        let shared = Shared {
            of: Arc::clone(&self.of),
            start,
            first,
            len,
            blocks: none(blocks),
            joints: none(blocks.saturating_sub(1)),
        };
        is_whole.then(|| Column::written(shared))
    }

    /// Whether every table was read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.lengths.is_empty() && self.at == self.end && self.block == self.of.digests.len()
    }
}
