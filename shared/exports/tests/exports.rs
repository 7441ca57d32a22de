//! What an export makes of alerts: strict CSV whose cells stay text, and JSON, the same whatever the pages.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use exports::{Export, ExportError, Format, Most, What, guarded, unguarded};
use made_alerts::{DETECTED, alert};
use models::{
    Actor, AffectedResource, Alert, AlertId, AlertNote, AlertSource, Head, Known, Marks, NameId, Note, Person,
    Resolution, ResolvedReason, Status, Tenant, TenantId, Turned, Work,
};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};
use store::{
    AlertAtWork, CustomersPage, KeptName, ListQuery, ReadNames, ReadWork, StoreError, StoredAlert, WalkAlerts,
    WalkPage, WalkPosition, WholeAlert,
};

const TENANT: &str = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10";

/// Tenants with pages of alerts, each tenant's under its id. A page is known by its place, which its position has.
#[derive(Clone, Default)]
struct Kept {
    pages: HashMap<TenantId, Vec<WalkPage>>,
    names: HashMap<NameId, String>,
    has_names: bool,
}

impl WalkAlerts for Kept {
    async fn walk(
        &self,
        tenant: &TenantId,
        _: &ListQuery,
        from: Option<&WalkPosition>,
        _: usize,
    ) -> Result<WalkPage, StoreError> {
        let pages = &self.pages[tenant];
        let place = from.map_or(0, |from| pages.iter().position(|page| page.next.as_ref() == Some(from)).unwrap() + 1);
        Ok(pages[place].clone())
    }
}

impl ReadWork for Kept {
    async fn at_work(&self, tenant: &TenantId, id: &AlertId) -> Result<Option<AlertAtWork>, StoreError> {
        let alerts = self.pages[tenant].iter().flat_map(|page| &page.alerts);
        let found = alerts.clone().find(|alert| alert.stored.known.alert.id == *id).cloned();
        Ok(found.map(|WholeAlert { stored, work }| AlertAtWork { stored, work, head: None, begun: None }))
    }

    async fn tenant_head(&self, _: &TenantId) -> Result<Option<Head>, StoreError> {
        Ok(None)
    }
}

impl ReadNames for Kept {
    async fn names(&self, _: &TenantId, of: &BTreeSet<NameId>) -> Result<HashMap<NameId, KeptName>, StoreError> {
        if !self.has_names {
            let table = store::TableRole::Tenants;
            return Err(StoreError::Contended { action: "BatchGetItem (names)", table, attempts: 5 });
        }
        let kept = of.iter().filter_map(|id| {
            let name = self.names.get(id)?.clone();
            Some((id.clone(), KeptName::brought(id.clone(), name, DETECTED)))
        });
        Ok(kept.collect())
    }

    async fn customers_named(
        &self,
        _: &TenantId,
        _: &str,
        _: u16,
        _: Option<&str>,
    ) -> Result<CustomersPage, StoreError> {
        Ok(CustomersPage::default())
    }
}

fn tenant(id: &str, name: &str) -> Tenant {
    let tenant = json!({
        "id": id, "display_name": name, "active": true, "cloud": "global", "read_secret": "x", "path_key_hashes": [],
    });
    serde_json::from_value(tenant).unwrap()
}

fn whole(alert: Alert, work: Work) -> WholeAlert {
    let known = Known::seen(Arc::new(alert), AlertSource::Graph, 1);
    WholeAlert { stored: StoredAlert { known, version: 7, turned: Turned::default() }, work }
}

/// Pages of these sizes at most, with nothing on some of them.
fn pages(alerts: Vec<WholeAlert>, sizes: &[usize]) -> Vec<WalkPage> {
    let mut alerts = alerts.into_iter();
    let mut pages: Vec<WalkPage> = sizes
        .iter()
        .map(|size| WalkPage { alerts: alerts.by_ref().take(*size).collect(), read: 500, ..WalkPage::default() })
        .collect();
    pages.push(WalkPage { alerts: alerts.collect(), read: 500, ..WalkPage::default() });
    let last = pages.len() - 1;
    for (place, page) in pages.iter_mut().take(last).enumerate() {
        let position = json!({ "detected": place.to_string(), "partition": "x" });
        page.next = Some(serde_json::from_value(position).unwrap());
    }
    pages
}

fn kept(alerts: Vec<WholeAlert>, sizes: &[usize]) -> Kept {
    let pages = HashMap::from([(TENANT.parse().unwrap(), pages(alerts, sizes))]);
    Kept { pages, has_names: true, ..Kept::default() }
}

fn query() -> What {
    What::Of(Box::new(ListQuery::open()))
}

fn export(kept: &Kept, format: Format) -> Export<Kept> {
    Export::new(kept.clone(), [tenant(TENANT, "Contoso Partner")], query(), format, DETECTED)
}

