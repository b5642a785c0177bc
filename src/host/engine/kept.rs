//! Truth values by numbers, kept without a lock and bounded in number.

use std::sync::OnceLock;

/// The sizes of the tables; the next is made when a place in the one before is taken. All are powers of two.
const SIZES: [usize; 2] = [16, 4096];

/// The number of places in a table where a key may be.
const PLACES: usize = 8;

/// Truth values by keys. A key with a value keeps it; once all of its places are taken, a further key gets none.
#[derive(Debug, Default)]
pub(super) struct KeptTruths([OnceLock<Box<[Place]>>; SIZES.len()]);

type Place = OnceLock<(Box<[u32]>, bool)>;

impl KeptTruths {
    /// The number of keys with a value.
    pub(super) fn len(&self) -> usize {
        let tables = self.0.iter().filter_map(OnceLock::get);
        tables
            .flat_map(|table| table.iter().filter_map(OnceLock::get))
            .count()
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &[u32]) -> Option<bool> {
        let hash = hash(key);
        for table in self.0.iter().map_while(OnceLock::get) {
            for place in places(table, hash) {
                match place.get() {
                    Some((known, truth)) if **known == *key => return Some(*truth),
                    Some(_) => {}
                    // A key takes the first free place.
                    None => return None,
                }
            }
        }
        None
    }

    /// Keeps a value, if there is a place for it.
    pub(super) fn put(&self, key: &[u32], truth: bool) {
        let hash = hash(key);
        let mut entry = (Box::from(key), truth);
        for (table, size) in self.0.iter().zip(SIZES) {
            let make = || std::iter::repeat_with(Place::new).take(size).collect();
            for place in places(table.get_or_init(make), hash) {
                match place.set(entry) {
                    Ok(()) => return,
                    Err(again) => entry = again,
                }
            }
        }
    }
}

fn places(table: &[Place], hash: usize) -> impl Iterator<Item = &Place> {
    let start = hash & (table.len() - 1);
    let (before, after) = table.split_at(start);
    after.iter().chain(before).take(PLACES)
}

/// The FNV hash of the numbers.
fn hash(key: &[u32]) -> usize {
    let start = 0xcbf2_9ce4_8422_2325_u64;
    let hash = key.iter().fold(start, |hash, number| {
        (hash ^ u64::from(*number)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash ^ hash >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::{KeptTruths, SIZES};

    /// Whatever is asked, a key has its own value or none, and there is an end to what is kept.
    #[test]
    fn a_key_has_its_own_value_or_none() {
        let kept = KeptTruths::default();
        let truth = |number: u32| number.is_multiple_of(3);
        let all = 0..50_000_u32;
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for number in all.clone() {
                        kept.put(&[number, 7], truth(number));
                    }
                });
            }
        });
        let known: Vec<u32> = all
            .filter(|number| kept.get(&[*number, 7]).is_some())
            .collect();
        assert!(
            known
                .iter()
                .all(|number| kept.get(&[*number, 7]) == Some(truth(*number)))
        );
        assert!(known.len() > 1_000 && known.len() <= SIZES.iter().sum());
        assert!(kept.len() >= known.len());
        assert!(known.iter().all(|number| kept.get(&[*number]).is_none()));
    }
}
