//! Turns what the files hold into a directory: rows in order, ancestors worked out, all checked.

use std::collections::HashSet;
use std::sync::Arc;

use cedar_policy::EntityUid;

use crate::ask::aliases::Aliases;
use crate::ask::cedar::CedarCache;
use crate::build::ancestors::Closure;
use crate::build::references;
use crate::read::parallel::Loaded;
use crate::read::schema::Shapes;
use crate::tables::column::Column;
use crate::tables::entities::Store;
use crate::tables::strings::StringTable;
use crate::tables::value_ref::ValueRef;
use crate::{Directory, Rules};
use tarbac_diagnostic::finding::Finding;

/// Makes a directory of what was read, and findings of all that is wrong with it.
pub(crate) fn freeze(
    loaded: Loaded,
    shapes: Arc<Shapes>,
    named: &HashSet<EntityUid>,
    rules: &Rules,
) -> (Directory, Vec<Finding>) {
    let Loaded {
        mut store,
        defined,
        sources,
        contents,
        identity,
        mut tally,
        complete,
    } = loaded;
    store.close();
    let mut assumed = assume(named, &shapes, &mut store);
    let order = sorted(&store.uids);
    let mut rows = vec![0; order.len()];
    for (row, &uid) in (0..).zip(&order) {
        if let Some(slot) = rows.get_mut(uid as usize) {
            *slot = row;
        }
    }
    rename(&mut store, &order, &rows);
    for uid in &mut assumed {
        *uid = rows.get(*uid as usize).copied().unwrap_or_default();
    }
    assumed.sort_unstable();
    let members = arrange(&mut store, &order, &defined);
    let types = starts(&store.uids, &shapes);
    let (closure, knots) = Closure::new(&store.parents, order.len(), |row| {
        let number = members.get(row as usize)?.checked_sub(1)?;
        Some(store.members.get(number as usize)?.parents)
    });
    let made = CedarCache::new(&store, order.len());
    let mut directory = Directory {
        shapes,
        store,
        sources,
        contents,
        identity,
        members: members.into(),
        types,
        assumed: assumed.into(),
        closure,
        called: Aliases::default(),
        made,
        written: None,
    };
    directory.called = Aliases::new(&directory, &rules.names);
    references::cycles(&directory, &knots, &mut tally);
    // What could not be read may well be what is referred to.
    if complete {
        references::dangling(&directory, &mut tally);
    }
    references::required_parents(&directory, rules, &mut tally);
    (directory, tally.into_findings())
}

/// Enters the uids that policies name; gives those that exist without standing in a file.
fn assume(named: &HashSet<EntityUid>, shapes: &Shapes, store: &mut Store) -> Vec<u32> {
    let mut named: Vec<&EntityUid> = named.iter().collect();
    named.sort_unstable();
    let mut assumed = Vec::new();
    for uid in named {
        let Some(index) = shapes.find(&uid.type_name().to_string()) else {
            continue;
        };
        let number = store.uids.intern(index, uid.id().unescaped());
        if shapes.get(index).is_some_and(|shape| shape.bare) {
            assumed.push(number);
        }
    }
    assumed
}

/// The uids in the order of their type names and ids.
fn sorted(uids: &StringTable) -> Vec<u32> {
    let mut keys: Vec<(u16, u64, u32)> = (0..uids.len() as u32)
        .map(|uid| (uids.kind(uid), beginning(uids.bytes(uid)), uid))
        .collect();
    // Files are often sorted already, which a stable sort makes use of.
    keys.sort_by(|one, other| {
        (one.0, one.1)
            .cmp(&(other.0, other.1))
            .then_with(|| uids.bytes(one.2).cmp(uids.bytes(other.2)))
    });
    keys.into_iter().map(|(_, _, uid)| uid).collect()
}

/// The first eight bytes of a text as a number that compares as they do.
fn beginning(text: &[u8]) -> u64 {
    text.iter()
        .copied()
        .chain(std::iter::repeat(0))
        .take(8)
        .fold(0, |number, byte| number << 8 | u64::from(byte))
}

/// Puts the uids into the order of their rows, and names entities by their rows.
fn rename(store: &mut Store, order: &[u32], rows: &[u32]) {
    let mut uids = StringTable::default();
    for &uid in order {
        uids.push(store.uids.kind(uid), store.uids.get(uid));
    }
    uids.close();
    store.uids = uids;
    let of = |uid: u32| rows.get(uid as usize).copied().unwrap_or_default();
    let members = store.members.own().iter_mut();
    members.for_each(|member| member.uid = of(member.uid));
    store.broken.iter_mut().for_each(|uid| *uid = of(*uid));
    let row = |packed: &mut ValueRef| {
        if let Some(row) = packed.as_entity().and_then(|uid| rows.get(uid as usize)) {
            *packed = ValueRef::entity(*row);
        }
    };
    store.slots.own().iter_mut().for_each(row);
    store.compounds.items_mut().iter_mut().for_each(row);
    store.parents.items_mut().iter_mut().for_each(row);
    store.parents.sort_each();
}

/// Puts the entities in the order of their rows, and the lists of their parents in the order of the
/// entities, so that whoever goes through all of them reads memory from front to end. Gives for each row the
/// number of its entity, counted from 1; 0 is none.
fn arrange(store: &mut Store, order: &[u32], defined: &[u32]) -> Vec<u32> {
    let members = std::mem::take(&mut store.members);
    let slots = std::mem::take(&mut store.slots);
    let parents = std::mem::take(&mut store.parents);
    let counts = members.iter().map(|member| member.slots as usize);
    let ends: Vec<usize> = counts.skip(1).chain([slots.len()]).collect();
    store.members.own().reserve_exact(members.len());
    store.slots.own().reserve_exact(slots.len());
    let mut lists = vec![None; parents.len()];
    let numbers = order.iter().map(|uid| {
        let number = defined.get(*uid as usize).copied().unwrap_or_default();
        let Some(place) = (number as usize).checked_sub(1) else {
            return 0;
        };
        let (Some(member), Some(end)) = (members.get(place), ends.get(place)) else {
            return 0;
        };
        let own = slots.slice(member.slots as usize..*end).unwrap_or_default();
        let list = lists.get_mut(member.parents as usize);
        let list = list.map(|list| {
            *list.get_or_insert_with(|| store.parents.push(parents.get(member.parents)))
        });
        store.push(member.with_parents(list.unwrap_or_default()), own);
        store.members.len() as u32
    });
    let numbers = numbers.collect();
    store.parents.close();
    numbers
}

/// The first row of each type, and the number of rows.
fn starts(uids: &StringTable, shapes: &Shapes) -> Column<u32> {
    (0..=shapes.types().len())
        .map(|index| uids.first_of(index))
        .collect()
}
