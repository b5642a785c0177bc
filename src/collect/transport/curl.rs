//! Windows-integrated sign-in, by the program curl.
//!
//! curl has Negotiate and NTLM from the operating system: SSPI on Windows, of which it is a part, and GSSAPI elsewhere.
//! So the account that runs tarbac signs in without a password. A library that is linked in would make everybody who
//! builds tarbac install the development files of Kerberos.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

use super::{Answer, Request, Transport, Unanswered};
use crate::fault::CollectError;
use crate::secret::Secret;
use crate::settings::{Waits, WindowsAccount};
use crate::token::SignInError;

/// The status of an answer to an account that is not accepted.
const UNAUTHORIZED: u16 = 401;

/// The name of the file with the certificate authorities.
const AUTHORITIES: &str = "authorities.pem";

/// The most bytes of the headers of an answer.
const LARGEST_HEAD: u64 = 64 * 1024;

/// The exit codes of curl that repeating the request does not change: the program or an option is not as expected
/// (1 to 4, 48), the address is malformed, a certificate is not trusted (58, 60, 77, 83, 90, 91), or signing in is
/// not possible (94). Source: curl's manual page, exit codes.
const LASTING: [i32; 13] = [1, 2, 3, 4, 43, 48, 58, 60, 77, 83, 90, 91, 94];

/// A client that signs in with a Windows account.
pub(crate) struct Curl {
    /// The options of every request, as a configuration file of curl has them.
    options: String,
    /// A folder with the certificate authorities, which curl takes from a file.
    _authorities: Option<TempDir>,
    /// Whether the account has been accepted; `None` before the first answer that tells.
    is_accepted: Mutex<Option<bool>>,
}

impl Curl {
    /// A client for a service.
    ///
    /// # Errors
    /// The name of the account is malformed, or the file of authorities cannot be written.
    pub(crate) fn new(
        base: &str,
        account: &WindowsAccount,
        authorities: Option<&[u8]>,
        waits: &Waits,
    ) -> Result<Self, CollectError> {
        let mut options = String::from("silent\nshow-error\ninclude\ngloboff\nhttp1.1\n");
        let scheme = base.split(':').next().unwrap_or(base);
        option(&mut options, "proto", &format!("={scheme}"));
        // The AdminService is not behind a proxy. Source: Microsoft's page on setting it up.
        option(&mut options, "noproxy", "*");
        option(&mut options, "header", "Accept: application/json");
        let seconds = waits.silence.as_secs().to_string();
        option(&mut options, "connect-timeout", &seconds);
        // Until the first bytes a site may take long, and curl knows one limit of silence.
        option(&mut options, "speed-limit", "1");
        let seconds = waits.answer.as_secs().to_string();
        option(&mut options, "speed-time", &seconds);
        match account {
            WindowsAccount::Current => {
                options.push_str("negotiate\n");
                option(&mut options, "user", ":");
            }
            WindowsAccount::Named { name, password } => {
                if name.contains(':') {
                    let why = format!("`{name}` is no name of a Windows account");
                    return Err(SignInError(why).into());
                }
                let both = format!("{name}:{}", password.reveal());
                // Outside Windows, Negotiate takes a ticket and no password, and the NTLM of curl knows ASCII alone.
                if !cfg!(windows) && !both.is_ascii() {
                    let why = "outside Windows, a name or password with other characters than those of ASCII takes a \
                               Kerberos ticket: run `kinit`, and give no account";
                    return Err(SignInError(why.to_owned()).into());
                }
                options.push_str(if cfg!(windows) {
                    "negotiate\nntlm\n"
                } else {
                    "ntlm\n"
                });
                option(&mut options, "user", &both);
            }
        }
        let authorities = authorities.map(kept).transpose();
        let authorities = authorities.map_err(|error| {
            CollectError::Internal(format!("cannot keep the file of authorities: {error}"))
        })?;
        if let Some(folder) = &authorities {
            let file = folder.path().join(AUTHORITIES);
            option(&mut options, "cacert", &file.display().to_string());
            // Instead of the folder with those of the machine, which would count as well.
            option(&mut options, "capath", &folder.path().display().to_string());
        }
        Ok(Self {
            options,
            _authorities: authorities,
            is_accepted: Mutex::new(None),
        })
    }

    fn ask(&self, url: &str, request: Request<'_>) -> Result<Answer, Unanswered> {
        let mut running = self.run(url, request).map_err(|error| Unanswered {
            reason: format!("curl, which signs in with Windows accounts, cannot be run: {error}"),
            is_lasting: true,
        })?;
        match running.head() {
            Ok(Some((status, retry_after))) => Ok(Answer {
                status,
                retry_after,
                body: Box::new(running),
            }),
            Ok(None) => Err(running.failure()),
            Err(error) => Err(Unanswered {
                reason: error.to_string(),
                is_lasting: error.kind() == io::ErrorKind::InvalidData,
            }),
        }
    }

