//! Windows-integrated sign-in, at an acceptor of NTLM that others wrote.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use tarbac::collect::{CollectSettings, Secret, SiteSignIn, WindowsAccount};

use super::service::{Fault, Service};
use super::{collected, declare, exports, imported, serve, settings};
use crate::installed::{on_path, or_left_out, python};
use crate::tarbac::Tarbac;

const ACCOUNT: &str = r"CONTOSO\collect";

/// A password with what a shell or a configuration of curl could misread.
const PASSWORD: &str = "p\"a\\s's w#$rd\\";

/// An acceptor before a service.
struct Acceptor {
    child: Child,
    output: BufReader<ChildStdout>,
    port: String,
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Acceptor {
    /// An acceptor before a service with this address, with further arguments.
    fn before(base: &str, more: &[&str]) -> Option<Self> {
        let test = "Windows-integrated sign-in";
        or_left_out(on_path("curl"), "curl", test)?;
        let python = python("spnego", test)?;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/collect/acceptor.py");
        let (domain, name) = ACCOUNT.split_once('\\').unwrap();
        let mut child = Command::new(python)
            .args([script, base, domain, name, PASSWORD])
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut port).unwrap();
        let port = port.trim().to_owned();
        Some(Self {
            child,
            output,
            port,
        })
    }

    /// How many sign-ins it has refused.
    fn refusals(mut self) -> usize {
        self.child.kill().unwrap();
        let mut told = String::new();
        self.output.read_to_string(&mut told).unwrap();
        told.lines().count()
    }
}

/// A service that is asked through an acceptor, with a password.
fn signing_in(
    service: Service,
    out: &std::path::Path,
    password: &str,
) -> Option<(Acceptor, CollectSettings)> {
    signing_in_at(service, out, password, &[])
}

/// The same with further arguments for the acceptor.
fn signing_in_at(
    service: Service,
    out: &std::path::Path,
    password: &str,
    more: &[&str],
) -> Option<(Acceptor, CollectSettings)> {
    let (base, _) = service.start();
    let acceptor = Acceptor::before(&base, more)?;
    let mut settings = settings(&base, &["FAB"], out);
    settings.sites[0].url = format!("http://127.0.0.1:{}/FAB", acceptor.port);
    settings.sites[0].sign_in = SiteSignIn::Windows(WindowsAccount::Named {
        name: ACCOUNT.to_owned(),
        password: Secret::password(password),
    });
    Some((acceptor, settings))
}

#[test]
fn a_site_is_collected_with_a_windows_account() {
    let folder = tempfile::tempdir().unwrap();
    declare(&exports("fabrikam"), folder.path());
    let Some((_acceptor, settings)) = signing_in(serve("fabrikam"), folder.path(), PASSWORD) else {
        return;
    };
    collected(&settings).unwrap();
    assert!(imported(folder.path()) == imported(&exports("fabrikam")));
}

/// Whatever goes wrong with a request for a class, nothing is lost.
#[test]
fn a_fault_behind_the_sign_in_is_survived() {
    let whole = imported(&exports("fabrikam"));
    for (fault, wait) in [
        (Fault::Status(503, Some(7)), 7),
        (Fault::Status(500, None), 0),
        (Fault::Cut, 0),
        (Fault::CutChunks, 0),
        (Fault::Closed, 0),
        (Fault::Html, 0),
    ] {
        let mut service = serve("fabrikam");
        service.faults = Box::new(move |number, target| {
            (target.contains("AdminService") && number % 3 == 1).then_some(fault)
        });
        let folder = tempfile::tempdir().unwrap();
        declare(&exports("fabrikam"), folder.path());
        let Some((_acceptor, mut settings)) = signing_in(service, folder.path(), PASSWORD) else {
            return;
        };
        // Each request that is made again is the next.
        settings.jobs = 1;
        let waits = Arc::<std::sync::Mutex<Vec<u64>>>::default();
        let kept = waits.clone();
        settings.waits.pause = Arc::new(move |time| kept.lock().unwrap().push(time.as_secs()));
        let collected = collected(&settings).unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert!(imported(folder.path()) == whole, "{fault:?}");
        let sites = collected.calls.iter();
        let sites = sites.filter(|call| call.export.starts_with("configmgr/"));
        let retries: u64 = sites.map(|call| call.retries).sum();
        // A connection that is closed without a word is made again by curl itself.
        assert!(retries > 0 || matches!(fault, Fault::Closed), "{fault:?}");
        let waited: u64 = waits.lock().unwrap().iter().sum();
        assert!(waited >= wait, "{fault:?}: {waited}");
    }
}

