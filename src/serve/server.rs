//! The server: its listeners, from the start to the graceful shutdown.

mod connection;
mod followed;
mod listener;
mod signals;

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use axum_server::Control;
use tarbac_host::Workspace;
use tokio::task::JoinSet;

use crate::app::App;
use crate::authzen::MetadataKey;
use crate::caller::Callers;
use crate::fault::ServeError;
use crate::http::{Entrance, Role, router};
use crate::log;
use crate::metrics::CredentialFigures;
use crate::origin::{Loaded, WorkspaceOrigin};
use crate::reload::{Reloader, Told};
use crate::served::Served;
use crate::settings::{Listen, Settings};
use crate::systemd;
use crate::tls::Tls;
use crate::trace::Traces;
use crate::work::STACK;
pub use followed::follow;

use connection::Gate;
use listener::Bound;
use signals::{Signal, Signals};

/// The pause between two checks of the credential files.
const CREDENTIALS_PAUSE: Duration = Duration::from_secs(1);

/// The least time that the decision log has for its last records.
const LAST: Duration = Duration::from_secs(1);

/// The end of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// Every request was answered, or its time had run out.
    Gracefully,
    /// A second signal ended it.
    AtOnce,
}

/// Serves a workspace until the process is told to stop. The workspace was loaded from `origin`, and is loaded again
/// when it changes.
///
/// # Errors
/// The settings expose the server without protection, a credential file is invalid, or the system refuses an address,
/// a thread or a signal.
pub fn serve(
    settings: Settings,
    origin: WorkspaceOrigin,
    loaded: Loaded,
) -> Result<Stopped, ServeError> {
    protected(&settings)?;
    let traces = Traces::begin()?;
    log::begin(settings.log_format, traces.as_ref());
    let Loaded { workspace, stamp } = loaded;
    let (sender, told) = channel();
    let teller = sender.clone();
    // The thread ends only with the server.
    let teller = Box::new(move |told| drop(teller.send(told)));
    let app = App::new(settings, Served::new(workspace), teller)?;
    let app = Arc::new(app);
    let reloader = Reloader::new(Arc::clone(&app), origin, stamp)?;
    thread::Builder::new()
        .name("reload".to_owned())
        .stack_size(STACK)
        .spawn(move || reloader.run(&told, &sender))
        .map_err(ServeError::Start)?;
    run_until_stopped(&app)
}

