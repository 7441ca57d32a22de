//! Pages to the end, whichever of them fails, and wherever somebody else goes on.

use models::AlertSource;
use partner_center::{MicrosoftError, Place, Walk};
use simulator::{ErrorBody, Fault, FaultKind, RetryAfter, Target};

use crate::support::{MANY, World, all, ids, list_of, page, rest};

/// Trouble that Microsoft may have with a page.
fn troubles() -> [FaultKind; 7] {
    let of_a_gateway = |status, body| FaultKind::Answer { status, body, retry_after: RetryAfter::Absent };
    [
        FaultKind::ExpiredToken,
        FaultKind::HangUp,
        FaultKind::Reset,
        FaultKind::Truncated,
        of_a_gateway(429, ErrorBody::Gateway),
        of_a_gateway(502, ErrorBody::Html),
        of_a_gateway(503, ErrorBody::Graph),
    ]
}

/// How many pages of two there are to read of six alerts: behind the last of fraudEvents comes an empty one.
fn pages_of(source: AlertSource) -> usize {
    if source == AlertSource::FraudEvents { 4 } else { 3 }
}

#[tokio::test]
async fn whichever_page_fails_for_good_the_walk_goes_on_with_that_page_as_soon_as_it_can_be_had() {
    let world = World::with(6, 2).await;
    for source in AlertSource::ALL {
        let client = world.client();
        for (fails, kind) in (0..pages_of(source)).flat_map(|page| troubles().map(|kind| (page, kind))) {
            let mut walk = Walk::new(MANY);
            world.fault_after(source, fails, kind);

            let (before, error) = rest(&mut walk, &client, source).await;

            let what = format!("{source:?}, page {fails}, {kind:?}");
            assert!(error.is_some(), "{what}");
            assert_eq!(before, ids(source, 0..(2 * fails).min(6)), "{what}");
            assert_eq!(walk.place().map(|(_, pages)| pages), (fails > 0).then_some(fails), "{what}");
            assert!(page(&mut walk, &client, source).await.is_err(), "{what}: it goes on failing");
            world.microsoft.clear_faults();
            assert_eq!(all(&mut walk, &client, source).await, ids(source, (2 * fails).min(6)..6), "{what}");
            assert_eq!(page(&mut walk, &client, source).await.unwrap(), None, "{what}");
            assert_eq!(walk.place(), None, "{what}");
        }
    }
}

#[tokio::test]
async fn whoever_takes_up_a_walk_where_it_was_left_reads_the_rest_and_nothing_twice() {
    for page_size in [1, 2, 4] {
        let world = World::with(6, page_size).await;
        for source in AlertSource::ALL {
            for left_after in 1..6_usize.div_ceil(page_size) {
                let mut walk = Walk::new(MANY);
                let one = world.client();
                let mut read = Vec::new();
                for _ in 0..left_after {
                    read.extend(page(&mut walk, &one, source).await.unwrap().unwrap());
                }
                let (place, pages) = walk.place().unwrap();
                let kept = serde_json::to_string(&(place, pages)).unwrap();
                drop((walk, one));

                let (place, pages): (Place, usize) = serde_json::from_str(&kept).unwrap();
                assert_eq!(pages, left_after);
                let mut walk = Walk::resumed(place, pages, MANY);
                read.extend(all(&mut walk, &world.client(), source).await);

                assert_eq!(read, ids(source, 0..6), "{source:?}, pages of {page_size}, left after {left_after}");
            }
        }
    }
}

#[tokio::test]
async fn what_was_read_before_a_walk_was_taken_up_counts_among_its_pages() {
    let world = World::with(6, 1).await;
    for source in AlertSource::ALL {
        let mut walk = Walk::new(4);
        page(&mut walk, &world.client(), source).await.unwrap();
        let (place, pages) = walk.place().map(|(place, pages)| (place.clone(), pages)).unwrap();

        let mut walk = Walk::resumed(place, pages, 4);
        let (read, error) = rest(&mut walk, &world.client(), source).await;

        assert_eq!(read, ids(source, 1..4));
        assert!(error.unwrap().to_string().ends_with("more than 4 pages"));
        assert_eq!(walk.place(), None, "whoever goes on there fails for ever");
    }
}

#[tokio::test]
async fn empty_pages_in_the_middle_end_nothing_where_a_link_leads_on() {
    let world = World::with(6, 2).await;
    world.set(Fault::new(Target::List, FaultKind::EmptyPage).after(1).times(3));
    let read = all(&mut Walk::new(MANY), &world.client(), AlertSource::Graph).await;
    assert_eq!(read, ids(AlertSource::Graph, 0..6));
    assert_eq!(world.listed(AlertSource::Graph), 6);
}

#[tokio::test]
async fn a_list_that_moves_while_it_is_read_shows_what_it_shows_and_ends() {
    for source in AlertSource::ALL {
        let world = World::with(6, 2).await;
        for (kind, expected) in [
            (FaultKind::AlertListedTwice, ids(source, [0, 1, 1, 2, 3, 4, 5])),
            (FaultKind::AlertSkipped, ids(source, [0, 1, 3, 4, 5])),
        ] {
            world.microsoft.clear_faults();
            // A link remembers the place that its page had come to, a number does not.
            let times = (source == AlertSource::Graph).then_some(1);
            world.set(Fault { times, ..Fault::new(list_of(source), kind).after(1) });
            assert_eq!(all(&mut Walk::new(MANY), &world.client(), source).await, expected, "{source:?}, {kind:?}");
        }
    }
}

#[tokio::test]
async fn links_that_lead_in_a_circle_on_and_on_or_to_an_address_without_tls_are_errors() {
    for (kind, requests, problem, lost) in [
        (FaultKind::LoopingNextLink, 2, "its pages lead back to one that was read", true),
        (FaultKind::EndlessPages, 20, "more than 20 pages", true),
        (FaultKind::PlainNextLink, 2, "a next link that leaves Graph's host", false),
        (FaultKind::ForeignNextLink, 2, "a next link that leaves Graph's host", false),
    ] {
        let world = World::with(4, 2).await;
        let (mut walk, client) = (Walk::new(MANY), world.client());
        let first = page(&mut walk, &client, AlertSource::Graph).await.unwrap();
        world.fault_after(AlertSource::Graph, 0, kind);

        let (_, error) = rest(&mut walk, &client, AlertSource::Graph).await;

        assert_eq!(first, Some(ids(AlertSource::Graph, 0..2)));
        let error = error.unwrap();
        assert!(matches!(error, MicrosoftError::BadAnswer { .. }), "{kind:?}: {error:?}");
        assert!(error.to_string().ends_with(problem), "{kind:?}: {error}");
        assert_eq!(world.listed(AlertSource::Graph), requests, "{kind:?}");
        assert_eq!(walk.place().is_none(), lost, "{kind:?}");
        assert!(page(&mut walk, &client, AlertSource::Graph).await.is_err(), "{kind:?}: it is no end");
    }
}

#[tokio::test]
async fn fraud_events_without_end_end_at_the_bound() {
    let world = World::with(4, 2).await;
    world.fault_after(AlertSource::FraudEvents, 0, FaultKind::EndlessPages);
    let mut walk = Walk::new(MANY);
    let (read, error) = rest(&mut walk, &world.client(), AlertSource::FraudEvents).await;
    assert_eq!((read.len(), world.listed(AlertSource::FraudEvents)), (40, 20));
    assert!(error.unwrap().to_string().ends_with("more than 20 pages"));
    assert_eq!(walk.place(), None);
}
