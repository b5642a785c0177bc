//! The program, where something else on the machine says who asks: stand-ins of the Azure CLI, of the identity of a
//! machine and of a workload, of another cloud, and of a site with a certificate of its own authority.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Output;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::service::Service;
use super::sign_in::{entra, secure};
use super::{exports, serve};
use crate::serve::decision_log::wait;
use crate::tarbac::{Tarbac, command};

/// The application that signs in.
const CLIENT: &str = "00000000-0000-4000-8000-000000000001";

/// Collects what Graph has by the program, in an environment.
fn collect(tarbac: &Tarbac, base: &str, more: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = command(&tarbac.path(""));
    command.args(["collect", "--out", "exports", "--graph", base]);
    command.args(more).envs(environment.iter().copied());
    command.output().unwrap()
}

/// Whether the exports of Graph are there.
fn came(tarbac: &Tarbac, ran: &Output) {
    let told = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(0), "{told}");
    assert!(tarbac.path("exports/collected.json").is_file());
    assert!(!told.contains("the-token"), "{told}");
}

/// A program called `az` that writes down what it is asked, and prints what the Azure CLI prints.
#[cfg(unix)]
fn azure_cli(tarbac: &Tarbac, prints: &str, status: i32) -> String {
    use std::os::unix::fs::PermissionsExt;
    let asked = tarbac.path("asked");
    let asked = asked.display();
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> '{asked}'\ncat <<'END'\n{prints}\nEND\n[ {status} = 0 ] || echo 'Please run az login' >&2\nexit {status}\n"
    );
    tarbac.write("bin/az", script);
    let path = tarbac.path("bin/az");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:/usr/bin:/bin", tarbac.path("bin").display())
}

#[cfg(unix)]
#[test]
fn whoever_has_signed_in_to_the_azure_cli_asks() {
    let (base, _) = serve("fabrikam").start();
    let tarbac = Tarbac::with(&[]);
    let printed =
        json!({"accessToken": "the-token", "expires_on": 4_102_444_800_i64, "tokenType": "Bearer"});
    let path = azure_cli(&tarbac, &printed.to_string(), 0);
    let sign_in = ["--sign-in", "azure-cli", "--tenant-id", "contoso.example"];
    let ran = collect(&tarbac, &base, &sign_in, &[("PATH", &path)]);
    came(&tarbac, &ran);
    let asked = tarbac.read("asked");
    let first = asked.lines().next().unwrap();
    assert_eq!(
        first,
        "account get-access-token -o json --scope https://graph.microsoft.com/.default --tenant contoso.example"
    );
    // Where nobody has signed in, it is told as the Azure CLI tells it.
    let path = azure_cli(&tarbac, "", 1);
    let ran = collect(&tarbac, &base, &sign_in, &[("PATH", &path)]);
    let told = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(2), "{told}");
    assert!(told.contains("Please run az login"), "{told}");
}

/// The service that gives tokens to a machine in Azure, which writes down what it is asked.
fn machine() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/token", listener.local_addr().unwrap());
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let seen = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let mut head = String::new();
            while reader.read_line(&mut head).unwrap_or_default() > 2 {}
            seen.lock().unwrap().push(head);
            let body = json!({
                "access_token": "the-token", "expires_on": "4102444800", "token_type": "Bearer",
                "resource": "https://graph.microsoft.us",
            });
            let body = body.to_string();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            reader.get_mut().write_all(answer.as_bytes()).ok();
        }
    });
    (address, asked)
}

