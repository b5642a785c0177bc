//! The order of rows, and the last steps of building a directory.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use cedar_policy::EntityUid;

use crate::ask::aliases::Aliases;
use crate::ask::cedar::CedarCache;
use crate::build::ancestors::Closure;
use crate::build::references;
use crate::index::{Id, IndexVec};
use crate::read::parallel::Loaded;
use crate::read::schema::Shapes;
use crate::tables::column::Column;
use crate::tables::entities::Store;
use crate::tables::ids::{ListId, MemberId, MemberOrNone, TypeId};
use crate::tables::strings::StringTable;
use crate::tables::value_ref::ValueRef;
use crate::{Directory, EntityRules, Row};
use tarbac_diagnostic::finding::Finding;

/// A directory of the entities that were read, and the findings about them.
pub(crate) fn ordered(
    loaded: Loaded,
    shapes: Arc<Shapes>,
    named: &HashSet<EntityUid>,
    rules: &EntityRules,
) -> (Directory, Vec<Finding>) {
    let Loaded {
        mut store,
        mut defined,
        sources,
        contents,
        identity,
        mut tally,
        complete,
        is_overlay,
    } = loaded;
    store.close();
    let mut assumed = assume(named, &shapes, &mut store);
    defined
        .raw
        .resize(store.uids.len(), MemberOrNone::default());
    let members = by_row(&mut store, defined, &mut assumed, is_overlay);
    store.uids.close();
    store.close();
    let types = starts(&store.uids, &shapes);
    let (closure, errors) = Closure::new(&store.parents, members.len(), |row| {
        Some(store.members.get(members[row].get()?.index())?.parents)
    });
    let cache = CedarCache::new(&store, members.len());
    let mut directory = Directory {
        shapes,
        store,
        sources,
        contents,
        identity,
        members: members.raw.into(),
        types,
        assumed: assumed.into(),
        closure,
        called: Aliases::default(),
        cache,
        hashed: OnceLock::new(),
        written: None,
    };
    directory.called = Aliases::new(&directory, &rules.names);
    references::cycles(&directory, &errors, &mut tally);
    // An entity that could not be read may be the one that a reference names.
    if complete {
        references::dangling(&directory, &mut tally);
    }
    references::required_parents(&directory, rules, &mut tally);
    references::parents_beside_none(&directory, rules, &mut tally);
    (directory, tally.into_findings())
}

/// Brings everything into the order of rows, and returns the entity of each row.
fn by_row(
    store: &mut Store,
    defined: IndexVec<Row, MemberOrNone>,
    assumed: &mut [Row],
    is_overlay: bool,
) -> IndexVec<Row, MemberOrNone> {
    let order = sorted(&store.uids);
    // Without new uids, the tables of an overlay are in order already.
    if is_overlay && order.iter_enumerated().all(|(row, came)| row == *came) {
        assumed.sort_unstable();
        return defined;
    }
    let mut rows: IndexVec<Row, Row> = IndexVec::filled(Row::new(0), order.len());
    for (row, came) in order.iter_enumerated() {
        rows[*came] = row;
    }
    rename(store, &order, &rows);
    for uid in assumed.iter_mut() {
        *uid = rows[*uid];
    }
    assumed.sort_unstable();
    match is_overlay {
        // The entities stay where they are: most have been arranged.
        true => order.iter().map(|came| defined[*came]).collect(),
        false => arrange(store, &order, &defined),
    }
}

/// Stores the uids that policies name, and returns those that exist without an entry in a file.
fn assume(named: &HashSet<EntityUid>, shapes: &Shapes, store: &mut Store) -> Vec<Row> {
    let mut named: Vec<&EntityUid> = named.iter().collect();
    named.sort_unstable();
    let mut assumed = Vec::new();
    for uid in named {
        let Some(index) = shapes.find(&uid.type_name().to_string()) else {
            continue;
        };
        let number = store.uids.intern(index, uid.id().unescaped());
        if shapes.types[index].bare {
            assumed.push(number);
        }
    }
    assumed
}

