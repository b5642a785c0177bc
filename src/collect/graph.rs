//! Lists of Microsoft Graph, collected page by page.

use std::collections::BTreeSet;
use std::io::Read;

use tarbac_tenant::exports::catalog::{Export, GraphCall, TOGGLE};

use crate::answer::{self, AnswerRead, Form, Row};
use crate::client::{Client, Effort, Rejection, RequestOutcome, without_query};
use crate::fault::CollectError;
use crate::run::{Facts, Run};
use crate::transport::Request;

/// The file of an export without its ending, with the id in place of `<id>`.
pub(crate) fn stem(export: &Export, id: Option<&str>) -> String {
    let stem = export.file.strip_suffix(".json").unwrap_or(export.file);
    stem.replace("<id>", id.unwrap_or("<id>"))
}

/// The file name of a page, from 1.
pub(crate) fn page_name(stem: &str, number: usize) -> String {
    match number {
        1 => format!("{stem}.json.gz"),
        number => format!("{stem}-{number}.json.gz"),
    }
}

/// A list to be collected.
pub(crate) struct List<'l> {
    /// The export.
    pub(crate) export: &'l Export,
    /// Its name, with the site code if it belongs to a hierarchy.
    pub(crate) name: &'l str,
    /// The file without its ending.
    pub(crate) stem: String,
    /// The first request.
    pub(crate) url: String,
}

/// The place where a page is saved.
pub(crate) struct Place<'p> {
    /// The name of the export.
    pub(crate) name: &'p str,
    /// The file without its ending.
    pub(crate) stem: &'p str,
    /// The number of the page, from 1.
    pub(crate) number: usize,
    /// The form of the answer.
    pub(crate) form: Form,
}

impl Run<'_> {
    /// Collects a list of Graph, or resumes it.
    pub(crate) fn list(
        &self,
        client: &Client<'_>,
        export: &Export,
        call: &GraphCall,
    ) -> Result<(), CollectError> {
        let list = List {
            export,
            name: export.file,
            stem: stem(export, None),
            url: client.address(&call.request(None)),
        };
        match self.follow(client, &list, None)? {
            None => Ok(()),
            Some(rejection) => self.reject(export, export.file, &list.url, &rejection),
        }
    }

    /// Collects the pages of a list, after those of an earlier run. Returns the error of the service, if there was
    /// one.
    pub(crate) fn follow(
        &self,
        client: &Client<'_>,
        list: &List<'_>,
        first: Option<AnswerRead>,
    ) -> Result<Option<Rejection>, CollectError> {
        let List { export, name, .. } = *list;
        let before = self.journal.before(&list.stem);
        let (form, keep) = (form_of(export.file), Facts::keeps(export.file));
        let mut number = 1;
        let mut next = Some(list.url.clone());
        let mut rows = 0;
        for (count, after) in &before.pages {
            rows += count;
            let mut file = self.staging.open(&page_name(&list.stem, number))?;
            let read = answer::read(&mut file, form, &keep).map_err(|_| {
                CollectError::Internal(format!("{} was changed", page_name(&list.stem, number)))
            })?;
            self.kept(export, name, read);
            number += 1;
            next.clone_from(after);
        }
        if before.is_done {
            return Ok(None);
        }
        let is_resumed = number > 1;
        if let Some(read) = first {
            next = self.kept(export, name, read);
            number += 1;
        }
        let mut seen = BTreeSet::new();
        while let Some(url) = next {
            if !client.has(&url) {
                let (url, next) = (without_query(&list.url), without_query(&url));
                return Err(CollectError::Elsewhere { url, next });
            }
            if !seen.insert(url.clone()) {
                return Err(CollectError::Circle(without_query(&url)));
            }
            let stem = &list.stem;
            let place = Place {
                name,
                stem,
                number,
                form,
            };
            match self.page(client, &place, &url, &keep)? {
                RequestOutcome::Answer(read) => {
                    self.note(stem, read.rows, read.next.as_deref())?;
                    next = self.kept(export, name, read);
                }
                // The service no longer knows the address of the next page: the list begins again.
                RequestOutcome::Rejected(rejection)
                    if is_resumed && [400, 404, 410].contains(&rejection.status) =>
                {
                    self.begin_again(name, &list.stem, number, rows)?;
                    return self.follow(client, list, None);
                }
                RequestOutcome::Rejected(rejection) => return Ok(Some(rejection)),
            }
            number += 1;
        }
        let done = self.journal.done(&list.stem);
        done.map_err(|error| self.not_written(&error))?;
        Ok(None)
    }

    /// Discards the pages of a file before number `before`, which have `rows` records.
    pub(crate) fn begin_again(
        &self,
        name: &str,
        stem: &str,
        before: usize,
        rows: u64,
    ) -> Result<(), CollectError> {
        let restarted = self.journal.restart(stem);
        restarted.map_err(|error| self.not_written(&error))?;
        let files = before.saturating_sub(1);
        self.tally.take_back(name, files as u64, rows);
        (1..before).try_for_each(|number| self.staging.discard(&page_name(stem, number)))
    }

    /// Requests a page, and saves it.
    pub(crate) fn page(
        &self,
        client: &Client<'_>,
        place: &Place<'_>,
        url: &str,
        keep: &dyn Fn(&Row) -> bool,
    ) -> Result<RequestOutcome<AnswerRead>, CollectError> {
        let path = self.staging.path(&page_name(place.stem, place.number))?;
        let part = path.with_extension("part");
        let mut effort = Effort::default();
        let mut save = |reader: &mut dyn Read| answer::save(reader, &part, place.form, keep);
        let asked = client.ask(url, Request::Get, &mut effort, &mut save);
        self.tally.spend(place.name, effort);
        let asked = asked?;
        if let RequestOutcome::Answer(_) = &asked {
            self.staging.keep(&part, &path)?;
        }
        Ok(asked)
    }

    /// Records in the journal that a page is saved.
    pub(crate) fn note(
        &self,
        stem: &str,
        rows: u64,
        next: Option<&str>,
    ) -> Result<(), CollectError> {
        let noted = self.journal.page(stem, rows, next);
        noted.map_err(|error| self.not_written(&error))
    }

    /// Counts a saved page, and learns ids from it. Returns the address of the next page.
    pub(crate) fn kept(&self, export: &Export, name: &str, read: AnswerRead) -> Option<String> {
        self.count(name, read.rows);
        self.facts.learn(export.file, read.kept);
        read.next
    }

    /// Records an error of a service, or returns it if the collection cannot do without this export.
    pub(crate) fn reject(
        &self,
        export: &Export,
        name: &str,
        url: &str,
        rejection: &Rejection,
    ) -> Result<(), CollectError> {
        if rejection.status != 403 && !export.is_optional {
            let Rejection { status, message } = rejection;
            return Err(CollectError::Answered {
                url: without_query(url),
                status: *status,
                message: message.clone(),
            });
        }
        self.tally.reject(name, rejection, export.rights);
        Ok(())
    }
}

/// The form of the answer for an export.
fn form_of(file: &str) -> Form {
    match file == TOGGLE {
        true => Form::One,
        false => Form::List,
    }
}