/// The identity of the machine asks, in a cloud of its own, and is one of several.
#[test]
fn the_identity_of_a_machine_asks() {
    let (base, _) = serve("fabrikam").start();
    let tarbac = Tarbac::with(&[]);
    let (endpoint, asked) = machine();
    let sign_in = ["--sign-in", "managed-identity", "--client-id", CLIENT];
    let sign_in = [&sign_in[..], &["--cloud", "us-gov"]].concat();
    let environment = [
        ("IDENTITY_ENDPOINT", endpoint.as_str()),
        ("IDENTITY_HEADER", "a-word"),
    ];
    let ran = collect(&tarbac, &base, &sign_in, &environment);
    came(&tarbac, &ran);
    assert!(!String::from_utf8_lossy(&ran.stderr).contains("a-word"));
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 1, "{asked:?}");
    let head = asked[0].to_ascii_lowercase();
    assert!(
        head.contains("resource=https%3a%2f%2fgraph.microsoft.us"),
        "{head}"
    );
    assert!(head.contains(&format!("client_id={CLIENT}")), "{head}");
    assert!(head.contains("\r\nx-identity-header: a-word\r\n"), "{head}");
}

/// A workload has its token in a file, and the certificate of where it signs in among those of the machine.
#[cfg(target_os = "linux")]
#[test]
fn the_identity_of_a_workload_asks() {
    let (base, _) = serve("fabrikam").start();
    let tarbac = Tarbac::with(&[("federated", "of-the-workload")]);
    let (login, authority, forms) = entra(|_, _| {
        let answer =
            json!({"token_type": "Bearer", "expires_in": 3600, "access_token": "the-token"});
        (200, answer)
    });
    tarbac.write("authority.pem", authority);
    let (federated, authority) = (tarbac.path("federated"), tarbac.path("authority.pem"));
    let environment = [
        ("AZURE_FEDERATED_TOKEN_FILE", federated.to_str().unwrap()),
        ("AZURE_CLIENT_ID", CLIENT),
        ("AZURE_TENANT_ID", "contoso.example"),
        ("SSL_CERT_FILE", authority.to_str().unwrap()),
    ];
    let sign_in = ["--sign-in", "workload-identity", "--login", &login];
    let ran = collect(&tarbac, &base, &sign_in, &environment);
    came(&tarbac, &ran);
    let forms = forms.lock().unwrap();
    assert_eq!(forms[0].0, "/contoso.example/oauth2/v2.0/token");
    assert!(
        forms[0].1.contains("client_assertion=of-the-workload"),
        "{}",
        forms[0].1
    );
    assert!(
        forms[0].1.contains(&format!("client_id={CLIENT}")),
        "{}",
        forms[0].1
    );
    // Without the file, the variable that is lacking is told.
    let ran = collect(&tarbac, &base, &sign_in, &environment[1..]);
    let told = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(2), "{told}");
    assert!(told.contains("token file"), "{told}");
}

/// Each cloud has a Graph of its own, which the token is for.
#[cfg(unix)]
#[test]
fn a_token_is_for_the_graph_of_the_cloud() {
    let (base, _) = serve("fabrikam").start();
    for (cloud, graph) in [
        ("global", "https://graph.microsoft.com"),
        ("us-gov", "https://graph.microsoft.us"),
        ("us-gov-dod", "https://dod-graph.microsoft.us"),
        ("china", "https://microsoftgraph.chinacloudapi.cn"),
    ] {
        let tarbac = Tarbac::with(&[]);
        let printed = json!({"accessToken": "the-token", "expires_on": 4_102_444_800_i64, "tokenType": "Bearer"});
        let path = azure_cli(&tarbac, &printed.to_string(), 0);
        let sign_in = ["--sign-in", "azure-cli", "--cloud", cloud];
        let ran = collect(&tarbac, &base, &sign_in, &[("PATH", &path)]);
        came(&tarbac, &ran);
        let scope = format!("--scope {graph}/.default");
        assert!(tarbac.read("asked").contains(&scope), "{cloud}");
    }
}

