//! Lists of Microsoft Graph, collected page by page.

use std::collections::BTreeSet;
use std::io::Read;

use tarbac_tenant::exports::catalog::{Export, GraphCall, TOGGLE};

use crate::answer::{self, AnswerRead, Form, Row};
use crate::client::{Client, Effort, Rejection, RequestOutcome, without_query};
use crate::fault::CollectError;
use crate::journal::Pages;
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

/// The addresses of the pages of a list so far.
#[derive(Default)]
pub(crate) struct PageAddresses(BTreeSet<String>);

impl PageAddresses {
    /// Checks the address of the next page of the list at `url`.
    ///
    /// # Errors
    /// The page is on another host, where no token is sent, or there was such a page before.
    pub(crate) fn follow(
        &mut self,
        client: &Client<'_>,
        url: &str,
        next: &str,
    ) -> Result<(), CollectError> {
        if !client.has(next) {
            let (url, next) = (without_query(url), without_query(next));
            return Err(CollectError::Elsewhere { url, next });
        }
        match self.0.insert(next.to_owned()) {
            true => Ok(()),
            false => Err(CollectError::Circle(without_query(next))),
        }
    }
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
        // A page that was just saved need not be read again.
        let saved = match &first {
            Some(_) => Pages::default(),
            None => self.journal.saved(&list.stem),
        };
        let (form, keep) = (form_of(export.file), Facts::keeps(export.file));
        let mut number = 1;
        let mut next = Some(list.url.clone());
        for (_, after) in &saved.pages {
            let mut file = self.staging.open(&page_name(&list.stem, number))?;
            let read = answer::read(&mut file, form, &keep).map_err(|_| {
                CollectError::Internal(format!("{} was changed", page_name(&list.stem, number)))
            })?;
            self.tally.spend(name, Effort::ONCE);
            self.kept(export, name, read);
            number += 1;
            next.clone_from(after);
        }
        if saved.is_done {
            return Ok(None);
        }
        let is_resumed = number > 1;
        if let Some(read) = first {
            next = self.kept(export, name, read);
            number += 1;
        }
        let mut pages = PageAddresses::default();
        while let Some(url) = next {
            pages.follow(client, &list.url, &url)?;
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
                    self.begin_again(name, stem)?;
                    return self.follow(client, list, None);
                }
                RequestOutcome::Rejected(rejection) => {
                    return self.without(export, name, stem, rejection).map(Some);
                }
            }
            number += 1;
        }
        let done = self.journal.done(&list.stem);
        done.map_err(|error| self.not_written(&error))?;
        Ok(None)
    }

    /// Discards the saved pages of a file.
    pub(crate) fn begin_again(&self, name: &str, stem: &str) -> Result<(), CollectError> {
        let restarted = self.journal.restart(stem);
        let Pages { pages, .. } = restarted.map_err(|error| self.not_written(&error))?;
        let rows = pages.iter().map(|(rows, _)| rows).sum();
        self.tally.take_back(name, pages.len() as u64, rows);
        // A page that was saved last may not be in the journal.
        (1..=pages.len() + 1).try_for_each(|number| self.staging.discard(&page_name(stem, number)))
    }

    /// Discards the saved pages of a file whose rest the service refuses, unless a later run may go on with them: a
    /// part of a list would be taken for the whole.
    pub(crate) fn without(
        &self,
        export: &Export,
        name: &str,
        stem: &str,
        rejection: Rejection,
    ) -> Result<Rejection, CollectError> {
        if !self.ends(export, rejection.status) {
            self.begin_again(name, stem)?;
        }
        Ok(rejection)
    }

    /// Requests a page, and saves it.
    pub(crate) fn page(
        &self,
        client: &Client<'_>,
        place: &Place<'_>,
        url: &str,
        keep: &dyn Fn(&Row) -> bool,
    ) -> Result<RequestOutcome<AnswerRead>, CollectError> {
        let page = page_name(place.stem, place.number);
        let draft = self.staging.draft(&page)?;
        let mut effort = Effort::default();
        let mut save = |reader: &mut dyn Read| answer::save(reader, &draft, place.form, keep);
        let asked = client.ask(url, Request::Get, &mut effort, &mut save);
        self.tally.spend(place.name, effort);
        let asked = asked?;
        if let RequestOutcome::Answer(_) = &asked {
            self.staging.keep(&draft, &page)?;
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
        if self.ends(export, rejection.status) {
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

    /// Whether an error answer ends the collection, because it cannot do without the export.
    fn ends(&self, export: &Export, status: u16) -> bool {
        let is_gone = status == 404 && export.file.contains("<id>");
        status != 403 && !is_gone && !export.is_optional && !self.may_expand(export)
    }
}

/// The form of the answer for an export.
fn form_of(file: &str) -> Form {
    match file == TOGGLE {
        true => Form::One,
        false => Form::List,
    }
}