/// Answers, until the process is told to stop.
fn run_until_stopped(app: &Arc<App>) -> Result<Stopped, ServeError> {
    if app.settings.has_credentials() {
        let app = Arc::clone(app);
        thread::Builder::new()
            .name("credentials".to_owned())
            .spawn(move || {
                loop {
                    thread::sleep(CREDENTIALS_PAUSE);
                    app.reload_credentials(false);
                }
            })
            .map_err(ServeError::Start)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("serve")
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .map_err(ServeError::Start)?;
    let stopped = runtime.block_on(run(app));
    if let Some(log) = &app.decision_log {
        log.close(match &stopped {
            Ok(Stopped::Gracefully) => app.settings.grace.max(LAST),
            Ok(Stopped::AtOnce) | Err(_) => LAST,
        });
    }
    runtime.shutdown_background();
    stopped
}

/// Checks the settings without serving, and describes each listener in a line.
///
/// # Errors
/// The settings expose the server without protection, or a credential file is invalid.
pub fn check(settings: &Settings, workspace: &Workspace) -> Result<String, ServeError> {
    protected(settings)?;
    Callers::open(settings)?;
    if let Some(tls) = &settings.tls {
        Tls::open(tls, &CredentialFigures::default())?;
    }
    if let Some(key) = &settings.metadata_key {
        MetadataKey::open(key.clone())?;
    }
    let engine = &workspace.engine;
    let revision = engine.provenance().revision_id();
    let (policies, entities) = (engine.bundle().policies().len(), engine.directory().len());
    let lines = settings.listeners().map(|listen| {
        format!("{listen}: revision {revision}, {policies} policies, {entities} entities\n")
    });
    Ok(lines.collect())
}

/// Refuses a listener that other machines can reach without TLS or authentication, unless the settings say so.
fn protected(settings: &Settings) -> Result<(), ServeError> {
    let mut open = settings.listeners().filter(|listen| !listen.is_local());
    let Some(open) = open.next() else {
        return Ok(());
    };
    let exposed = |lacking, help| {
        Err(ServeError::Exposed {
            address: open.to_string(),
            lacking,
            help,
        })
    };
    let is_private = settings.tls.is_some() || settings.insecure_http;
    let is_asked = settings.has_callers() || settings.anonymous;
    match (is_private, is_asked) {
        (false, _) => exposed(
            "there is no TLS",
            "give it a certificate with --tls-cert and --tls-key; or say --insecure-http, behind a proxy that has TLS",
        ),
        (_, false) => exposed(
            "no caller says who it is",
            "say who may ask with --tokens, --jwt-issuer, --entra-tenant or --tls-client-ca; or let everybody ask with --anonymous",
        ),
        (true, true) => Ok(()),
    }
}

/// Listens and answers until told to stop.
async fn run(app: &Arc<App>) -> Result<Stopped, ServeError> {
    let mut signals = Signals::new().map_err(ServeError::Start)?;
    let control = Control::new();
    let gate = Gate::new(app.settings.limits.connections);
    let mut listeners = JoinSet::new();
    let settings = &app.settings;
    find_names(app);
    let role = match settings.management {
        Some(_) => Role::Asked,
        None => Role::Everything,
    };
    let asked = settings.listen.iter().map(|listen| (listen, role));
    let management = settings.management.iter();
    let management = management.map(|listen| (listen, Role::Management));
    let mut bound: Vec<(Bound, Role)> = Vec::new();
    for (listen, role) in asked.chain(management) {
        let failed = |reason| ServeError::Listen {
            address: listen.to_string(),
            reason,
        };
        bound.push((Bound::to(listen).map_err(failed)?, role));
    }
    let mut told = settings.bound;
    for (listener, role) in bound {
        announce(app, &listener, role);
        if let (Some(tell), Listen::Tcp(address)) = (told.take(), listener.address()) {
            tell(&format!("http://{address}/"));
        }
        let entrance = Entrance {
            role,
            is_local: listener.address().is_local(),
        };
        let routes = router(app, entrance);
        let bounds = (control.clone(), gate.clone());
        let tls = app.tls.as_deref().map(Tls::config);
        listeners.spawn(listener.serve(routes, bounds, tls));
    }
    systemd::ready();
    wait(app, &mut signals).await;
    tracing::info!("stopping");
    systemd::stopping();
    app.drain();
    app.tell(Told::Stopping);
    tokio::select! {
        () = tokio::time::sleep(settings.drain) => {}
        () = signals.stop() => return Ok(Stopped::AtOnce),
    }
    control.graceful_shutdown(Some(settings.grace));
    let all = async { while listeners.join_next().await.is_some() {} };
    tokio::select! {
        () = all => {}
        () = signals.stop() => return Ok(Stopped::AtOnce),
    }
    tracing::info!("stopped");
    Ok(Stopped::Gracefully)
}

/// Begins to sort the names that the page finds. Whoever searches before it is done waits for it.
fn find_names(app: &Arc<App>) {
    if app.settings.page {
        let served = app.served();
        thread::spawn(move || {
            let words = served.name_index().len();
            tracing::debug!(words, "names can be found");
        });
    }
}

/// Waits until the process is told to stop.
async fn wait(app: &Arc<App>, signals: &mut Signals) {
    loop {
        match signals.next().await {
            Signal::Stop => return,
            Signal::Reload => {
                app.tell(Told::Read(None));
                app.reload_credentials(true);
                if let Some(log) = &app.decision_log {
                    log.reopen();
                }
            }
        }
    }
}

/// Logs the address and the role of a listener.
fn announce(app: &App, listener: &Bound, role: Role) {
    let served = app.served();
    let address = match listener.address() {
        Listen::Tcp(address) if app.tls.is_some() => format!("https://{address}"),
        Listen::Tcp(address) => format!("http://{address}"),
        unix @ Listen::Unix(_) => unix.to_string(),
    };
    let serves = match role {
        Role::Everything => "decisions and management",
        Role::Asked => "decisions",
        Role::Management => "management",
    };
    tracing::info!(
        address,
        serves,
        revision = served.revision(),
        policies = served.engine.bundle().policies().len(),
        entities = served.engine.directory().len(),
        "listening"
    );
}
