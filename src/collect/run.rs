//! The order of the calls of a collection.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::{Scope, ThreadPool, ThreadPoolBuilder};
use tarbac_diagnostic::source::shown;
use tarbac_tenant::exports::catalog::{EXPORTS, Export, ExportSource};
use tarbac_tenant::exports::{Collected, CollectedCall};

use crate::admin_service::ClassOf;
use crate::batch::{Item, LARGEST};
use crate::client::{Client, Reach};
use crate::clock;
use crate::fault::CollectError;
use crate::graph::{List, stem};
use crate::journal::{Journal, Plan};
use crate::settings::{CollectProgress, CollectSettings, SiteSignIn};
use crate::staging::{Begun, Staging};
use crate::tally::Tally;
use crate::token::Claims;
use crate::transport::{Curl, Direct, Transport};

pub(crate) use crate::facts::Facts;

/// The assignments role by role. Some tenants refuse this call; then `$expand` on the roles gives the same.
const ASSIGNMENTS_OF_ROLES: &str = "graph/roleDefinitions/<id>/roleAssignments.json";
/// The property that is expanded in roles then.
const ASSIGNMENTS: &str = "roleAssignments";

/// A running collection.
pub(crate) struct Run<'s> {
    pub(crate) settings: &'s CollectSettings,
    pub(crate) staging: Staging,
    pub(crate) journal: Journal,
    pub(crate) tally: Tally,
    pub(crate) facts: Facts,
    stop: &'s AtomicBool,
    /// The calls known so far. The objects that the first ones name lead to more.
    known: AtomicUsize,
    /// The calls that are done.
    done: AtomicUsize,
    /// The first error, which stops the collection.
    fault: Mutex<Option<CollectError>>,
    /// The exports that the service refuses for all objects.
    given_up: Mutex<BTreeSet<&'static str>>,
}

/// Collects the exports of a tenant into a folder, replacing those of an earlier collection.
///
/// # Errors
/// Sign-in fails, a service does not answer, or the folder cannot be written. The folder is then unchanged, and the
/// collected answers are kept for a later run that resumes.
pub fn collect(settings: &CollectSettings) -> Result<Collected, CollectError> {
    let stop = AtomicBool::new(false);
    let clients = clients(settings, &stop)?;
    let begun = Staging::begin(&settings.out, plan(settings), settings.is_resumed)?;
    let (staging, journal, plan) = match begun {
        Begun::Open(open) => *open,
        Begun::Finished(collected) => return Ok(*collected),
    };
    let run = Run {
        settings,
        staging,
        journal,
        tally: Tally::default(),
        facts: Facts::default(),
        stop: &stop,
        known: AtomicUsize::new(0),
        done: AtomicUsize::new(0),
        fault: Mutex::new(None),
        given_up: Mutex::default(),
    };
    let claims = match &clients.graph {
        Some(graph) => graph
            .token()?
            .as_ref()
            .map(Claims::read)
            .unwrap_or_default(),
        None => Claims::default(),
    };
    let is_of = run.journal.is_of(claims.tenant());
    if !is_of.map_err(|error| run.not_written(&error))? {
        return Err(CollectError::AnotherTenant(shown(&settings.out)));
    }
    let pool = ThreadPoolBuilder::new()
        .num_threads(settings.jobs.max(1))
        .build();
    let pool = pool.map_err(|error| CollectError::Internal(error.to_string()))?;
    run.all(&clients, &pool)?;
    let calls = run.tally.calls();
    if calls.iter().all(|call| call.files == 0) {
        return Err(CollectError::NothingCame(lacking(&calls)));
    }
    let collected = Collected {
        version: 1,
        program: settings.program.clone(),
        started_at: plan.started_at,
        finished_at: clock::now().to_string(),
        cloud: settings.cloud.name.to_owned(),
        tenant_id: claims.tenant(),
        account: claims.account(),
        is_pseudonymized: false,
        calls,
    };
    run.staging.publish(&collected)?;
    Ok(collected)
}

/// The clients of the services.
struct Clients<'s> {
    graph: Option<Client<'s>>,
    /// By site code.
    sites: Vec<(&'s str, Client<'s>)>,
}

