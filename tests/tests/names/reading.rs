//! Names as whoever shows them reads them, and as two write them at a time.

use std::collections::BTreeSet;

use models::{NameId, TenantId};
use store::{Asked, Changed, KeepNames as _, NameAnswer, ReadNames as _};
use tests::{ByHand, TENANT};

use crate::support::{customer, found, subscription};

fn tenant() -> TenantId {
    TENANT.parse().unwrap()
}

fn of_customer(number: usize) -> NameId {
    NameId::customer(&customer(number).parse().unwrap())
}

fn given<'a>(id: &'a NameId, name: &'a str) -> Asked<'a> {
    let answer = NameAnswer::Given { name, domain: None };
    Asked { id, customer: None, seen: None, answer, due: "2026-03-09T00:00:00Z".parse().unwrap() }
}

async fn keep(system: &ByHand, asked: Asked<'_>) -> Changed {
    system.store().keep_name(&tenant(), asked, system.now()).await.unwrap()
}

#[tokio::test]
async fn any_number_of_names_is_read_in_batches_and_what_is_not_kept_is_absent() {
    let system = ByHand::start().await;
    for number in 0..130 {
        keep(&system, given(&of_customer(number), &format!("Customer {number}"))).await;
    }
    let unknown = NameId::subscription(&subscription(1).parse().unwrap());
    let ids: BTreeSet<NameId> = (0..130).map(of_customer).chain([unknown.clone()]).collect();
    let tapped =
        store::Store::new(aws_sdk_dynamodb::Client::new(&system.parts.aws), system.test.system.tables().clone());
    let _ = system.tap.take();

    let names = tapped.names(&tenant(), &ids).await.unwrap();

    assert_eq!(names.len(), 130);
    assert_eq!(names[&of_customer(129)].name.as_deref(), Some("Customer 129"));
    assert!(!names.contains_key(&unknown));
    assert_eq!(system.tap.take_operations(), ["BatchGetItem"; 2]);
    assert_eq!(tapped.names(&tenant(), &BTreeSet::new()).await.unwrap().len(), 0);
    let another: TenantId = "00000000-0000-4000-8000-00000000000a".parse().unwrap();
    assert_eq!(tapped.names(&another, &ids).await.unwrap().len(), 0, "another tenant's are not there");
}

#[tokio::test]
async fn customers_are_found_page_by_page_in_the_order_of_their_names() {
    let system = ByHand::start().await;
    for number in 0..7 {
        keep(&system, given(&of_customer(number), &format!("Contoso {}", 9 - number))).await;
    }
    keep(&system, given(&of_customer(8), "a")).await;
    let (mut names, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = system.store().customers_named(&tenant(), "CONTOSO ", 3, after.as_deref()).await.unwrap();
        names.extend(page.customers.into_iter().map(|customer| customer.name));
        pages += 1;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(names, (3..10).map(|number| format!("Contoso {number}")).collect::<Vec<_>>());
    assert_eq!(pages, 3);
    assert_eq!(found(&system, "a#").await, Vec::<String>::new(), "an id is no part of a name");
    assert_eq!(found(&system, "a").await, ["a"]);
}

#[tokio::test]
async fn of_two_who_write_a_name_at_a_time_one_is_first_and_one_key_is_left() {
    let system = ByHand::start().await;
    let id = of_customer(1);
    assert_eq!(keep(&system, given(&id, "Contoso")).await, Changed::Yes);
    assert_eq!(keep(&system, given(&id, "Fabrikam")).await, Changed::SomebodyWasQuicker);
    let seen = system.store().names(&tenant(), &BTreeSet::from([id.clone()])).await.unwrap().remove(&id).unwrap();
    let renamed = |name| Asked { seen: Some(&seen), ..given(&id, name) };
    assert_eq!(keep(&system, renamed("Adatum")).await, Changed::Yes);
    for late in ["Fabrikam", "Contoso"] {
        assert_eq!(keep(&system, renamed(late)).await, Changed::SomebodyWasQuicker, "{late}");
    }
    assert_eq!(found(&system, "").await, ["Adatum"]);
}

#[tokio::test]
async fn an_item_that_cannot_be_read_hides_no_other_name() {
    let system = ByHand::start().await;
    for number in 1..3 {
        keep(&system, given(&of_customer(number), "n")).await;
    }
    let table = &system.test.system.tables().tenants;
    let mut item = system.item(table, &format!("{TENANT}#names"), &of_customer(1).to_string()).await.unwrap();
    item.remove("due");
    system.dynamodb.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
    assert_eq!(system.store().all_names(&tenant()).await.unwrap().len(), 1);
    let ids = BTreeSet::from([of_customer(1), of_customer(2)]);
    assert_eq!(system.store().names(&tenant(), &ids).await.unwrap().len(), 1);
}
