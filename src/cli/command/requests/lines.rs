//! The lines of a stream; lines that are too long are cut off.

use std::io::{self, BufRead, BufReader, Read};

/// The longest line that is read, in bytes.
pub(super) const LONGEST: usize = 1024 * 1024;

/// The byte order mark that some programs write before the first line.
const MARK: &str = "\u{feff}";

/// The size of the buffer, in bytes: its lines are answered together.
const BUFFER: usize = 64 * 1024;

/// A line without its line end.
pub(super) enum ReadLine {
    Whole(Vec<u8>),
    /// The beginning of a line of more than [`LONGEST`] bytes.
    TooLong(Vec<u8>),
}

impl ReadLine {
    pub(super) fn text(&self) -> &[u8] {
        match self {
            Self::Whole(text) | Self::TooLong(text) => text,
        }
    }
}

/// The lines of a stream.
pub(super) struct Lines {
    reader: BufReader<Box<dyn Read>>,
    is_first: bool,
}

impl Lines {
    pub(super) fn new(stream: Box<dyn Read>) -> Self {
        Self {
            reader: BufReader::with_capacity(BUFFER, stream),
            is_first: true,
        }
    }

    /// The next line and those that have been read with it; none at the end.
    pub(super) fn batch(&mut self) -> io::Result<Vec<ReadLine>> {
        let mut batch = Vec::new();
        while batch.is_empty() || self.reader.buffer().contains(&b'\n') {
            match self.next()? {
                Some(line) => batch.push(line),
                None => break,
            }
        }
        Ok(batch)
    }

    fn next(&mut self) -> io::Result<Option<ReadLine>> {
        let mut line = Vec::new();
        let limit = LONGEST as u64 + 1;
        let read = self
            .reader
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        if std::mem::take(&mut self.is_first) && line.starts_with(MARK.as_bytes()) {
            line.drain(..MARK.len());
        }
        if line.last() != Some(&b'\n') && read > LONGEST {
            self.skip_rest()?;
            return Ok(Some(ReadLine::TooLong(line)));
        }
        for end in [b'\n', b'\r'] {
            if line.last() == Some(&end) {
                line.pop();
            }
        }
        Ok(Some(ReadLine::Whole(line)))
    }

    fn skip_rest(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(());
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(buffer.len(), |index| index + 1);
            self.reader.consume(used);
            if end.is_some() {
                return Ok(());
            }
        }
    }
}
