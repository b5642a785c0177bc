//! Microsoft Graph and the AdminService, as far as a collection asks them, answered from a folder of exports.
//!
//! Answers come in pages, refusals and faults as a test wants them. It is written on sockets, because a server that keeps
//! the rules of HTTP could not break them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Value, json};
use tarbac::exports::catalog::{EXPORTS, Export, ExportSource};

/// The records of a file: kept, or made when they are asked for.
pub enum Rows {
    Kept(Vec<Box<RawValue>>),
    Made(u64, fn(u64) -> String),
}

impl Rows {
    fn len(&self) -> u64 {
        match self {
            Self::Kept(rows) => rows.len() as u64,
            Self::Made(count, _) => *count,
        }
    }

    fn row(&self, number: u64) -> String {
        match self {
            Self::Kept(rows) => rows[number as usize].get().to_owned(),
            Self::Made(_, make) => make(number),
        }
    }
}

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A status, with the seconds to wait.
    Status(u16, Option<u64>),
    /// Half of the answer, with the length of the whole.
    Cut,
    /// Half of the answer in chunks.
    CutChunks,
    /// No answer.
    Closed,
    /// A page of somebody else.
    Html,
    /// An answer after so many milliseconds.
    Slow(u64),
    /// A status for the first request in a batch.
    Inside(u16),
}

/// What is wrong with the n-th request for a path, from 1.
type Faults = Box<dyn Fn(usize, &str) -> Option<Fault> + Send + Sync>;

/// What is served, and how.
pub struct Service {
    /// By the path of the file.
    files: BTreeMap<String, Rows>,
    /// Records of a page of Graph.
    pub page: u64,
    pub faults: Faults,
    /// Whether a token is one that is accepted.
    pub accepts: Box<dyn Fn(&str) -> bool + Send + Sync>,
    /// Whether the AdminService knows how to order.
    pub orders: bool,
    /// Instances of a page that the AdminService makes by itself.
    pub class_page: u64,
    /// The most instances that the AdminService gives of those that it is asked for.
    pub most: u64,
    /// After so many pages of classes, the first instance of each is gone.
    pub pages_with_first: usize,
    class_pages: AtomicUsize,
    /// The requests so far.
    pub requests: Mutex<Vec<String>>,
    count: AtomicUsize,
}