/// It is tried once, however many requests are made at once: a domain locks an account after some tries.
#[test]
fn a_wrong_password_is_not_accepted() {
    // A site that is busy at first has not looked at the account.
    for more in [&[][..], &["--busy"]] {
        let folder = tempfile::tempdir().unwrap();
        let service = serve("fabrikam");
        let Some((acceptor, settings)) = signing_in_at(service, folder.path(), "another", more)
        else {
            return;
        };
        let error = collected(&settings).unwrap_err().to_string();
        assert!(
            error.contains("does not accept the Windows account"),
            "{error}"
        );
        assert!(!error.contains("another"), "{error}");
        assert_eq!(acceptor.refusals(), 1, "{more:?}");
    }
}

/// The NTLM of curl would send something else, and an account is locked after some tries.
#[cfg(not(windows))]
#[test]
fn a_password_that_ntlm_cannot_take_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let Some((_acceptor, settings)) = signing_in(serve("fabrikam"), folder.path(), "pässword")
    else {
        return;
    };
    let error = collected(&settings).unwrap_err().to_string();
    assert!(error.contains("kinit"), "{error}");
}

/// The program, over TLS with an authority of one's own.
#[test]
fn the_program_takes_the_account_and_the_authority_from_files() {
    let (base, _) = serve("fabrikam").start();
    let tarbac = Tarbac::with(&[("token", "the-token")]);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    tarbac.write("ca.pem", params.self_signed(&key).unwrap().pem());
    tarbac.write("key.pem", key.serialize_pem());
    tarbac.write("password", format!("{PASSWORD}\n"));
    let (certificate, key) = (tarbac.path("ca.pem"), tarbac.path("key.pem"));
    let tls = [certificate.to_str().unwrap(), key.to_str().unwrap()];
    let Some(acceptor) = Acceptor::before(&base, &tls) else {
        return;
    };
    let site = format!("FAB=https://localhost:{}/FAB", acceptor.port);
    let run = |more: &[&str]| {
        let mut arguments = vec!["collect", "--no-graph", "--configmgr", &site, "--out"];
        arguments.extend(["exports", "--configmgr-user", ACCOUNT]);
        arguments.extend(more);
        tarbac.run(&arguments)
    };
    let from = ["--configmgr-password-file", "password"];
    let ran = run(&[&from[..], &["--ca", "ca.pem"]].concat());
    assert_eq!(ran.status, 0, "{ran}");
    assert!(tarbac.path("exports/collected.json").is_file());
    // Who is not trusted gets no password, and is not asked again.
    let ran = run(&from);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("certificate"), "{ran}");
    assert!(ran.stderr.contains("asked 1 times"), "{ran}");
    let ran = run(&[]);
    assert!(ran.stderr.contains("--configmgr-password-file"), "{ran}");
}

/// Without curl it is said what is needed.
#[test]
fn curl_is_needed() {
    let tarbac = Tarbac::with(&[]);
    let mut command = crate::tarbac::command(&tarbac.path(""));
    command.args(["collect", "--no-graph", "--out", "exports"]);
    command.args(["--configmgr", "P01=https://localhost:1"]);
    let ran = command.env("PATH", "").output().unwrap();
    let told = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(2), "{told}");
    assert!(told.contains("curl, which signs in"), "{told}");
}
