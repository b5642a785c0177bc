//! The server of stores: one workspace, or several under paths of their own.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rayon::{ThreadPool, ThreadPoolBuilder};
use tarbac_host::Workspace;

use super::{Stopped, protected, run_until_stopped};
use crate::app::{App, Teller};
use crate::fault::ServeError;
use crate::follow::{self, Follower, Message};
use crate::freshness::Freshness;
use crate::log;
use crate::reload::Told;
use crate::served::Served;
use crate::settings::Settings;
use crate::source::{
    FollowSettings, Followed, NamedSource, RevisionSource, RevisionSources, SourceError,
};
use crate::trace::Traces;
use crate::work::STACK;
use crate::workspaces::is_name;

/// The most threads that look into stores; each looks after several.
const THREADS: usize = 8;

/// The time between two searches for new workspaces.
const ADDED: Duration = Duration::from_secs(60);

/// Serves what stores have until the process is told to stop. `empty` is what a server of several workspaces is itself:
/// rules, and nobody.
///
/// # Errors
/// The settings expose the server without protection, a file of credentials is wrong, the only store has nothing to
/// serve, or the system refuses an address, a thread or a signal.
pub fn follow(
    settings: Settings,
    following: FollowSettings,
    followed: Followed,
    empty: Workspace,
) -> Result<Stopped, ServeError> {
    protected(&settings)?;
    let traces = Traces::begin()?;
    log::begin(settings.log_format, traces.as_ref());
    let threads = Arc::new(readers()?);
    let app = match followed {
        Followed::One(source) => one_workspace(settings, following, source, &threads)?,
        Followed::Several(sources) => several(settings, following, sources, &threads, empty)?,
    };
    run_until_stopped(&app)
}

/// The threads that read: half of the processors, so that requests have the others.
fn readers() -> Result<ThreadPool, ServeError> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    ThreadPoolBuilder::new()
        .num_threads(processors.div_ceil(2))
        .stack_size(STACK)
        .thread_name(|number| format!("read-{number}"))
        .build()
        .map_err(|error| ServeError::Start(io::Error::other(error)))
}

/// The sender of messages to the thread of a store.
fn teller(messages: Sender<Message>, place: usize) -> Teller {
    // The thread ends only with the server.
    Box::new(move |told| drop(messages.send((place, told))))
}

fn one_workspace(
    settings: Settings,
    following: FollowSettings,
    source: Box<dyn RevisionSource>,
    threads: &Arc<ThreadPool>,
) -> Result<Arc<App>, ServeError> {
    let place = source.place();
    let (sender, messages) = channel();
    let mut follower = Follower::new(source, following, (sender, 0), threads);
    let mut settings = Some(settings);
    let mut made = None;
    let begun = follower.begin(&mut |served, freshness, messages, place| {
        let app = App::new(settings.take()?, served, teller(messages, place));
        let app = app.map(|app| Arc::new(app.following(freshness)));
        let begun = app.as_ref().ok().cloned();
        made = Some(app);
        begun
    });
    let app = match (made, begun) {
        (Some(app), _) => app?,
        (None, Err(reason)) => return Err(ServeError::Store { place, reason }),
        (None, Ok(())) => {
            return Err(ServeError::Store {
                place,
                reason: SourceError::Empty,
            });
        }
    };
    spawn("follow", move || {
        follow::run(vec![follower], &messages, &mut |_, _, _, _| None)
    })?;
    Ok(app)
}

fn several(
    settings: Settings,
    following: FollowSettings,
    mut sources: Box<dyn RevisionSources>,
    threads: &Arc<ThreadPool>,
    empty: Workspace,
) -> Result<Arc<App>, ServeError> {
    let all: Tellers = Arc::default();
    let told = Arc::clone(&all);
    let root: Teller = Box::new(move |message| {
        let tellers = told.lock().unwrap_or_else(PoisonError::into_inner);
        tellers.iter().for_each(|teller| match message {
            Told::Stopping => teller(Told::Stopping),
            Told::Changed | Told::Read(_) => teller(Told::Read(None)),
        });
    });
    let app = Arc::new(App::new(settings, Served::new(empty), root)?.of_several());
    let first = sources.added();
    let first = first.map_err(|reason| ServeError::Store {
        place: "the prefix".to_owned(),
        reason,
    })?;
    start(&app, following, first, threads, &all)?;
    let (later, threads) = (Arc::clone(&app), Arc::clone(threads));
    spawn("added", move || {
        loop {
            thread::sleep(ADDED);
            match sources.added() {
                Ok(added) if added.is_empty() => {}
                Ok(added) => {
                    if let Err(error) = start(&later, following, added, &threads, &all) {
                        tracing::error!("workspaces cannot be added: {error}");
                    }
                }
                Err(error) => tracing::error!("the workspaces cannot be listed: {error}"),
            }
        }
    })?;
    Ok(app)
}

