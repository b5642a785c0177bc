//! The splitter: files of entities cut into blocks of whole entities.

use std::io::Read;

/// The number of bytes that are read at a time.
const BLOCK: usize = 2 << 20;

/// The largest entity that is accepted, in bytes.
pub(crate) const LARGEST: usize = 16 << 20;

const NO_ARRAY: &str = "is not an array of entities";

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A part of a file, with the elements of the array that lie wholly within it.
pub(crate) struct Block {
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
    /// The offset of the first byte in the file.
    pub(crate) offset: u64,
    /// The spans of the elements in the bytes.
    pub(crate) spans: Vec<std::ops::Range<usize>>,
    /// The reason why the rest of the file is not read, if it is broken.
    pub(crate) fault: Option<Fault>,
}

/// The reason why a file was not read to its end.
pub(crate) struct Fault {
    /// The offset in the file.
    pub(crate) offset: u64,
    /// The problem, as a predicate after the name of the file.
    pub(crate) what: String,
    /// The help of the finding.
    pub(crate) help: Option<&'static str>,
}

/// The state of the scanner: the token that it expects, or its position within an element.
#[derive(Copy, Clone, Eq, PartialEq)]
enum State {
    /// The opening bracket of the array.
    Open,
    /// The first element, or the end of the array.
    First,
    /// An element.
    Element,
    /// In an object or array at this depth.
    Within(u32),
    /// In a string; the depth is that of the object or array around it.
    Quoted(u32),
    /// After a backslash in a string.
    Escaped(u32),
    /// In a number or a bare word in place of an entity.
    Bare,
    /// A comma, or the end of the array.
    Comma,
    /// White space until the end.
    Done,
}

struct Scanner {
    state: State,
    /// The start of the current element in the buffer.
    start: usize,
    spans: Vec<std::ops::Range<usize>>,
}

impl Scanner {
    /// Scans the bytes from `from` on. An error has the offset of the wrong byte and the problem.
    fn scan(&mut self, bytes: &[u8], from: usize) -> Result<(), (usize, &'static str)> {
        let mut at = from;
        // Most bytes are in strings, where only quotes and backslashes matter.
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            match self.state {
                State::Quoted(depth) => match memchr::memchr2(b'"', b'\\', rest) {
                    None => return Ok(()),
                    Some(found) => {
                        at += found + 1;
                        self.state = if rest.get(found) == Some(&b'"') {
                            self.closed(depth, at)
                        } else {
                            State::Escaped(depth)
                        };
                    }
                },
                State::Escaped(depth) => {
                    at += 1;
                    self.state = State::Quoted(depth);
                }
                State::Within(depth) => at += self.within(depth, rest, at),
                _ => {
                    let Some(&byte) = rest.first() else {
                        return Ok(());
                    };
                    self.between(byte, at)?;
                    at += 1;
                }
            }
        }
        Ok(())
    }

    /// Scans bytes of an element up to the next string or the end of the element; returns their number.
    fn within(&mut self, mut depth: u32, rest: &[u8], at: usize) -> usize {
        for (seen, &byte) in rest.iter().enumerate() {
            match byte {
                b'"' => {
                    self.state = State::Quoted(depth);
                    return seen + 1;
                }
                b'{' | b'[' => depth = depth.saturating_add(1),
                b'}' | b']' if depth <= 1 => {
                    self.state = self.closed(0, at + seen + 1);
                    return seen + 1;
                }
                b'}' | b']' => depth -= 1,
                _ => {}
            }
        }
        self.state = State::Within(depth);
        rest.len()
    }

    /// Scans a byte between elements or of a bare word.
    fn between(&mut self, byte: u8, at: usize) -> Result<(), (usize, &'static str)> {
        self.state = match (self.state, byte) {
            (State::Bare, b',' | b']' | b' ' | b'\t' | b'\r' | b'\n') => {
                self.spans.push(self.start..at);
                match byte {
                    b',' => State::Element,
                    b']' => State::Done,
                    _ => State::Comma,
                }
            }
            (State::Bare, _) => State::Bare,
            (state, b' ' | b'\t' | b'\r' | b'\n') => state,
            (State::Open, b'[') => State::First,
            (State::Open, _) => return Err((at, NO_ARRAY)),
            (State::First, b']') | (State::Comma, b']') => State::Done,
            (State::Comma, b',') => State::Element,
            (State::Comma, _) => return Err((at, "lacks a comma between two entities")),
            (State::Element, b']') => return Err((at, "has a comma after its last entity")),
            (State::Done, _) => return Err((at, "goes on after the end of its array")),
            (_, b',' | b'}' | b':') => return Err((at, "lacks an entity")),
            (_, byte) => {
                self.start = at;
                match byte {
                    b'{' | b'[' => State::Within(1),
                    b'"' => State::Quoted(0),
                    _ => State::Bare,
                }
            }
        };
        Ok(())
    }

    /// The state after the end of a string, object or array, at the depth of the value around it.
    fn closed(&mut self, depth: u32, end: usize) -> State {
        if depth > 0 {
            return State::Within(depth);
        }
        self.spans.push(self.start..end);
        State::Comma
    }

    fn in_element(&self) -> bool {
        matches!(
            self.state,
            State::Within(_) | State::Quoted(_) | State::Escaped(_) | State::Bare
        )
    }
}