/// The permissions that were lacking, each once.
fn lacking(calls: &[CollectedCall]) -> String {
    let permissions = calls.iter().filter_map(|call| call.permission.as_deref());
    let permissions: BTreeSet<&str> = permissions.collect();
    permissions.into_iter().collect::<Vec<&str>>().join(", ")
}

/// The scope of a collection that starts now.
fn plan(settings: &CollectSettings) -> Plan {
    let graph = settings.graph_token.as_ref();
    let sites = settings.sites.iter();
    Plan {
        graph: graph.map(|_| graph_base(settings).to_owned()),
        sites: sites
            .map(|site| (site.code.clone(), site.url.clone()))
            .collect(),
        has_all_groups: settings.has_all_groups,
        started_at: clock::now().to_string(),
    }
}

fn graph_base(settings: &CollectSettings) -> &str {
    settings.graph.as_deref().unwrap_or(settings.cloud.graph)
}

fn clients<'s>(
    settings: &'s CollectSettings,
    stop: &'s AtomicBool,
) -> Result<Clients<'s>, CollectError> {
    let waits = &settings.waits;
    let graph = settings.graph_token.as_ref().map(|token| {
        let base = graph_base(settings);
        Client::new(Reach {
            base,
            transport: Box::new(Direct::new(base, None, true, waits)?),
            token: Some(token.as_ref()),
            waits,
            stop,
        })
    });
    let sites = settings.sites.iter().map(|site| {
        let (base, authorities) = (site.url.as_str(), settings.authorities.as_deref());
        let (transport, token): (Box<dyn Transport>, _) = match &site.sign_in {
            SiteSignIn::Token(token) => {
                // The AdminService is not behind a proxy. Source: Microsoft's page on setting it up.
                let direct = Direct::new(base, authorities, false, waits)?;
                (Box::new(direct), Some(token.as_ref()))
            }
            SiteSignIn::Windows(account) => {
                let curl = Curl::new(base, account, authorities, waits)?;
                (Box::new(curl), None)
            }
        };
        let client = Client::new(Reach {
            base,
            transport,
            token,
            waits,
            stop,
        })?;
        Ok((site.code.as_str(), client))
    });
    Ok(Clients {
        graph: graph.transpose()?,
        sites: sites.collect::<Result<_, CollectError>>()?,
    })
}