/// The whole text, with the size of the largest part.
fn text_of(mut export: Export<Kept>) -> Result<(String, usize), ExportError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (mut text, mut largest) = (Vec::new(), 0);
        while let Some(part) = export.next().await? {
            assert!(!part.is_empty());
            largest = largest.max(part.len());
            text.extend(part);
        }
        Ok((String::from_utf8(text).unwrap(), largest))
    })
}

/// RFC 4180, and nothing beside it: records end with CR LF, quotes stand around whole cells alone, and within them each is doubled.
fn strictly(text: &str) -> Vec<Vec<String>> {
    let mut rest = text.strip_prefix('\u{feff}').unwrap();
    let (mut records, mut record) = (Vec::new(), Vec::new());
    while !rest.is_empty() {
        let mut cell = String::new();
        if let Some(mut quoted) = rest.strip_prefix('"') {
            loop {
                let (before, behind) = quoted.split_once('"').unwrap();
                cell.push_str(before);
                match behind.strip_prefix('"') {
                    Some(more) => (cell.push('"'), quoted = more).1,
                    None => break rest = behind,
                }
            }
        } else {
            let end = rest.find([',', '\r', '\n', '"']).unwrap();
            cell.push_str(&rest[..end]);
            rest = &rest[end..];
        }
        record.push(cell);
        if let Some(more) = rest.strip_prefix(',') {
            rest = more;
        } else {
            rest = rest.strip_prefix("\r\n").unwrap();
            records.push(std::mem::take(&mut record));
        }
    }
    records
}

/// An alert of which everything is said that can be.
fn full() -> WholeAlert {
    let person = Person::new(TENANT.parse().unwrap(), "77777777-2222-4333-8444-555555555555".parse().unwrap(), "a@x");
    let note = AlertNote {
        id: "00000000-0000-4000-8000-000000000001".parse().unwrap(),
        at: DETECTED,
        by: Actor::Person(person.clone()),
        text: "Called them.".parse::<Note>().unwrap(),
        others: BTreeMap::new(),
    };
    let resource = AffectedResource { resource_id: "/subscriptions/s/vm".to_owned(), resource_type: None };
    let alert = Alert {
        description: Some("=1+1, see \"it\"\r\n".to_owned()),
        status: Status::Resolved,
        customer_id: Some("C-1".parse().unwrap()),
        subscription_id: Some("001".parse().unwrap()),
        reseller_id: Some("r-1".to_owned()),
        catalog_offer_id: Some("MS-AZR-0017G".to_owned()),
        resolution: Resolution {
            reason: Some(ResolvedReason::Fraud),
            on: Some("2026-03-02T09:30:00Z".parse().unwrap()),
            by: Some("@somebody".to_owned()),
        },
        affected_resources: vec![resource],
        additional_details: BTreeMap::from([("count".to_owned(), json!(3))]),
        ..alert("8675309")
    };
    let marks = Marks { assignee: Some(person), notes: 1, ..Marks::default() };
    whole(alert, Work { marks, notes: vec![note] })
}

fn with_names() -> Kept {
    let names = [("customer#c-1", "=Fabrikam"), ("subscription#001", "Azure plan")];
    let names = names.map(|(id, name)| (id.parse().unwrap(), name.to_owned()));
    Kept { names: names.into(), ..kept(vec![full()], &[]) }
}

