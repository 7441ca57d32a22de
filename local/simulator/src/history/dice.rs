//! Dice that always fall alike: the same history of the same seed, on every machine and in every release.
//!
//! `SplitMix64`, since the generators of `rand` may change with a release, and since it can begin anywhere: any alert of a million is made
//! without those before it.

/// Dice that were begun somewhere.
pub(super) struct Dice(u64);

impl Dice {
    /// The dice of this thing: what it is, and its number.
    pub(super) fn of(seed: u64, what: u64, number: u64) -> Self {
        let mut dice = Self(seed);
        for part in [what, number] {
            dice.0 = dice.next() ^ part.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from the first to the second.
    pub(super) fn within(&mut self, least: i64, most: i64) -> i64 {
        let size = most.abs_diff(least) + 1;
        least.saturating_add_unsigned(self.next() % size)
    }

    /// Whether something happens that happens so often in a hundred times.
    pub(super) fn falls(&mut self, in_hundred: u64) -> bool {
        self.next() % 100 < in_hundred
    }

    /// One of these, or none where there are none.
    pub(super) fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let place = self.next().checked_rem(all.len().try_into().ok()?)?;
        all.get(usize::try_from(place).ok()?)
    }

    /// A GUID.
    pub(super) fn guid(&mut self) -> String {
        let bytes = (u128::from(self.next()) << 64) | u128::from(self.next());
        uuid::Builder::from_random_bytes(bytes.to_be_bytes()).into_uuid().to_string()
    }
}