impl Run<'_> {
    fn all(&self, clients: &Clients<'_>, pool: &ThreadPool) -> Result<(), CollectError> {
        self.at_once(pool, |scope| {
            for export in &EXPORTS {
                match (export.source, &clients.graph) {
                    (ExportSource::Graph(call), Some(graph)) if !export.file.contains("<id>") => {
                        self.spawn(scope, 1, move || self.list(graph, export, &call));
                    }
                    (ExportSource::Class(call), _) => {
                        for (site, client) in &clients.sites {
                            let name = export.file.replace("<site>", site);
                            let of = ClassOf { export, call, name };
                            self.spawn(scope, 1, move || self.class(client, &of));
                        }
                    }
                    _ => {}
                }
            }
        })?;
        let Some(graph) = &clients.graph else {
            return Ok(());
        };
        self.about_objects(graph, pool)?;
        self.expand_roles(graph)?;
        loop {
            let groups = self.facts.further_groups(self.settings.has_all_groups);
            if groups.is_empty() {
                return Ok(());
            }
            let items = groups.iter().flat_map(|id| items("graph/groups/<id>/", id));
            self.batches(graph, pool, items.collect())?;
        }
    }

    /// Makes the calls about each Intune role definition and each Microsoft Entra role.
    fn about_objects(&self, graph: &Client<'_>, pool: &ThreadPool) -> Result<(), CollectError> {
        for (prefix, ids) in [
            ("graph/roleDefinitions/<id>/", self.facts.roles()),
            ("graph/directoryRoles/<id>/", self.facts.directory_roles()),
        ] {
            let items = ids.iter().flat_map(|id| items(prefix, id));
            self.batches(graph, pool, items.collect())?;
        }
        Ok(())
    }

    /// Makes calls about objects, [`LARGEST`] to a request and several requests at a time.
    fn batches(
        &self,
        graph: &Client<'_>,
        pool: &ThreadPool,
        items: Vec<Item<'static>>,
    ) -> Result<(), CollectError> {
        self.at_once(pool, |scope| {
            for chunk in items.chunks(LARGEST) {
                let chunk = chunk.to_vec();
                self.spawn(scope, chunk.len(), move || self.batch(graph, chunk));
            }
        })
    }

    /// Requests the roles with `$expand=roleAssignments`, if the assignments were refused role by role.
    fn expand_roles(&self, graph: &Client<'_>) -> Result<(), CollectError> {
        let calls = self.tally.calls();
        let mut calls = calls
            .iter()
            .filter(|call| call.status.is_some_and(|of| of != 403));
        if !calls.any(|call| call.export == ASSIGNMENTS_OF_ROLES) {
            return Ok(());
        }
        let mut exports = EXPORTS.iter();
        let Some(roles) = exports.find(|export| export.file == "graph/roleDefinitions.json") else {
            return Ok(());
        };
        let ExportSource::Graph(mut call) = roles.source else {
            return Ok(());
        };
        call.expand = Some(ASSIGNMENTS);
        let stem = stem(roles, None);
        self.begin_again(roles.file, &stem)?;
        let list = List {
            export: roles,
            name: roles.file,
            stem,
            url: graph.address(&call.request(None)),
        };
        match self.follow(graph, &list, None)? {
            None => {
                self.tally.made_good(ASSIGNMENTS_OF_ROLES);
                Ok(())
            }
            Some(rejection) => self.reject(roles, roles.file, &list.url, &rejection),
        }
    }

    /// Whether another call gives the same if this export is refused.
    pub(crate) fn may_expand(&self, export: &Export) -> bool {
        export.file == ASSIGNMENTS_OF_ROLES
    }

    /// Whether no more calls are made for an export.
    pub(crate) fn is_given_up(&self, file: &str) -> bool {
        let given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        given_up.contains(file)
    }

    /// Makes no more calls for an export.
    pub(crate) fn give_up(&self, file: &'static str) {
        let mut given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        given_up.insert(file);
    }

    /// Counts a saved file, and reports the progress.
    pub(crate) fn count(&self, export: &str, rows: u64) {
        let (rows, files) = self.tally.add(export, 1, rows);
        (self.settings.progress)(CollectProgress {
            export,
            rows,
            files,
            done: self.done.load(Ordering::Relaxed),
            known: self.known.load(Ordering::Relaxed),
        });
    }

    /// The error for a journal that cannot be written.
    pub(crate) fn not_written(&self, error: &io::Error) -> CollectError {
        CollectError::Internal(format!(
            "cannot write the journal of the collection: {error}"
        ))
    }

    /// Runs tasks in parallel, and waits for all of them.
    fn at_once<'r>(
        &'r self,
        pool: &ThreadPool,
        spawn: impl FnOnce(&Scope<'r>) + Send,
    ) -> Result<(), CollectError> {
        pool.in_place_scope(spawn);
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.take().map_or(Ok(()), Err)
    }

    /// Makes some calls in parallel to others; the first error stops them all.
    fn spawn<'r>(
        &'r self,
        scope: &Scope<'r>,
        calls: usize,
        make: impl FnOnce() -> Result<(), CollectError> + Send + 'r,
    ) {
        self.known.fetch_add(calls, Ordering::Relaxed);
        scope.spawn(move |_| {
            if let Err(error) = make() {
                let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
                fault.get_or_insert(error);
                self.stop.store(true, Ordering::Relaxed);
            }
            self.done.fetch_add(calls, Ordering::Relaxed);
        });
    }
}

/// The calls about an object.
fn items(prefix: &'static str, id: &str) -> impl Iterator<Item = Item<'static>> {
    static TABLE: [Export; EXPORTS.len()] = EXPORTS;
    let id = id.to_owned();
    let exports = TABLE
        .iter()
        .filter(move |export| export.file.starts_with(prefix));
    exports.filter_map(move |export| match export.source {
        ExportSource::Graph(call) => Some(Item {
            export,
            call,
            id: id.clone(),
        }),
        _ => None,
    })
}