impl Service {
    pub fn new(folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        for entry in walkdir::WalkDir::new(folder)
            .into_iter()
            .map(Result::unwrap)
        {
            let path = entry.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap();
                let text = std::fs::read_to_string(path).unwrap();
                files.insert(name.to_owned(), Rows::Kept(rows(&text)));
            }
        }
        Self {
            files,
            page: 100,
            faults: Box::new(|_, _| None),
            accepts: Box::new(|token| token == "the-token"),
            orders: true,
            class_page: u64::MAX,
            most: u64::MAX,
            pages_with_first: usize::MAX,
            class_pages: AtomicUsize::new(0),
            requests: Mutex::default(),
            count: AtomicUsize::new(0),
        }
    }

    /// Serves records of a file.
    pub fn put(&mut self, file: &str, rows: Rows) {
        self.files.insert(file.to_owned(), rows);
    }

    /// Serves until the process ends; gives the address.
    pub fn start(self) -> (String, Arc<Self>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let service = Arc::new(self);
        let (shared, address) = (service.clone(), base.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (service, base) = (shared.clone(), address.clone());
                std::thread::spawn(move || service.connection(stream, &base));
            }
        });
        (base, service)
    }

    fn connection(&self, stream: TcpStream, base: &str) -> Option<()> {
        stream.set_nodelay(true).ok()?;
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut writer = stream;
        loop {
            let mut line = String::new();
            reader
                .read_line(&mut line)
                .ok()
                .filter(|count| *count > 0)?;
            let (mut length, mut token) = (0, String::new());
            loop {
                let mut header = String::new();
                reader.read_line(&mut header).ok()?;
                let Some((name, value)) = header.trim().split_once(':') else {
                    break;
                };
                match name.to_ascii_lowercase().as_str() {
                    "content-length" => length = value.trim().parse().ok()?,
                    "authorization" => token = value.trim().replace("Bearer ", ""),
                    _ => {}
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
            let target = line.split(' ').nth(1)?.to_owned();
            self.requests.lock().unwrap().push(target.clone());
            let number = self.count.fetch_add(1, Ordering::SeqCst) + 1;
            let fault = (self.faults)(number, &target);
            let (status, text) = match (self.accepts)(&token) {
                true => self.answer(&target, &body, base, fault),
                false => (401, error("InvalidAuthenticationToken", "it has expired")),
            };
            write(&mut writer, status, &text, fault)?;
        }
    }

    fn answer(&self, target: &str, body: &[u8], base: &str, fault: Option<Fault>) -> (u16, String) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query = decoded(query);
        let options: BTreeMap<&str, &str> = query
            .split('&')
            .filter_map(|option| option.split_once('='))
            .collect();
        if let Some(rest) = path
            .strip_prefix('/')
            .and_then(|path| path.split_once("/$batch"))
        {
            return (200, self.batch(rest.0, body, base, fault));
        }
        // Every hierarchy has a provider of its own: /P01/AdminService/wmi/SMS_Site
        if let Some((site, class)) = path.split_once("/AdminService/wmi/") {
            return self.class(
                site.trim_start_matches('/'),
                &decoded(class),
                &options,
                base,
            );
        }
        self.list(path, &options, base)
    }

    fn list(&self, path: &str, options: &BTreeMap<&str, &str>, base: &str) -> (u16, String) {
        let filter = options.get("$filter").and_then(|of| of.split('\'').nth(1));
        let Some((export, id)) = EXPORTS
            .iter()
            .find_map(|export| called(export, path, filter))
        else {
            return (404, error("NotFound", "no such call"));
        };
        let file = export.file.replace("<id>", &id);
        let Some(rows) = self.files.get(&file) else {
            return match export.is_optional {
                true => (400, error("BadRequest", "not for this tenant")),
                false => (404, error("Request_ResourceNotFound", "it does not exist")),
            };
        };
        if export.file == "graph/tenantAttachRBAC.json" {
            return (200, rows.row(0));
        }
        let from = options
            .get("$skiptoken")
            .map_or(0, |from| from.parse().unwrap());
        let to = rows.len().min(from + self.page);
        let next = (to < rows.len()).then(|| {
            let filter = filter.map_or(String::new(), |id| {
                format!("&$filter=groupId%20eq%20%27{id}%27")
            });
            format!(",\"@odata.nextLink\":\"{base}{path}?$skiptoken={to}{filter}\"")
        });
        let records: Vec<String> = (from..to).map(|number| rows.row(number)).collect();
        let next = next.unwrap_or_default();
        (
            200,
            format!(
                "{{\"@odata.context\":\"{base}\"{next},\"value\":[{}]}}",
                records.join(",")
            ),
        )
    }

    fn batch(&self, version: &str, body: &[u8], base: &str, fault: Option<Fault>) -> String {
        let body: Value = serde_json::from_slice(body).unwrap();
        let requests = body["requests"].as_array().unwrap();
        assert!(requests.len() <= 20);
        let mut answers: Vec<Value> = Vec::new();
        for (number, request) in requests.iter().enumerate() {
            let target = format!("/{version}{}", request["url"].as_str().unwrap());
            let (status, text) = match fault {
                Some(Fault::Inside(status)) if number == 0 => (status, error("Later", "later")),
                _ => self.answer(&target, b"", base, None),
            };
            let body: Value = serde_json::from_str(&text).unwrap();
            answers.push(json!({"id": request["id"], "status": status, "headers": {"Retry-After": "1"}, "body": body}));
        }
        // Answers are in no order.
        answers.reverse();
        json!({"responses": answers}).to_string()
    }

    fn class(
        &self,
        site: &str,
        called: &str,
        options: &BTreeMap<&str, &str>,
        base: &str,
    ) -> (u16, String) {
        let (class, key) = called.split_once('(').unwrap_or((called, ""));
        let key = key.trim_end_matches(')').trim_matches('\'');
        let file = format!("configmgr/{site}/{class}.json");
        let Some(rows) = self.files.get(&file) else {
            return match class == "SMS_Site" {
                true => (200, "{\"value\":[]}".to_owned()),
                false => (404, error("NotFound", class)),
            };
        };
        let number = |name: &str| options.get(name).map_or(0, |of| of.parse().unwrap());
        let mut next = String::new();
        let mut page = |from: u64, to: u64| {
            let end = to.min(from.saturating_add(self.class_page));
            if end < to {
                next = format!(
                    "\"@odata.nextLink\":\"{base}/{site}/AdminService/wmi/{class}?$skiptoken={end}\","
                );
            }
            (from..end).map(|number| rows.row(number)).collect()
        };
        let records: Vec<String> = match (key, options.get("$top")) {
            ("", None) => page(number("$skiptoken"), rows.len()),
            ("", Some(top)) if self.orders => {
                let pages = self.class_pages.fetch_add(1, Ordering::Relaxed);
                let gone = u64::from(pages >= self.pages_with_first);
                let from = number("$skip") + gone;
                let size = top.parse::<u64>().unwrap().min(self.most);
                page(from.min(rows.len()), rows.len().min(from + size))
            }
            ("", Some(_)) => return (400, error("", "$orderby is not supported")),
            (key, _) => {
                let is_it = |row: &String| {
                    let row: Value = serde_json::from_str(row).unwrap();
                    let of = row.get("AdminID").or(row.get("RoleID")).unwrap();
                    of.as_str().map_or_else(|| of.to_string(), str::to_owned) == key
                };
                (0..rows.len())
                    .map(|number| rows.row(number))
                    .filter(is_it)
                    .collect()
            }
        };
        (
            200,
            format!(
                "{{\"@odata.context\":\"x\",{next}\"value\":[{}]}}",
                records.join(",")
            ),
        )
    }
}

