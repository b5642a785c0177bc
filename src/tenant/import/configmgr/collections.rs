//! Collections of devices, and their limiting collections.

use hashbrown::HashMap;
use smol_str::SmolStr;

use super::{Collection, Reader, Site};
use crate::exports::catalog::TENANT;
use crate::exports::configmgr::SmsCollection;
use crate::exports::{Files, RecordError, RefusedExport};
use crate::import::intune::called;
use crate::import::report::{COLLECTION_WITHOUT_LIMIT, NOT_SELECTED};

const CLASS: &str = "SMS_Collection";
/// The type of a collection of devices; 1 is a collection of users.
const OF_DEVICES: u32 = 2;

/// The index of each collection of devices by its id; `None` for a collection of users.
pub(super) type CollectionIndices = HashMap<SmolStr, Option<u32>>;

impl<F: Files> Reader<'_, '_, F> {
    /// Reads the collections of devices; `None` if they were not exported. For collections of users only the id is
    /// kept.
    pub(super) fn collections(
        &self,
        site: &mut Site,
    ) -> Result<Option<CollectionIndices>, RefusedExport> {
        let mut indices = CollectionIndices::new();
        let mut rows: Vec<SmsCollection> = Vec::new();
        let is_there = self
            .folder
            .records(&self.name(CLASS), |row: SmsCollection| {
                if indices.insert(row.collection_id.clone(), None).is_some() {
                    return Err(RecordError::duplicate("collection", &row.collection_id));
                }
                if row.collection_type == OF_DEVICES {
                    rows.push(row);
                }
                Ok(())
            })?;
        rows.sort_by(|one, other| one.collection_id.cmp(&other.collection_id));
        for (index, row) in (0..).zip(&rows) {
            indices.insert(row.collection_id.clone(), Some(index));
        }
        self.note_limits(site, &rows, &indices);
        for row in rows {
            let limit = row.limit_to_collection_id.as_deref();
            let entity = match row.collection_id.starts_with(self.site) {
                true => row.collection_id.clone(),
                false => format!("{}-{}", self.site, row.collection_id).into(),
            };
            site.collections.push(Collection {
                limit: limit.and_then(|limit| indices.get(limit).copied().flatten()),
                id: row.collection_id,
                entity,
                name: row.name,
            });
        }
        self.refuse_circle(&site.collections)?;
        Ok(is_there.then_some(indices))
    }

    /// Adds notes on collections whose limiting collection is unknown, or one note if no limits were exported.
    fn note_limits(&self, site: &mut Site, rows: &[SmsCollection], indices: &CollectionIndices) {
        let has_limits = rows.iter().any(|row| row.limit_to_collection_id.is_some());
        if rows.len() > 1 && !has_limits {
            let class = self.name(CLASS);
            let effect = "no collection is known to be limited to another, so whoever has permissions on one has none on those in it";
            let name = format!("LimitToCollectionID of {class}.json: {effect}");
            site.notes.add(&NOT_SELECTED, name);
        }
        for row in rows {
            let limit = row.limit_to_collection_id.as_deref();
            let Some(limit) = limit.filter(|limit| !matches!(indices.get(*limit), Some(Some(_))))
            else {
                continue;
            };
            let name = called(row.name.as_deref(), &row.collection_id);
            site.notes
                .add(&COLLECTION_WITHOUT_LIMIT, format!("{name} in {limit}"));
        }
    }

    fn refuse_circle(&self, collections: &[Collection]) -> Result<(), RefusedExport> {
        for (index, collection) in (0..).zip(collections) {
            if limiting(collections, index).any(|limit| limit == index) {
                return Err(self.folder.refuse(
                    &format!("{}.json", self.name(CLASS)),
                    format!(
                        "the collection `{}` is limited to itself, through others or directly",
                        collection.id
                    ),
                    "export it again: Configuration Manager has no such collection",
                ));
            }
        }
        Ok(())
    }

    /// The index of the collection to which the upload is limited, if one is declared.
    pub(super) fn uploaded_collection(&self, site: &Site) -> Result<Option<u32>, RefusedExport> {
        let Some(declared) = self.upload_collection else {
            return Ok(None);
        };
        let indexed = || (0..).zip(&site.collections);
        let is_id = |collection: &Collection| collection.id.eq_ignore_ascii_case(declared);
        if let Some((index, _)) = indexed().find(|(_, collection)| is_id(collection)) {
            return Ok(Some(index));
        }
        let is_name = |collection: &Collection| {
            let name = collection.name.as_deref().map(str::trim);
            name.is_some_and(|name| name.eq_ignore_ascii_case(declared))
        };
        let with_name: Vec<u32> = indexed()
            .filter(|(_, collection)| is_name(collection))
            .map(|(index, _)| index)
            .collect();
        let problem = match with_name.as_slice() {
            [index] => return Ok(Some(*index)),
            [] => "is the id or name of no device collection",
            _ => "is the name of several device collections",
        };
        let collections = self.name(CLASS);
        Err(self.folder.refuse(
            TENANT,
            format!(
                "`{declared}`, which {} uploads, {problem} of {collections}.json",
                self.site
            ),
            "write the id of the collection that the cloud attach properties name, for example SMS00001",
        ))
    }
}

/// The limiting collections of a collection, direct and indirect. If the limits form a circle, the last one is the
/// collection itself.
pub(super) fn limiting(collections: &[Collection], index: u32) -> impl Iterator<Item = u32> {
    let limit = |index: &u32| collections.get(*index as usize)?.limit;
    std::iter::successors(limit(&index), limit).take(collections.len())
}
