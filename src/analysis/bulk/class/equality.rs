//! Equality tests of a directory: the resources by the values that are compared.

use std::collections::BTreeSet;

use cedar_policy::EntityTypeName;
use rayon::slice::ParallelSliceMut;
use tarbac_store::{Directory, Row};

use super::conditions::EqualityTest;
use crate::bulk::index::ActionId;

/// The mark of a principal without the attribute.
const ABSENT: u32 = 0;

/// The mark of a principal whose value no resource has. It is no number of a value.
const NOWHERE: u32 = u32::MAX;

/// The mark of a principal that is not defined. It is no number of a value either.
const UNDEFINED: u32 = u32::MAX - 1;

/// An [`EqualityTest`] over the resources of a directory.
#[derive(Debug)]
pub(super) struct Equality {
    /// The attribute of the principal; `None` for the principal itself.
    principal: Option<String>,
    /// The number of each value with a resource that has it, sorted.
    by_value: Vec<(u32, Row)>,
    /// The actions whose policies have the test.
    actions: BTreeSet<ActionId>,
}

impl Equality {
    /// The test over the resources of these types.
    pub(super) fn new(
        directory: &Directory,
        test: &EqualityTest,
        types: &BTreeSet<&EntityTypeName>,
        actions: BTreeSet<ActionId>,
    ) -> Self {
        let rows = types.iter().flat_map(|name| directory.rows_of(name));
        let by_value = rows.filter_map(|row| {
            let value = directory.value_number(row, &test.resource)?;
            Some((value, row))
        });
        let mut by_value: Vec<(u32, Row)> = by_value.collect();
        by_value.par_sort_unstable();
        Self {
            principal: test.principal.clone(),
            by_value,
            actions,
        }
    }

    /// The actions whose policies have the test.
    pub(super) fn actions(&self) -> &BTreeSet<ActionId> {
        &self.actions
    }

    /// The resources with the value of a principal, sorted.
    pub(super) fn resources(&self, directory: &Directory, principal: Row) -> Vec<Row> {
        let value = self.value(directory, principal);
        let with = value.map_or(&[][..], |value| self.with(value));
        with.iter().map(|(_, row)| *row).collect()
    }

    /// The value of a principal as far as it matters: principals with equal numbers have the same resources.
    pub(super) fn sought(&self, directory: &Directory, principal: Row) -> u32 {
        match self.value(directory, principal) {
            Some(value) if self.with(value).is_empty() => NOWHERE,
            Some(value) => value,
            None if directory.is_defined(principal) => ABSENT,
            None => UNDEFINED,
        }
    }

    fn value(&self, directory: &Directory, principal: Row) -> Option<u32> {
        match &self.principal {
            Some(attribute) => directory.value_number(principal, attribute),
            None => Some(Directory::entity_number(principal)),
        }
    }

    /// The resources with a value.
    fn with(&self, value: u32) -> &[(u32, Row)] {
        let start = self.by_value.partition_point(|(of, _)| *of < value);
        let end = self.by_value.partition_point(|(of, _)| *of <= value);
        self.by_value.split_at(end).0.split_at(start).1
    }
}

#[cfg(test)]
mod tests {
    use cedar_policy::EntityUid;
    use serde_json::json;

    use super::*;
    use crate::bulk::tests::{device, engine, row, uid, user};

    #[test]
    fn principals_are_alike_if_the_same_resources_have_their_value() {
        let mut entities = vec![
            user("ada", json!({ "name": "one" })),
            user("bob", json!({ "name": "one" })),
            user("cid", json!({ "name": "nobody's" })),
            user("dan", json!({ "name": "nor this" })),
            user("eve", json!({})),
        ];
        for (id, owner) in [("d1", "one"), ("d2", "two"), ("d3", "one")] {
            let mut device = device(id, 1, &[]);
            if let Some(attributes) = device.pointer_mut("/attrs") {
                attributes["owner"] = owner.into();
            }
            entities.push(device);
        }
        let engine = engine("", &entities);
        let directory = engine.directory();
        let test = EqualityTest {
            principal: Some("name".to_owned()),
            resource: "owner".to_owned(),
            policies: BTreeSet::new(),
        };
        let device = uid(r#"Device::"d1""#);
        let types = BTreeSet::from([device.type_name()]);
        let equality = Equality::new(directory, &test, &types, BTreeSet::new());
        let resources = |id: &str| -> Vec<EntityUid> {
            let rows = equality.resources(directory, row(&engine, id));
            rows.into_iter().map(|row| directory.uid(row)).collect()
        };
        let with_one = [uid(r#"Device::"d1""#), uid(r#"Device::"d3""#)];
        assert_eq!(resources(r#"User::"ada""#), with_one);
        assert_eq!(resources(r#"User::"cid""#), []);
        assert_eq!(resources(r#"User::"eve""#), []);
        let [ada, bob, cid, dan, eve] = ["ada", "bob", "cid", "dan", "eve"]
            .map(|id| equality.sought(directory, row(&engine, &format!("User::\"{id}\""))));
        assert_eq!(ada, bob);
        assert_eq!(cid, dan);
        assert!(ada != cid && ada != eve && cid != eve);
    }
}
