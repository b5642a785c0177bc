//! Cells of resources, with sets written out by hand.

use std::collections::BTreeSet;

use super::super::bits::BitRows;
use super::super::membership::{Batch, OwnedSet};
use super::*;
use crate::bulk::index::ClassId;

/// `count` sets, of which the policies of the first action read those in `asked`.
fn sets(count: usize, asked: &[usize]) -> Vec<OwnedSet> {
    let set = |number| OwnedSet {
        state: StateId::new(0),
        rows: Vec::new(),
        is_itself: false,
        asked: match asked.contains(&number) {
            true => BTreeSet::from([(StateId::new(0), ActionId::new(0))]),
            false => BTreeSet::new(),
        },
    };
    (0..count).map(set).collect()
}

/// A class of people whose first set has this bit.
fn member(sets: &[OwnedSet], start: usize) -> Member<'_> {
    Member {
        class: ClassId::new(0),
        sets,
        start,
    }
}

/// Resources in these classes.
fn resources(classes: &[u32]) -> Resources {
    let classes: IndexVec<ResourceId, u32> = classes.iter().copied().collect();
    Partition::new(classes.len(), |resource, seen| seen.push(classes[resource]))
}

/// For each resource, the words of the sets that it is in.
fn membership(words: usize, of: &[&[u64]]) -> Membership {
    let mut rows = BitRows::new(words, of.len());
    for (resource, bits) in of.iter().enumerate() {
        rows[ResourceId::from_usize(resource)].copy_from_slice(bits);
    }
    Membership(rows)
}

/// The cell of each resource, and the number of resources in each cell.
fn cells(split: &CellSplit<'_>, resources: usize) -> (Vec<u32>, Vec<u64>) {
    let of = (0..resources).map(|resource| split.cell(ResourceId::from_usize(resource)).raw());
    let counts = split.cells().iter().map(|cell| cell.count);
    (of.collect(), counts.collect())
}

#[test]
fn a_batch_has_as_many_sets_as_a_word_holds() {
    let of_classes = [40, 20, 10, 100, 1].map(|count| sets(count, &[]));
    let classes = (0..).map(ClassId::new);
    let batches = Batch::all(classes.zip(of_classes.iter().map(Vec::as_slice)));
    let laid_out: Vec<(usize, Vec<(u32, usize)>)> = batches
        .iter()
        .map(|batch| {
            let members = batch.members.iter();
            let members = members.map(|member| (member.class.raw(), member.start));
            (batch.words, members.collect())
        })
        .collect();
    assert_eq!(
        laid_out,
        [
            (1, vec![(0, 0), (1, 40)]),
            (1, vec![(2, 0)]),
            (2, vec![(3, 0)]),
            (1, vec![(4, 0)]),
        ]
    );
}

#[test]
fn neighbours_share_atoms_as_long_as_their_sets_are_few() {
    let of_classes = [2, 2, 3, 9, 1, 4].map(|count| sets(count, &[]));
    let classes = (0..).map(ClassId::new);
    let batches = Batch::all(classes.zip(of_classes.iter().map(Vec::as_slice)));
    let shares = batches.iter().flat_map(|batch| batch.shares(4));
    let shares = shares.map(|members| {
        let classes = members.iter().map(|member| member.class.raw());
        (classes.collect(), span(members))
    });
    let shares: Vec<(Vec<u32>, (usize, usize))> = shares.collect();
    assert_eq!(
        shares,
        [
            (vec![0, 1], (0, 4)),
            (vec![2], (4, 3)),
            (vec![3], (7, 9)),
            (vec![4], (16, 1)),
            (vec![5], (17, 4)),
        ]
    );
    // However many the classes are, everybody is in a share.
    let shares = batches.iter();
    let shares = shares.flat_map(|batch| batch.shares(shared_sets(1 << 20)));
    assert_eq!(shares.flatten().count(), 6);
}