#[test]
fn a_record_of_csv_says_all_that_is_known_and_its_cells_stay_text() {
    let export = export(&with_names(), Format::Csv).with_links_to("https://alerts.example");
    let records = strictly(&text_of(export).unwrap().0);
    let [names, cells] = records.as_slice() else { panic!("{records:?}") };
    let said: Vec<_> = names.iter().zip(cells).filter(|(_, cell)| !cell.is_empty()).collect();
    let said: Vec<_> = said.iter().map(|(name, cell)| (name.as_str(), cell.as_str())).collect();
    assert_eq!(
        said,
        [
            ("partner_tenant_id", TENANT),
            ("partner_tenant_name", "Contoso Partner"),
            ("alert_id", "'8675309"),
            ("alert_name", "Connections to known mining pools"),
            ("severity", "high"),
            ("status", "resolved"),
            ("customer_id", "C-1"),
            ("customer_name", "'=Fabrikam"),
            ("subscription_id", "'001"),
            ("subscription_name", "Azure plan"),
            ("reseller_id", "r-1"),
            ("detected", "2026-03-02T09:00:00Z"),
            ("first_observed", "2026-03-02T09:00:00Z"),
            ("last_observed", "2026-03-02T09:00:00Z"),
            ("answer_due", "2026-03-02T10:00:00Z"),
            ("resolved_on", "2026-03-02T09:30:00Z"),
            ("resolved_reason", "fraud"),
            ("resolved_by", "'@somebody"),
            ("response_seconds", "1800"),
            ("alert_type", "CryptoMining"),
            ("portal_type", "Azure Usage"),
            ("catalog_offer", "MS-AZR-0017G"),
            ("is_test", "false"),
            ("is_gone", "false"),
            ("is_pending", "false"),
            ("not_accepted", "false"),
            ("assignee", "a@x"),
            ("assignee_id", "77777777-2222-4333-8444-555555555555"),
            ("version", "7"),
            ("link", &format!("https://alerts.example/alerts/{TENANT}/8675309")),
            ("portal_link", "https://portal.azure.com/C%2D1#resource/subscriptions/001/overview"),
            ("description", "'=1+1, see \"it\"\r\n"),
            ("resources", r#"[{"id":"/subscriptions/s/vm","type":null}]"#),
            ("details", r#"{"count":3}"#),
            ("notes", r#"[{"at":"2026-03-02T09:00:00Z","by":"a@x","text":"Called them."}]"#),
        ]
    );
}

#[test]
fn a_record_of_json_says_the_same_with_its_own_types() {
    let (text, _) = text_of(export(&with_names(), Format::Json)).unwrap();
    let records: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        records,
        json!([{
            "tenant": { "id": TENANT, "name": "Contoso Partner" },
            "id": "8675309", "version": 7, "name": "Connections to known mining pools",
            "type": "CryptoMining", "portal_type": "Azure Usage", "status": "resolved", "severity": "high", "confidence": null,
            "customer": { "id": "C-1", "name": "=Fabrikam" },
            "subscription": { "id": "001", "name": "Azure plan" },
            "reseller": { "id": "r-1", "name": null },
            "catalog_offer": "MS-AZR-0017G",
            "detected": "2026-03-02T09:00:00Z", "first_observed": "2026-03-02T09:00:00Z", "last_observed": "2026-03-02T09:00:00Z",
            "known_since": null, "answer_due": "2026-03-02T10:00:00Z",
            "resolved_reason": "fraud", "resolved_on": "2026-03-02T09:30:00Z", "resolved_by": "@somebody", "response_seconds": 1800,
            "is_test": false, "is_gone": false, "is_pending": false, "not_accepted": false,
            "assignee": { "tenant": TENANT, "id": "77777777-2222-4333-8444-555555555555", "name": "a@x" },
            "snooze": null,
            "description": "=1+1, see \"it\"\r\n",
            "resources": [{ "id": "/subscriptions/s/vm", "type": null }],
            "history": [],
            "details": { "count": 3 },
            "notes": [{ "at": "2026-03-02T09:00:00Z", "by": "a@x", "text": "Called them." }],
            "link": null,
            "portal_link": "https://portal.azure.com/C%2D1#resource/subscriptions/001/overview",
        }])
    );
}

/// Texts as somebody writes them who wants a spreadsheet to calculate, and any others.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ \t\r\n\0'\"\u{feff}\u{200b}\u{a0}]{0,3}[=+@＝＋－＠-]?[0-9a-z,;|!()\"'\r\n]{0,12}",
        "[0-9.,:/eE-]{1,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn no_cell_begins_a_formula_and_each_gives_its_text_back(texts in vec((any_text(), any_text(), any_text()), 0..6)) {
        let alert = |(number, (name, description, detail)): (usize, &(String, String, String))| Alert {
            display_name: name.clone(),
            description: Some(description.clone()),
            reseller_id: Some(detail.clone()),
            additional_details: BTreeMap::from([(name.clone(), json!(detail))]),
            ..alert(&format!("a-{number}"))
        };
        let alerts: Vec<_> = texts.iter().enumerate().map(alert).collect();
        let kept = kept(alerts.iter().map(|alert| whole(alert.clone(), Work::default())).collect(), &[2]);
        let records = strictly(&text_of(export(&kept, Format::Csv)).unwrap().0);
        prop_assert_eq!(records.len(), alerts.len() + 1);
        let place = |name: &str| records[0].iter().position(|column| column == name).unwrap();
        let (name, description, reseller, details) =
            (place("alert_name"), place("description"), place("reseller_id"), place("details"));
        for (record, alert) in records[1..].iter().zip(&alerts) {
            prop_assert_eq!(record.len(), records[0].len());
            for cell in record {
                let begins = cell.trim_start_matches([' ', '"', '\u{a0}', '\u{200b}', '\u{feff}']);
                prop_assert!(!begins.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠']), "{:?}", cell);
            }
            prop_assert_eq!(unguarded(&record[name]), &alert.display_name);
            prop_assert_eq!(unguarded(&record[description]), alert.description.as_deref().unwrap());
            prop_assert_eq!(unguarded(&record[reseller]), alert.reseller_id.as_deref().unwrap());
            let kept: BTreeMap<String, Value> = serde_json::from_str(&record[details]).unwrap();
            prop_assert_eq!(&kept, &alert.additional_details);
        }
        let (text, _) = text_of(export(&kept, Format::Json)).unwrap();
        let records: Vec<Value> = serde_json::from_str(&text).unwrap();
        let names: Vec<_> = records.iter().map(|record| record["name"].as_str().unwrap()).collect();
        prop_assert_eq!(names, alerts.iter().map(|alert| alert.display_name.as_str()).collect::<Vec<_>>());
    }

    #[test]
    fn a_cell_gives_its_text_back_however_often_it_is_made_a_cell_of(text in any_text()) {
        let once = guarded(&text).into_owned();
        let twice = guarded(&once).into_owned();
        prop_assert_eq!(unguarded(&once), text.as_str());
        prop_assert_eq!(unguarded(&twice), once.as_str());
    }
}

fn many(count: usize) -> Vec<WholeAlert> {
    (0..count).map(|number| whole(alert(&format!("a-{number}")), Work::default())).collect()
}

#[test]
fn the_text_is_the_same_whatever_the_pages_and_over_several_tenants() {
    for format in [Format::Csv, Format::Json] {
        let (whole, _) = text_of(export(&kept(many(7), &[]), format)).unwrap();
        for sizes in [&[1_usize, 1, 1][..], &[0, 3, 0, 4, 0], &[7, 0]] {
            let (paged, _) = text_of(export(&kept(many(7), sizes), format)).unwrap();
            assert_eq!(paged, whole, "{sizes:?}");
        }
        let (two, none) = (format!("{}1", &TENANT[..35]), format!("{}2", &TENANT[..35]));
        let mut kept = kept(many(2), &[1]);
        kept.pages.insert(none.parse().unwrap(), pages(Vec::new(), &[0]));
        kept.pages.insert(two.parse().unwrap(), pages(many(1), &[]));
        let tenants = [tenant(&none, "None"), tenant(TENANT, "One"), tenant(&two, "Two")];
        let (text, _) = text_of(Export::new(kept, tenants, query(), format, DETECTED)).unwrap();
        let rows = text.matches("Connections to known mining pools").count();
        assert_eq!((rows, text.matches("\"Two\"").count() + text.matches(",Two,").count()), (3, 1), "{text}");
    }
}

#[test]
fn an_export_of_nothing_is_a_head_alone_or_an_empty_array() {
    for kept in [kept(Vec::new(), &[]), kept(Vec::new(), &[0, 0])] {
        assert_eq!(strictly(&text_of(export(&kept, Format::Csv)).unwrap().0).len(), 1);
        let (text, _) = text_of(export(&kept, Format::Json)).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json!([]));
    }
}