/// The uids, sorted by type and id.
fn sorted(uids: &StringTable<Row>) -> IndexVec<Row, Row> {
    let mut keys: Vec<(TypeId, u64, Row)> = uids
        .indices()
        .map(|uid| (uids.type_of(uid), beginning(uids.bytes(uid)), uid))
        .collect();
    // Files are often sorted already, which makes a stable sort fast.
    keys.sort_by(|one, other| {
        (one.0, one.1)
            .cmp(&(other.0, other.1))
            .then_with(|| uids.bytes(one.2).cmp(uids.bytes(other.2)))
    });
    keys.into_iter().map(|(_, _, uid)| uid).collect()
}

/// The first eight bytes of a text as a number, which compares as they do.
fn beginning(text: &[u8]) -> u64 {
    text.iter()
        .copied()
        .chain(std::iter::repeat(0))
        .take(8)
        .fold(0, |number, byte| number << 8 | u64::from(byte))
}

/// Sorts the uids by row, and replaces every reference to a uid by its row.
fn rename(store: &mut Store, order: &IndexVec<Row, Row>, rows: &IndexVec<Row, Row>) {
    let mut uids = StringTable::default();
    for &uid in order {
        uids.push(store.uids.type_of(uid), store.uids.get(uid));
    }
    store.uids = uids;
    let members = store.members.to_mut().iter_mut();
    members.for_each(|member| member.uid = rows[member.uid]);
    store.broken.iter_mut().for_each(|uid| *uid = rows[*uid]);
    let row = |packed: &mut ValueRef| {
        if let Some(came) = packed.as_entity() {
            *packed = ValueRef::entity(rows[came]);
        }
    };
    store.slots.to_mut().iter_mut().for_each(row);
    store.compounds.items_mut().iter_mut().for_each(row);
    store.parents.items_mut().iter_mut().for_each(row);
    store.parents.reorder(<[ValueRef]>::sort_unstable);
    store.compounds.reorder(|items| match items {
        [header, elements @ ..] if *header == ValueRef::SET => elements.sort_unstable(),
        _ => {}
    });
}

/// Sorts the entities by row, and the lists of parents by the first entity that uses them, so that a pass over all
/// entities reads memory from front to end. Returns the entity of each row.
fn arrange(
    store: &mut Store,
    order: &IndexVec<Row, Row>,
    defined: &IndexVec<Row, MemberOrNone>,
) -> IndexVec<Row, MemberOrNone> {
    let members = std::mem::take(&mut store.members);
    let slots = std::mem::take(&mut store.slots);
    let parents = std::mem::take(&mut store.parents);
    let counts = members.iter().map(|member| member.slots as usize);
    let ends: IndexVec<MemberId, usize> = counts.skip(1).chain([slots.len()]).collect();
    store.members.to_mut().reserve_exact(members.len());
    store.slots.to_mut().reserve_exact(slots.len());
    let mut lists: IndexVec<ListId, Option<ListId>> = IndexVec::filled(None, parents.len());
    let arranged = order.iter().map(|came| {
        let (member, own) = defined[*came].get().and_then(|place| {
            let member = members.get(place.index())?;
            Some((member, slots.slice(member.slots as usize..ends[place])?))
        })?;
        let list = &mut lists[member.parents];
        let list = *list.get_or_insert_with(|| store.parents.push(parents.get(member.parents)));
        Some(store.push(member.with_parents(list), own))
    });
    let arranged = arranged.map(|member| member.map(MemberOrNone::from).unwrap_or_default());
    arranged.collect()
}

/// The first row of each type, and at the end the number of rows.
fn starts(uids: &StringTable<Row>, shapes: &Shapes) -> Column<u32> {
    (0..=shapes.types.len())
        .map(|index| uids.first_of(index))
        .collect()
}