#[test]
fn those_who_share_atoms_have_cells_of_their_own() {
    let classes = resources(&[7, 7, 8, 7, 7]);
    let (two, one) = (sets(2, &[]), sets(1, &[]));
    let members = [member(&two, 1), member(&one, 3)];
    let membership = membership(1, &[&[0b0010], &[0b1010], &[0b1010], &[0b1000], &[0b0010]]);
    let atoms = Atoms::of_members(&members, &membership, &classes);
    let [first, second] = members
        .each_ref()
        .map(|member| CellSplit::new(&atoms, member));
    assert_eq!(cells(&first, 5), (vec![0, 0, 1, 2, 0], vec![3, 1, 1]));
    assert_eq!(cells(&second, 5), (vec![0, 1, 2, 1, 0], vec![2, 2, 1]));
    // What either marks is marked, and nothing else.
    let mut any = first.marked(&[false, false, true].into_iter().collect());
    any.join(&second.marked(&[false, false, true].into_iter().collect()));
    let mut marks = IndexVec::filled(false, 5);
    atoms.mark(&any, &mut marks);
    assert_eq!(marks.raw, [false, false, true, true, false]);
    let mut unmarked = IndexVec::filled(false, 5);
    atoms.mark(&first.marked(&CellMarks::new()), &mut unmarked);
    assert!(!unmarked.raw.contains(&true));
}

#[test]
fn a_cell_has_the_resources_of_a_class_in_the_same_sets() {
    let classes = resources(&[7, 7, 8, 8, 7]);
    let sets = sets(2, &[]);
    let member = member(&sets, 0);
    let membership = membership(1, &[&[0b01], &[0b10], &[0b01], &[0b01], &[0b01]]);
    let atoms = Atoms::of_members(std::slice::from_ref(&member), &membership, &classes);
    let split = CellSplit::new(&atoms, &member);
    assert_eq!(cells(&split, 5), (vec![0, 1, 2, 2, 0], vec![2, 1, 2]));
    let firsts: Vec<u32> = split.cells().iter().map(|cell| cell.first.raw()).collect();
    assert_eq!(firsts, [0, 1, 2]);
    assert!(!split.is_whole());
}

#[test]
fn the_sets_of_others_do_not_split() {
    let classes = resources(&[7, 7, 7]);
    let sets = sets(1, &[]);
    let member = member(&sets, 3);
    // Only the fourth bit is of this member.
    let membership = membership(1, &[&[0b0111], &[0b1000], &[0b10000]]);
    let atoms = Atoms::of_members(std::slice::from_ref(&member), &membership, &classes);
    let split = CellSplit::new(&atoms, &member);
    assert_eq!(cells(&split, 3), (vec![0, 1, 0], vec![2, 1]));
}

#[test]
fn sets_of_several_words_split_as_well() {
    let classes = resources(&[7, 7, 7]);
    let sets = sets(70, &[]);
    let member = member(&sets, 0);
    let membership = membership(2, &[&[0, 1], &[0, 2], &[0, 1]]);
    let atoms = Atoms::of_members(std::slice::from_ref(&member), &membership, &classes);
    let split = CellSplit::new(&atoms, &member);
    assert_eq!(cells(&split, 3), (vec![0, 1, 0], vec![2, 1]));
}

#[test]
fn who_has_no_sets_has_the_classes() {
    let classes = resources(&[7, 8, 7]);
    let atoms = Atoms::whole(&classes);
    let member = Member::without_sets(ClassId::new(0));
    let split = CellSplit::new(&atoms, &member);
    assert_eq!(cells(&split, 3), (vec![0, 1, 0], vec![2, 1]));
    assert!(split.is_whole());
}

#[test]
fn an_action_sees_the_sets_that_its_policies_ask_about() {
    let classes = resources(&[7, 7, 7]);
    let sets = sets(2, &[1]);
    let member = member(&sets, 0);
    let membership = membership(1, &[&[0b00], &[0b01], &[0b10]]);
    let atoms = Atoms::of_members(std::slice::from_ref(&member), &membership, &classes);
    let split = CellSplit::new(&atoms, &member);
    let read = |cell| split.sets_read(CellId::new(cell), StateId::new(0), ActionId::new(0));
    assert_eq!([0, 1, 2].map(read), [0b00, 0b00, 0b10]);
    // The sets are not asked about for another action.
    assert_eq!(
        split.sets_read(CellId::new(2), StateId::new(0), ActionId::new(1)),
        0
    );
}