/// The sender of messages to each of the workspaces.
type Tellers = Arc<Mutex<Vec<Teller>>>;

/// Begins to follow workspaces. One that cannot be served yet is looked for again.
fn start(
    root: &Arc<App>,
    following: FollowSettings,
    sources: Vec<NamedSource>,
    threads: &Arc<ThreadPool>,
    all: &Tellers,
) -> Result<(), ServeError> {
    let (right, wrong): (Vec<_>, Vec<_>) = sources.into_iter().partition(|(name, _)| is_name(name));
    for (name, _) in wrong {
        tracing::error!(
            name,
            "a workspace cannot have this name, so it is not served"
        );
    }
    let count = right.len().min(THREADS);
    let channels: Vec<(Sender<Message>, Receiver<Message>)> =
        (0..count).map(|_| channel()).collect();
    let followers = right
        .into_iter()
        .enumerate()
        .filter_map(|(place, (name, source))| {
            let (sender, _) = channels.get(place % count)?;
            let follower = Follower::new(source, following, (sender.clone(), place), threads);
            Some((name, follower))
        });
    let mut shares: Vec<Vec<(String, Follower)>> = channels.iter().map(|_| Vec::new()).collect();
    for (place, follower) in followers.enumerate() {
        if let Some(share) = shares.get_mut(place % count) {
            share.push(follower);
        }
    }
    begin(root, &mut shares, all)?;
    for ((_, messages), share) in channels.into_iter().zip(shares) {
        let (root, all) = (Arc::clone(root), Arc::clone(all));
        let (names, followers): (Vec<String>, Vec<Follower>) = share.into_iter().unzip();
        let places: Vec<usize> = followers.iter().map(Follower::place).collect();
        spawn("follow", move || {
            follow::run(
                followers,
                &messages,
                &mut |served, freshness, sender, place| {
                    let at = places.iter().position(|of| *of == place)?;
                    let name = names.get(at)?;
                    Some(begun(&root, name, served, freshness, (sender, place), &all))
                },
            );
        })?;
    }
    Ok(())
}

/// Reads the first revision of each, some at once: where little is read of each, most of the time goes by with waiting
/// for the store. It is done by threads, not by tasks of a pool: one that waits for the readers would begin the next
/// meanwhile, and that one another, until the stack is full.
fn begin(
    root: &Arc<App>,
    shares: &mut [Vec<(String, Follower)>],
    all: &Tellers,
) -> Result<(), ServeError> {
    let one = &|share: &mut Vec<(String, Follower)>| {
        for (name, follower) in share {
            let begun = follower.begin(&mut |served, freshness, messages, place| {
                Some(begun(root, name, served, freshness, (messages, place), all))
            });
            if let Err(reason) = begun {
                tracing::error!(workspace = name, "not served yet: {reason}");
            }
        }
    };
    thread::scope(|scope| {
        for share in shares {
            let thread = thread::Builder::new()
                .name("begin".to_owned())
                .stack_size(STACK);
            thread.spawn_scoped(scope, move || one(share))?;
        }
        Ok(())
    })
    .map_err(ServeError::Start)
}

/// A workspace that is served from here on.
fn begun(
    root: &App,
    name: &str,
    served: Served,
    freshness: &Arc<Freshness>,
    (messages, place): (Sender<Message>, usize),
    all: &Tellers,
) -> Arc<App> {
    let own = teller(messages.clone(), place);
    let app = Arc::new(root.beside(name, served, freshness, own));
    if let Some(workspaces) = &root.workspaces {
        workspaces.add(name, &app);
    }
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    all.push(teller(messages, place));
    app
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), ServeError> {
    let thread = thread::Builder::new()
        .name(name.to_owned())
        .stack_size(STACK);
    thread.spawn(work).map(drop).map_err(ServeError::Start)
}
