//! The customers of a made-up partner: companies that do not exist, under domains that never will.
//!
//! Most have ordinary names. Some have names that tables, searches and exports have to bear: long ones, other scripts, both directions
//! of writing, and what HTML or a spreadsheet would take for its own.

use super::dice::Dice;

/// How many customers a partner has.
pub(super) const CUSTOMERS: u64 = 240;

const FIRST: [&str; 24] = [
    "Alderbrook",
    "Blaufeld",
    "Calder Point",
    "Dunmere",
    "Eastvale",
    "Fernholm",
    "Greywater",
    "Hazelmoor",
    "Isarquell",
    "Juniper Bay",
    "Kestrel Hill",
    "Lindental",
    "Marrowby",
    "Northgate",
    "Oakhaven",
    "Pinecrest",
    "Quarrytown",
    "Ravensholt",
    "Silverbeck",
    "Thornfield",
    "Umberley",
    "Vesterhavn",
    "Wolkenstein",
    "Yarrow",
];

const TRADES: [&str; 14] = [
    "Logistics Ltd",
    "Maschinenbau GmbH",
    "Foods Inc.",
    "Energy AG",
    "Dental Group",
    "Architects LLP",
    "Robotics B.V.",
    "Insurance plc",
    "Shipping A/S",
    "Transports SARL",
    "School District",
    "Winery",
    "Biolabs",
    "Travel Oy",
];

const STRANGE: [&str; 14] = [
    "株式会社みなと精機",
    "Überlandwerk Süd-Ost Verwaltungsgesellschaft für dezentrale Energieerzeugung und Wärmespeicherung mbH & Co. KG",
    "Компания «Северный ветер»",
    "Smith & Sons <Holdings> \"Ltd\"",
    "شركة الواحة للتقنية",
    "=Equal Footing Ltd",
    "北辰软件有限公司",
    "Ørsund & Ærø Færgefart",
    "בית השקמה בע״מ",
    "한빛물산 주식회사",
    "Αιγαίο Ναυτιλιακή Α.Ε.",
    "O'Hara; Drop & Table, Attorneys",
    "The Worshipful Company of Makers of Precision Instruments for Meteorology, Oceanography and Allied Sciences (Holdings) Limited",
    "@Home Care",
];

const SUBSCRIPTIONS: [&str; 10] = [
    "Production",
    "Azure subscription 1",
    "Development",
    "Data platform",
    "Sandbox",
    "Web shop",
    "Disaster recovery",
    "Research (do not delete)",
    "Schulungsumgebung",
    "Visual inspection, plant 2",
];

/// How many resellers stand between a partner and some of its customers.
const RESELLERS: u64 = 4;

/// Of what the dice are thrown.
const CUSTOMER: u64 = 1;
const RESELLER: u64 = 2;

/// A customer with its subscriptions.
pub(super) struct Company {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) domain: String,
    pub(super) reseller: Option<String>,
    /// Ids and names.
    pub(super) subscriptions: Vec<(String, String)>,
}

impl Company {
    /// The customer of this number, from 0 on.
    pub(super) fn of(seed: u64, number: u64) -> Self {
        let mut dice = Dice::of(seed, CUSTOMER, number);
        let id = dice.guid();
        let name = name(seed, number);
        let domain = domain(&name).unwrap_or_else(|| format!("customer-{}.example", &id[..8]));
        let through = dice.falls(30).then(|| dice.within(0, RESELLERS.cast_signed() - 1).unsigned_abs());
        let reseller = through.map(|reseller| Dice::of(seed, RESELLER, reseller).guid());
        let count = *dice.one_of(&[1_usize, 1, 1, 2, 2, 4]).unwrap_or(&1);
        let first = usize::try_from(dice.within(0, 9)).unwrap_or(0);
        let names = SUBSCRIPTIONS.iter().cycle().skip(first).take(count);
        let subscriptions = names.map(|name| (dice.guid(), (*name).to_owned())).collect();
        Self { id, name, domain, reseller, subscriptions }
    }
}

/// No two customers of a partner are called alike.
fn name(seed: u64, number: u64) -> String {
    let place = |number: u64, of: usize| usize::try_from(number).unwrap_or(0) % of;
    if number % 9 == 4 && number / 9 < 14 {
        return STRANGE[place(number / 9 + seed % 14, STRANGE.len())].to_owned();
    }
    // 37 shares no factor with the number of pairs: each comes up once.
    let pair = place(number * 37 + seed % 336, FIRST.len() * TRADES.len());
    format!("{} {}", FIRST[pair % FIRST.len()], TRADES[pair / FIRST.len()])
}

/// A domain of that name, where the name has nothing but what domains have.
fn domain(name: &str) -> Option<String> {
    let is_plain = name.chars().all(|mark| mark.is_ascii_alphanumeric() || " ./&'".contains(mark));
    let words = name.split(|mark: char| !mark.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    is_plain.then(|| format!("{}.example", words.collect::<Vec<_>>().join("-").to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_customers_of_a_partner_have_a_name_or_an_id_in_common() {
        for seed in [0, 1, 2, 3, u64::MAX] {
            let all: Vec<Company> = (0..CUSTOMERS).map(|number| Company::of(seed, number)).collect();
            let names: BTreeSet<&str> = all.iter().map(|company| company.name.as_str()).collect();
            let ids: BTreeSet<&str> = all.iter().map(|company| company.id.as_str()).collect();
            assert_eq!((names.len(), ids.len()), (all.len(), all.len()), "seed {seed}");
            assert!(STRANGE.iter().all(|name| names.contains(name)), "seed {seed}");
        }
    }
}
