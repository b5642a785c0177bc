//! The calls of the AdminService: classes whole, in pages, or one instance at a time.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use tarbac_tenant::exports::catalog::{ClassCall, Export};

use crate::answer::{self, AnswerRead, Form, Row};
use crate::client::{Client, Effort, ReadFault, Rejection, RequestOutcome};
use crate::fault::CollectError;
use crate::graph::{List, PageAddresses, Place, page_name};
use crate::run::{Facts, Run};
use crate::transport::Request;

/// The largest accepted answer about one instance, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;

/// The path below which the service has its classes.
pub(crate) const CLASSES: &str = "AdminService/wmi";

/// How often a class is collected in pages while its instances change.
const SETTLING: usize = 3;

/// The outcome of a collection in pages.
enum Paged {
    All,
    Refused(Rejection),
    /// Instances have come or gone meanwhile.
    Changed,
    /// The service makes pages of its own, or none.
    Otherwise,
}

/// The place of the last of all instances, seen from the end of a page.
enum End {
    Here,
    Later,
    Moved,
}

/// A class to be collected from a hierarchy.
pub(crate) struct ClassOf<'c> {
    pub(crate) export: &'c Export,
    pub(crate) call: ClassCall,
    /// The name of the export, with the site code.
    pub(crate) name: String,
}

impl ClassOf<'_> {
    fn stem(&self) -> &str {
        self.name.strip_suffix(".json").unwrap_or(&self.name)
    }

    fn reading(&self) -> impl Fn(&Row) -> bool {
        Facts::keeps(self.export.file)
    }
}