/// Carries a request over TLS to a service that speaks without, and its answer back.
fn before(base: &str) -> (String, String) {
    let address = base.trim_start_matches("http://").to_owned();
    secure(move |head, body| {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut reader = BufReader::new(stream);
        let (mut answer, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                answer.push_str("Connection: close\r\n\r\n");
                break;
            }
            answer.push_str(&line);
        }
        let mut content = vec![0; length];
        reader.read_exact(&mut content).unwrap();
        [answer.into_bytes(), content].concat()
    })
}

/// A site with a certificate of one's own authority is trusted with `--ca`, and not without.
#[test]
fn a_site_has_a_certificate_of_its_own_authority() {
    let (base, _) = Service::new(&exports("fabrikam")).start();
    let (front, authority) = before(&base);
    let tarbac = Tarbac::with(&[("token", "the-token")]);
    tarbac.write("authority.pem", authority);
    let site = format!("FAB={front}/FAB");
    let asked = [
        "--no-graph",
        "--configmgr",
        &site,
        "--configmgr-token-command",
        "cat token",
    ];
    let ran = collect(&tarbac, &base, &asked, &[]);
    let told = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(2), "{told}");
    assert!(told.contains("certificate"), "{told}");
    let trusting = [&asked[..], &["--ca", "authority.pem"]].concat();
    let ran = collect(&tarbac, &base, &trusting, &[]);
    came(&tarbac, &ran);
    let account: Value = serde_json::from_str(&tarbac.read("exports/collected.json")).unwrap();
    let calls = account["calls"].as_array().unwrap();
    assert!(
        calls.iter().any(|call| call["rows"].as_u64() > Some(0)),
        "{account}"
    );
    // A file without a certificate is refused.
    tarbac.write("authority.pem", "nothing");
    let ran = collect(&tarbac, &base, &trusting, &[]);
    assert_eq!(ran.status.code(), Some(2));
}

/// Collections go on: each becomes a workspace, and one that fails leaves the last.
#[test]
fn a_workspace_is_kept_fresh() {
    let mut service = Service::new(&exports("fabrikam"));
    let is_away = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let away = is_away.clone();
    service.accepts = Box::new(move |token| {
        token == "the-token" && !away.load(std::sync::atomic::Ordering::SeqCst)
    });
    let (base, service) = service.start();
    let tarbac = Tarbac::with(&[("token", "the-token")]);
    let (site, declared) = (format!("FAB={base}/FAB"), exports("fabrikam"));
    let mut command = command(&tarbac.path(""));
    command.args(["collect", "--out", "exports", "--graph", &base]);
    command.args(["--token-command", "cat token", "--configmgr", &site]);
    command.args(["--configmgr-token-command", "cat token", "--tenant"]);
    command.arg(declared.join("tenant.json")).arg("--devices");
    command.arg(declared.join("devices.csv"));
    command.args(["--every", "100ms", "--import", "workspace"]);
    command
        .stdout(std::process::Stdio::null())
        .stderr(std::fs::File::create(tarbac.path("told")).unwrap());
    let mut child = command.spawn().unwrap();
    let account = tarbac.path("exports/collected.json");
    wait("it is imported", || {
        tarbac.path("workspace/tarbac-files.json").is_file()
    });
    let first = changed(&account);
    wait("it is collected again", || changed(&account) != first);
    is_away.store(true, std::sync::atomic::Ordering::SeqCst);
    wait("it is told", || {
        tarbac.read("told").contains("does not accept the token")
    });
    let (kept, asked) = (changed(&account), service.requests.lock().unwrap().len());
    wait("it is tried again", || {
        service.requests.lock().unwrap().len() > asked + 3
    });
    assert_eq!(changed(&account), kept);
    assert_eq!(tarbac.run(&["-C", "workspace", "validate"]).status, 0);
    is_away.store(false, std::sync::atomic::Ordering::SeqCst);
    wait("it is fresh again", || changed(&account) != kept);
    child.kill().unwrap();
    child.wait().unwrap();
}

fn changed(path: &Path) -> std::time::SystemTime {
    std::fs::metadata(path).unwrap().modified().unwrap()
}