#[test]
fn one_alert_is_exported_by_its_id_and_none_where_nothing_was_found() {
    for (what, rows) in [(What::Alert("a-1".parse().unwrap()), 1), (What::Nothing, 0)] {
        let tenants = [tenant(TENANT, "x")];
        let export = Export::new(kept(many(3), &[1]), tenants, what, Format::Json, DETECTED);
        let records: Vec<Value> = serde_json::from_str(&text_of(export).unwrap().0).unwrap();
        assert_eq!(records.len(), rows);
        assert!(records.iter().all(|record| record["id"] == "a-1"));
    }
}

#[test]
fn an_export_that_may_be_so_much_ends_where_it_is_more() {
    let all = Most { rows: 6, bytes: usize::MAX, read: 1_000 };
    let kept = kept(many(6), &[3]);
    let (text, largest) = text_of(export(&kept, Format::Csv).of_at_most(all)).unwrap();
    assert!(largest < text.len(), "in parts");
    // As it stands within JSON.
    let bytes = serde_json::to_string(&text).unwrap().len() - 2;
    assert!(text_of(export(&kept, Format::Csv).of_at_most(Most { bytes, ..all })).is_ok());
    for less in [Most { rows: 5, ..all }, Most { bytes: bytes - 1, ..all }, Most { read: 999, ..all }] {
        let ended = text_of(export(&kept, Format::Csv).of_at_most(less));
        assert!(matches!(ended, Err(ExportError::TooMuch(most)) if most == less), "{ended:?}");
    }
}

#[test]
fn what_can_not_be_read_is_counted_and_a_name_that_can_not_is_left_out() {
    let mut kept = with_names();
    kept.has_names = false;
    kept.pages.values_mut().for_each(|pages| pages[0].unreadable = 2);
    let mut export = export(&kept, Format::Json);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let text = runtime.block_on(async {
        let mut text = Vec::new();
        while let Some(part) = export.next().await.unwrap() {
            text.extend(part);
        }
        text
    });
    let records: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(records[0]["customer"], json!({ "id": "C-1", "name": null }));
    assert_eq!((export.rows(), export.unreadable()), (1, 2));
}
