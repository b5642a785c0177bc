//! A client that asks at a steady rate, over connections that it keeps.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

/// The times of answers.
pub struct Latencies(Vec<Duration>);

impl Latencies {
    pub fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    pub fn joined(all: Vec<Self>) -> Self {
        Self::new(all.into_iter().flat_map(|times| times.0).collect())
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// So many in a hundred took no longer, in microseconds.
    pub fn percentile(&self, percent: f64) -> f64 {
        let at = (self.0.len() as f64 * percent / 100.0) as usize;
        let time = self.0.get(at.min(self.0.len().saturating_sub(1)));
        time.map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
    }

    pub fn told(&self) -> String {
        let (half, most) = (self.percentile(50.0), self.percentile(99.0));
        format!("{half:.0}, {most:.0}")
    }
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// The number of the revision that was asked, if it is one of a store.
    pub number: u64,
}

/// A connection that is kept.
pub struct Connection {
    stream: BufReader<TcpStream>,
    /// The greatest number of a revision that an answer had.
    pub known: u64,
    /// The requests so far.
    pub asked: u64,
}

impl Connection {
    pub fn to(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream: BufReader::new(stream),
            known: 0,
            asked: 0,
        }
    }

    /// Sends a request with further headers, each with its line end, and reads its answer.
    pub fn send(&mut self, path: &str, headers: &str, body: &str) -> io::Result<Answer> {
        self.asked += 1;
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        let (mut length, mut number) = (0, 0);
        self.stream.read_line(&mut line)?;
        let status = line
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let status = status.ok_or(io::ErrorKind::UnexpectedEof)?;
        while line != "\r\n" {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let Some((name, value)) = line.split_once(": ") else {
                continue;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap();
            } else if name.eq_ignore_ascii_case("tarbac-revision") {
                let named = value.trim().split_once(";number=");
                number = named.map_or(0, |(_, number)| number.parse().unwrap());
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        self.known = self.known.max(number);
        Ok(Answer { status, number })
    }

    /// Sends a request, and reads its answer, which has to be 200.
    fn ask(&mut self, path: &str, body: &str) {
        let answer = self.send(path, "", body).unwrap();
        assert_eq!(answer.status, 200, "{path}");
    }
}

/// What a browser gets.
#[derive(Debug, Clone)]
pub struct PageAnswer {
    pub status: u16,
    /// The bytes of the body as they were sent: compressed, where that is taken.
    pub bytes: usize,
    /// The body of an answer that was not compressed.
    pub text: String,
    pub time: Duration,
}

/// Gets a page as a browser does: the bytes are those of a compressed answer, and the text is asked for apart.
pub fn get(address: &str, path: &str) -> PageAnswer {
    let compressed = sent(address, "GET", path, "Accept-Encoding: zstd, br, gzip\r\n");
    let plain = match compressed.status {
        200 => sent(address, "GET", path, "").text,
        _ => compressed.text.clone(),
    };
    PageAnswer {
        text: plain,
        ..compressed
    }
}

/// Sends a request without a body.
pub fn send(address: &str, method: &str, path: &str) -> PageAnswer {
    sent(address, method, path, "")
}

fn sent(address: &str, method: &str, path: &str, headers: &str) -> PageAnswer {
    let began = Instant::now();
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let time = began.elapsed();
    let end = answer.windows(4).position(|of| of == b"\r\n\r\n").unwrap() + 4;
    let head = String::from_utf8_lossy(&answer[..end]);
    PageAnswer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        bytes: answer.len() - end,
        text: String::from_utf8_lossy(&answer[end..]).into_owned(),
        time,
    }
}

/// Asks once.
pub fn ask(address: &str, path: &str, body: &str) {
    Connection::to(address).ask(path, body);
}

/// Asks so often a second for so long, by turns with each of the bodies.
pub fn load(
    address: &str,
    path: &str,
    bodies: &[String],
    pace: (usize, u32),
    time: Duration,
) -> Latencies {
    let start = Instant::now();
    let ask = |connection: &mut Connection, body: &str| connection.ask(path, body);
    steadily(address, bodies, pace, &|| start.elapsed() <= time, &ask)
}

/// Asks so often a second, over so many connections, as long as it is to go on, by turns with each of the bodies. A
/// request that the one before it has delayed counts from when it was due.
pub fn steadily(
    address: &str,
    bodies: &[String],
    (connections, rate): (usize, u32),
    goes_on: &(dyn Fn() -> bool + Sync),
    ask: &(dyn Fn(&mut Connection, &str) + Sync),
) -> Latencies {
    let pause = Duration::from_secs(1) * u32::try_from(connections).unwrap() / rate;
    let run = |number: usize| {
        let mut connection = Connection::to(address);
        let mut times = Vec::new();
        let mut due = Instant::now();
        for body in bodies
            .iter()
            .cycle()
            .skip(number * bodies.len() / connections)
        {
            if !goes_on() {
                break;
            }
            thread::sleep(due.saturating_duration_since(Instant::now()));
            // The clock wakes later than it is asked to, which is no time of the server.
            let sent = Instant::now();
            let is_late = sent.duration_since(due) > pause;
            ask(&mut connection, body);
            times.push(if is_late { due } else { sent }.elapsed());
            due += pause;
        }
        times
    };
    let times = thread::scope(|scope| {
        let running: Vec<_> = (0..connections)
            .map(|number| scope.spawn(move || run(number)))
            .collect();
        let times = running
            .into_iter()
            .flat_map(|running| running.join().unwrap());
        times.collect()
    });
    Latencies::new(times)
}