/// The export and the object that a path of Graph asks for.
fn called<'e>(
    export: &'e Export,
    path: &str,
    filter: Option<&str>,
) -> Option<(&'e Export, String)> {
    let ExportSource::Graph(call) = export.source else {
        return None;
    };
    let pattern = format!("/{}/{}", call.version, call.path);
    match pattern.split_once("<id>") {
        None => (pattern == path).then(|| (export, filter.unwrap_or_default().to_owned())),
        Some((before, after)) => {
            let id = path.strip_prefix(before)?.strip_suffix(after)?;
            Some((export, id.to_owned()))
        }
    }
}

/// The records of a page, as they are written.
fn rows(text: &str) -> Vec<Box<RawValue>> {
    #[derive(serde::Deserialize)]
    struct Page {
        value: Vec<Box<RawValue>>,
    }
    let text = text.trim_start_matches('\u{feff}');
    if let Ok(page) = serde_json::from_str::<Page>(text) {
        return page.value;
    }
    serde_json::from_str(text).unwrap_or_else(|_| vec![serde_json::from_str(text.trim()).unwrap()])
}

fn decoded(text: &str) -> String {
    text.replace("%20", " ").replace("%27", "'")
}

fn error(code: &str, message: &str) -> String {
    json!({"error": {"code": code, "message": message}}).to_string()
}

/// Writes an answer, or what a fault leaves of it; `None` where the connection is at its end.
fn write(stream: &mut TcpStream, status: u16, text: &str, fault: Option<Fault>) -> Option<()> {
    let head = |status: u16, more: &str| {
        format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{more}\r\n")
    };
    let half = &text[..text.len() / 2];
    let whole = |status: u16, more: &str, text: &str| {
        head(status, &format!("{more}Content-Length: {}\r\n", text.len())) + text
    };
    let (answer, goes_on) = match fault {
        None | Some(Fault::Inside(_)) => (whole(status, "", text), true),
        Some(Fault::Slow(time)) => {
            std::thread::sleep(Duration::from_millis(time));
            (whole(status, "", text), true)
        }
        Some(Fault::Status(status, wait)) => {
            let wait = wait.map(|wait| format!("Retry-After: {wait}\r\n"));
            let text = error("TooManyRequests", "slower");
            (whole(status, &wait.unwrap_or_default(), &text), true)
        }
        Some(Fault::Html) => (whole(200, "", "<html>Sign in to the network</html>"), true),
        Some(Fault::Cut) => {
            let length = format!("Content-Length: {}\r\n", text.len());
            (head(status, &length) + half, false)
        }
        Some(Fault::CutChunks) => {
            let chunk = format!("{:x}\r\n{half}\r\n", half.len());
            (
                head(status, "Transfer-Encoding: chunked\r\n") + &chunk,
                false,
            )
        }
        Some(Fault::Closed) => return None,
    };
    stream.write_all(answer.as_bytes()).ok()?;
    goes_on.then_some(())
}