impl Run<'_> {
    /// Collects a class.
    pub(crate) fn class(&self, client: &Client<'_>, of: &ClassOf<'_>) -> Result<(), CollectError> {
        let rejection = match (of.call.lazy, of.call.order) {
            (Some(_), _) => self.instances(client, of)?,
            (None, []) => self.whole(client, of)?,
            (None, _) => self.in_pages(client, of)?,
        };
        match rejection {
            None => Ok(()),
            Some(rejection) => {
                let url = client.address(&format!("{CLASSES}/{}", of.call.class));
                self.reject(of.export, &of.name, &url, &rejection)
            }
        }
    }

    /// Collects a class in one answer of any length.
    fn whole(
        &self,
        client: &Client<'_>,
        of: &ClassOf<'_>,
    ) -> Result<Option<Rejection>, CollectError> {
        let list = List {
            export: of.export,
            name: &of.name,
            stem: of.stem().to_owned(),
            url: client.address(&format!("{CLASSES}/{}", of.call.list())),
        };
        self.follow(client, &list, None)
    }

    /// Collects a class in pages; or in one answer if the service does not return the instances in order, or they
    /// change all the time.
    fn in_pages(
        &self,
        client: &Client<'_>,
        of: &ClassOf<'_>,
    ) -> Result<Option<Rejection>, CollectError> {
        // The pages that an earlier run saved are those that the service makes by itself.
        let saved = self.journal.saved(of.stem());
        if saved.pages.iter().any(|(_, next)| next.is_some()) {
            return self.whole(client, of);
        }
        for _ in 0..SETTLING {
            match self.pages(client, of)? {
                Paged::All => return Ok(None),
                Paged::Refused(rejection) => return Ok(Some(rejection)),
                Paged::Changed => self.begin_again(&of.name, of.stem())?,
                Paged::Otherwise => break,
            }
        }
        self.begin_again(&of.name, of.stem())?;
        self.whole(client, of)
    }

    /// Collects a class in pages.
    fn pages(&self, client: &Client<'_>, of: &ClassOf<'_>) -> Result<Paged, CollectError> {
        let (stem, size) = (of.stem(), self.settings.rows_of_page);
        let saved = self.journal.saved(stem);
        for (rows, _) in &saved.pages {
            self.tally.spend(&of.name, Effort::ONCE);
            self.count(&of.name, *rows);
        }
        if saved.is_done {
            return Ok(Paged::All);
        }
        let mut rows: u64 = saved.pages.iter().map(|(rows, _)| rows).sum();
        let (mut number, mut last) = (saved.pages.len() + 1, None);
        loop {
            let url = client.address(&format!("{CLASSES}/{}", of.call.page(rows, size)));
            let name = &of.name;
            let place = Place {
                name,
                stem,
                number,
                form: Form::List,
            };
            let read = match self.page(client, &place, &url, &of.reading())? {
                RequestOutcome::Answer(read) => read,
                // The service may not support `$orderby`.
                RequestOutcome::Rejected(rejection) if rejection.status != 403 => {
                    return Ok(Paged::Otherwise);
                }
                RequestOutcome::Rejected(rejection) => {
                    let refused = self.without(of.export, name, stem, rejection);
                    return refused.map(Paged::Refused);
                }
            };
            // A service that makes pages of its own, or does not order them, is asked for all of them.
            let is_all = number == 1 && read.rows > size;
            let is_in_order = read.rows <= size && follows(&read, last);
            if read.next.is_some() || !is_all && !is_in_order {
                return Ok(Paged::Otherwise);
            }
            self.note(stem, read.rows, None)?;
            let is_short = read.rows < size;
            rows += read.rows;
            last = read.ends.map(|(_, last)| last).or(last);
            self.kept(of.export, name, read);
            let end = match is_short && rows > 0 {
                true => self.end(client, of, rows, last)?,
                false if is_all || is_short => End::Here,
                false => End::Later,
            };
            match end {
                End::Here => {
                    let done = self.journal.done(stem);
                    done.map_err(|error| self.not_written(&error))?;
                    return Ok(Paged::All);
                }
                End::Later => number += 1,
                End::Moved => return Ok(Paged::Changed),
            }
        }
    }

    /// Whether the last of so many instances is where it was, and the last of all. If instances before it have come or
    /// gone since their pages were read, others are missing from these pages or there twice.
    fn end(
        &self,
        client: &Client<'_>,
        of: &ClassOf<'_>,
        rows: u64,
        last: Option<u64>,
    ) -> Result<End, CollectError> {
        let url = client.address(&format!("{CLASSES}/{}", of.call.page(rows - 1, 2)));
        let mut effort = Effort::default();
        let mut read = |reader: &mut dyn Read| answer::read(reader, Form::List, &|_: &Row| false);
        let asked = client.ask(&url, Request::Get, &mut effort, &mut read);
        self.tally.spend(&of.name, effort);
        Ok(match asked? {
            RequestOutcome::Answer(read) => match (read.rows, read.ends) {
                (1 | 2, Some((first, _))) if last.is_some_and(|last| last != first) => End::Moved,
                (1, _) => End::Here,
                (2, _) => End::Later,
                _ => End::Moved,
            },
            RequestOutcome::Rejected(_) => End::Moved,
        })
    }

    /// Collects a class with lazy properties into one file: first the keys, then each instance by itself.
    fn instances(
        &self,
        client: &Client<'_>,
        of: &ClassOf<'_>,
    ) -> Result<Option<Rejection>, CollectError> {
        let stem = of.stem();
        let saved = self.journal.saved(stem);
        if saved.is_done {
            let mut file = self.staging.open(&page_name(stem, 1))?;
            let read = answer::read(&mut file, Form::One, &of.reading());
            let read = read.map_err(|_| CollectError::Internal(format!("{stem} was changed")))?;
            self.tally.spend(&of.name, Effort::ONCE);
            self.kept(of.export, &of.name, read);
            return Ok(None);
        }
        let keys = match self.keys(client, of)? {
            RequestOutcome::Answer(keys) => keys,
            RequestOutcome::Rejected(rejection) => return Ok(Some(rejection)),
        };
        let page = page_name(stem, 1);
        let draft = self.staging.draft(&page)?;
        let failed = |error| CollectError::file("write", &draft, error);
        let file = BufWriter::new(File::create(&draft).map_err(failed)?);
        let mut writer = GzEncoder::new(file, Compression::fast());
        let mut all = AnswerRead::default();
        for key in keys {
            match self.instance(client, of, &key)? {
                RequestOutcome::Answer((text, read)) => {
                    all.rows += read.rows;
                    all.kept.extend(read.kept);
                    let written = writer.write_all(&text);
                    written
                        .and_then(|()| writer.write_all(b"\n"))
                        .map_err(failed)?;
                }
                RequestOutcome::Rejected(rejection) if rejection.status == 404 => {
                    self.tally.gone(&of.name)
                }
                RequestOutcome::Rejected(rejection) => return Ok(Some(rejection)),
            }
        }
        if all.rows == 0 {
            // An empty file would not be a list.
            writer.write_all(b"[]\n").map_err(failed)?;
        }
        let file = writer.finish().map_err(failed)?;
        let written: Result<File, io::Error> =
            file.into_inner().map_err(io::IntoInnerError::into_error);
        written.map_err(failed)?;
        self.staging.keep(&draft, &page)?;
        let noted = self.journal.page(stem, all.rows, None);
        let noted = noted.and_then(|()| self.journal.done(stem));
        noted.map_err(|error| self.not_written(&error))?;
        self.kept(of.export, &of.name, all);
        Ok(None)
    }

    /// The keys of the instances of a class.
    fn keys(
        &self,
        client: &Client<'_>,
        of: &ClassOf<'_>,
    ) -> Result<RequestOutcome<Vec<String>>, CollectError> {
        let first = client.address(&format!("{CLASSES}/{}", of.call.list()));
        let (mut keys, mut pages) = (Vec::new(), PageAddresses::default());
        let mut next = Some(first.clone());
        while let Some(url) = next {
            pages.follow(client, &first, &url)?;
            let mut effort = Effort::default();
            let mut read =
                |reader: &mut dyn Read| answer::read(reader, Form::List, &|_: &Row| true);
            let asked = client.ask(&url, Request::Get, &mut effort, &mut read);
            self.tally.spend(&of.name, effort);
            let read = match asked? {
                RequestOutcome::Answer(read) => read,
                RequestOutcome::Rejected(rejection) => {
                    return Ok(RequestOutcome::Rejected(rejection));
                }
            };
            for row in read.kept {
                let key = row.admin.or(row.role).ok_or_else(|| {
                    CollectError::Internal(format!("an instance of {} has no key", of.name))
                })?;
                keys.push(key.as_str().map_or_else(|| key.to_string(), str::to_owned));
            }
            next = read.next;
        }
        Ok(RequestOutcome::Answer(keys))
    }

    /// The text of an instance, with the properties read from it.
    fn instance(
        &self,
        client: &Client<'_>,
        of: &ClassOf<'_>,
        key: &str,
    ) -> Result<RequestOutcome<(Vec<u8>, AnswerRead)>, CollectError> {
        let instance = of.call.instance(key).replace(' ', "%20");
        let url = client.address(&format!("{CLASSES}/{instance}"));
        let mut effort = Effort::default();
        let keep = of.reading();
        let mut read = |reader: &mut dyn Read| {
            let mut text = Vec::new();
            let got = reader.take(LARGEST).read_to_end(&mut text);
            got.map_err(|error| ReadFault::Broken(error.to_string()))?;
            let read = answer::read(&mut text.as_slice(), Form::One, &keep)?;
            match read.rows {
                1 => Ok((text, read)),
                _ => Err(ReadFault::Broken(format!("{instance} is no instance"))),
            }
        };
        let asked = client.ask(&url, Request::Get, &mut effort, &mut read);
        self.tally.spend(&of.name, effort);
        asked
    }
}

/// Whether the records of a page are in order and start at or after the last number of the page before.
fn follows(read: &AnswerRead, last: Option<u64>) -> bool {
    let first = read.ends.map(|(first, _)| first);
    let goes_on = |first| last.is_none_or(|last| last <= first);
    read.rows == 0 || read.is_ordered && first.is_some_and(goes_on)
}