    fn run(&self, url: &str, request: Request<'_>) -> io::Result<Running> {
        let mut child = Command::new("curl")
            // A configuration of the person that runs it does not count. This option has to be the first.
            .arg("--disable")
            // Arguments are seen by everybody on the machine, and one of the options is a password.
            .args(["--config", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut options = self.options.clone();
        option(&mut options, "url", url);
        if let Request::Post(body) = request {
            option(&mut options, "header", "Content-Type: application/json");
            option(&mut options, "data-raw", body);
        }
        if let Some(mut input) = child.stdin.take() {
            // Where curl has ended already, it says why.
            let _: io::Result<()> = input.write_all(options.as_bytes());
        }
        let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Running {
            child,
            output: BufReader::new(output),
        })
    }
}

impl Transport for Curl {
    fn send(
        &self,
        url: &str,
        request: Request<'_>,
        _token: Option<&Secret>,
    ) -> Result<Answer, Unanswered> {
        let mut is_accepted = self
            .is_accepted
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match *is_accepted {
            Some(true) => {
                drop(is_accepted);
                self.ask(url, request)
            }
            // Some more tries, and the domain locks the account.
            Some(false) => Ok(Answer {
                status: UNAUTHORIZED,
                retry_after: None,
                body: Box::new(io::empty()),
            }),
            None => {
                let answer = self.ask(url, request)?;
                *is_accepted = match answer.status {
                    UNAUTHORIZED => Some(false),
                    // A service that is busy or broken may not have looked at the account.
                    408 | 429 | 500.. => None,
                    _ => Some(true),
                };
                Ok(answer)
            }
        }
    }

    fn credential(&self) -> &'static str {
        "the Windows account"
    }
}

/// A curl at work. Its output is the heads of all answers, of which the last has a body.
struct Running {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Running {
    /// The status of the last answer and its header `Retry-After`; `None` if there is no answer.
    fn head(&mut self) -> io::Result<Option<(u16, Option<String>)>> {
        let mut last = None;
        while self.output.fill_buf()?.starts_with(b"HTTP/") {
            let mut text = Vec::new();
            let mut lines = self.output.by_ref().take(LARGEST_HEAD);
            while lines.read_until(b'\n', &mut text)? > 0 && !text.ends_with(b"\r\n\r\n") {}
            let mut headers = [httparse::EMPTY_HEADER; 100];
            let mut head = httparse::Response::new(&mut headers);
            let malformed = |error| io::Error::new(io::ErrorKind::InvalidData, error);
            head.parse(&text).map_err(malformed)?;
            let retry_after = head
                .headers
                .iter()
                .find(|header| header.name.eq_ignore_ascii_case("retry-after"));
            let retry_after = retry_after.map(|of| String::from_utf8_lossy(of.value).into_owned());
            last = head.code.map(|status| (status, retry_after));
            // Only the answers by which curl signs in, and those that announce another, have one after them.
            if !matches!(head.code, Some(100..=199 | 401)) {
                return Ok(last);
            }
        }
        // If that was all, it is the answer only if curl did not wait for another.
        let is_all = self.output.fill_buf()?.is_empty();
        Ok(last.filter(|_| !is_all || self.child.wait().is_ok_and(|status| status.success())))
    }

    /// The reason why curl ended, other than by success.
    fn failure(&mut self) -> Unanswered {
        let mut told = String::new();
        if let Some(stderr) = &mut self.child.stderr {
            // A message that is cut off is shown as well.
            let _: io::Result<usize> = stderr.take(LARGEST_HEAD).read_to_string(&mut told);
        }
        let code = self.child.wait().ok().and_then(|status| status.code());
        Unanswered {
            reason: match told.trim() {
                "" => format!("curl ended with {code:?}"),
                told => told.to_owned(),
            },
            is_lasting: code.is_some_and(|code| LASTING.contains(&code)),
        }
    }
}

impl Read for Running {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.output.read(buffer)?;
        if read == 0 && !buffer.is_empty() && !self.child.wait()?.success() {
            // The answer is cut off.
            return Err(io::Error::other(self.failure().reason));
        }
        Ok(read)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, unless the answer was not read to its end.
        let _: io::Result<()> = self.child.kill();
        let _: io::Result<_> = self.child.wait();
    }
}

/// Adds an option to a configuration of curl, quoted as curl's manual page says.
fn option(options: &mut String, name: &str, value: &str) {
    let mut quoted = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            _ => quoted.push(letter),
        }
    }
    // Writing to a string does not fail.
    let _: std::fmt::Result = writeln!(options, "{name} = \"{quoted}\"");
}

/// A folder with a file of these authorities, for as long as it is held.
fn kept(authorities: &[u8]) -> io::Result<TempDir> {
    let folder = TempDir::new()?;
    let mut file = File::create(folder.path().join(AUTHORITIES))?;
    file.write_all(authorities)?;
    Ok(folder)
}
