//! Tables: numbers one after the other, in memory or in bytes that somebody lends, as a file that is
//! mapped into memory. A table that is lent is read where it lies; nothing of it is copied.

use std::io::{self, Write};
use std::ops::Deref;
use std::sync::Arc;

use yoke::Yoke;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Bytes that a directory is lent for as long as it lives. They must not change.
pub type Lender = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// What a table holds: any bytes of the right number are one.
pub(super) trait Item: FromBytes + IntoBytes + Immutable + Clone + 'static {}

impl<T: FromBytes + IntoBytes + Immutable + Clone + 'static> Item for T {}

/// A table of its own, or one that was lent.
#[derive(Clone)]
pub(super) struct Flat<T: 'static> {
    own: Vec<T>,
    lent: Option<Yoke<&'static [T], Lender>>,
}

impl<T: Item> Flat<T> {
    /// The table to be changed; one that was lent is copied first.
    pub(super) fn own(&mut self) -> &mut Vec<T> {
        if let Some(lent) = self.lent.take() {
            self.own = lent.get().to_vec();
        }
        &mut self.own
    }
}

impl<T> Default for Flat<T> {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl<T> From<Vec<T>> for Flat<T> {
    fn from(own: Vec<T>) -> Self {
        Self { own, lent: None }
    }
}

impl<T> FromIterator<T> for Flat<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Vec::from_iter(items).into()
    }
}

impl<T> Deref for Flat<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &self.lent {
            Some(lent) => lent.get(),
            None => &self.own,
        }
    }
}

/// Every table begins at a multiple of this, in bytes: the alignment that the widest item needs.
const ALIGNMENT: usize = 8;

/// Writes tables one after the other: the length of each in bytes, and then its bytes.
pub(super) struct Writer<'w> {
    out: &'w mut dyn Write,
}

impl<'w> Writer<'w> {
    /// Begins with a text that says what follows, of a length that is a multiple of eight.
    pub(super) fn new(out: &'w mut dyn Write, begins: &[u8]) -> io::Result<Self> {
        out.write_all(begins)?;
        Ok(Self { out })
    }

    /// Writes a table.
    pub(super) fn table<T: Item>(&mut self, table: &[T]) -> io::Result<()> {
        let bytes = table.as_bytes();
        self.out.write_all(&(bytes.len() as u64).to_ne_bytes())?;
        self.out.write_all(bytes)?;
        let past = bytes.len() % ALIGNMENT;
        let padding = [0; ALIGNMENT];
        let padding = padding.get(past..).filter(|_| past > 0);
        self.out.write_all(padding.unwrap_or_default())
    }
}

/// Takes tables out of bytes, in the order in which they were written.
pub(super) struct Tables {
    lender: Lender,
    at: usize,
}

impl Tables {
    /// Takes them from bytes that begin with a text; `None` where they begin otherwise.
    pub(super) fn of(lender: Lender, begins: &[u8]) -> Option<Self> {
        let is_known = (*lender).as_ref().starts_with(begins);
        is_known.then_some(Self {
            lender,
            at: begins.len(),
        })
    }

    /// The next table; `None` where there is none.
    pub(super) fn table<T: Item>(&mut self) -> Option<Flat<T>> {
        let bytes = (*self.lender).as_ref();
        let start = self.at.checked_add(size_of::<u64>())?;
        let length = bytes.get(self.at..start)?.try_into().ok()?;
        let length = usize::try_from(u64::from_ne_bytes(length)).ok()?;
        let end = start.checked_add(length)?;
        let lent = Yoke::try_attach_to_cart(Arc::clone(&self.lender), |lender| {
            let bytes = lender.as_ref().get(start..end).ok_or(())?;
            <[T]>::ref_from_bytes(bytes).map_err(|_| ())
        });
        self.at = end.checked_next_multiple_of(ALIGNMENT)?;
        Some(Flat {
            own: Vec::new(),
            lent: Some(lent.ok()?),
        })
    }

    /// Whether every byte was taken.
    pub(super) fn is_at_end(&self) -> bool {
        self.at == (*self.lender).as_ref().len()
    }
}