/// Reads a file up to its end, or up to the first byte that is not part of an array, and passes its blocks on.
///
/// `hand_over` returns whether it wants another block.
pub(crate) fn scan(reader: &mut dyn Read, mut hand_over: impl FnMut(Block) -> bool) {
    let mut scanner = Scanner {
        state: State::Open,
        start: 0,
        spans: Vec::new(),
    };
    let mut bytes = Vec::new();
    let mut offset = 0;
    loop {
        let from = bytes.len();
        let mut fault = None;
        let read = match fill(reader, &mut bytes) {
            Ok(read) => read,
            Err(error) => {
                fault = Some((from, format!("cannot be read: {error}"), None));
                0
            }
        };
        let mut scan_from = from;
        if offset == 0 && from == 0 && bytes.starts_with(BYTE_ORDER_MARK) {
            scan_from = BYTE_ORDER_MARK.len();
        }
        if fault.is_none() {
            if let Err((at, what)) = scanner.scan(&bytes, scan_from) {
                fault = Some(described(at, what, &bytes));
            } else if read == 0 && scanner.state != State::Done {
                fault = Some(cut_off(&scanner, bytes.len()));
            } else if scanner.in_element() && bytes.len() - scanner.start > LARGEST {
                let what = format!("has an entity larger than {} MiB", LARGEST >> 20);
                let help = "look for a quotation mark or bracket that is never closed";
                fault = Some((scanner.start, what, Some(help)));
            }
        }
        let over = read == 0 || fault.is_some();
        if !over && scanner.spans.is_empty() && scanner.in_element() {
            continue;
        }
        // An unfinished element moves to the next block.
        let kept = match scanner.in_element() && !over {
            true => scanner.start,
            false => bytes.len(),
        };
        let rest = bytes.split_off(kept);
        let block = Block {
            bytes: std::mem::replace(&mut bytes, rest),
            offset,
            spans: std::mem::take(&mut scanner.spans),
            fault: fault.map(|(at, what, help)| Fault {
                offset: offset + at as u64,
                what,
                help,
            }),
        };
        offset += kept as u64;
        scanner.start = 0;
        if !hand_over(block) || over {
            return;
        }
    }
}

/// A problem that the scanner found, with its offset and a help.
fn described(at: usize, what: &str, bytes: &[u8]) -> (usize, String, Option<&'static str>) {
    match (what, bytes.first_chunk()) {
        (NO_ARRAY, Some([0xff, 0xfe] | [0xfe, 0xff])) => {
            (at, "is UTF-16".to_owned(), Some("save the file as UTF-8"))
        }
        (NO_ARRAY, _) => {
            let help = "write the entities as a JSON array, `[{\"uid\": …}, …]`";
            (at, what.to_owned(), Some(help))
        }
        _ => (at, what.to_owned(), None),
    }
}

fn cut_off(scanner: &Scanner, end: usize) -> (usize, String, Option<&'static str>) {
    let (at, what, help) = match scanner.state {
        State::Open => (0, "is empty", Some("write `[]` for no entities")),
        _ if scanner.in_element() => (scanner.start, "ends within an entity", None),
        _ => (end, "ends before its array does", None),
    };
    (at, what.to_owned(), help)
}

/// Appends a block to `bytes`, or the rest of the file if that is less.
fn fill(reader: &mut dyn Read, bytes: &mut Vec<u8>) -> std::io::Result<usize> {
    // Unused capacity costs nothing. Most files are much smaller.
    bytes.reserve(BLOCK);
    reader.take(BLOCK as u64).read_to_end(bytes)
}
