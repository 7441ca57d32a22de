//! Sessions: begun, used, ended.

use identity::{Session, SessionId, SessionKey};
use store::{KeepSessions as _, ReadSessions as _, TouchSessions as _};
use tests::somebody;

use crate::support::{Bench, noon, seconds};

fn key(byte: u8) -> SessionKey {
    SessionId::from_random([byte; 32]).key()
}

fn session() -> Session {
    let ada = somebody::claims("77777777-1111-4222-8333-444444444444", "ada@contoso.example", &["AdminAgent"]);
    Session::begin(ada, noon())
}

#[tokio::test]
async fn a_session_is_read_as_it_was_kept_until_it_is_ended() {
    let bench = Bench::new().await;
    assert_eq!(bench.store.session(&key(1)).await.unwrap(), None);
    bench.store.put_session(&key(1), &session()).await.unwrap();
    assert_eq!(bench.store.session(&key(1)).await.unwrap(), Some(session()));
    assert_eq!(bench.store.session(&key(2)).await.unwrap(), None);
    bench.store.delete_session(&key(1)).await.unwrap();
    bench.store.delete_session(&key(1)).await.unwrap();
    assert_eq!(bench.store.session(&key(1)).await.unwrap(), None);
}

#[tokio::test]
async fn a_use_moves_when_it_was_seen_and_what_has_ended_stays_so() {
    let bench = Bench::new().await;
    let later = noon() + seconds(400);
    assert!(!bench.store.touch_session(&key(1), &session(), later).await.unwrap());
    assert_eq!(bench.store.session(&key(1)).await.unwrap(), None, "nothing was made");
    bench.store.put_session(&key(1), &session()).await.unwrap();
    assert!(bench.store.touch_session(&key(1), &session(), later).await.unwrap());
    assert_eq!(bench.store.session(&key(1)).await.unwrap(), Some(Session { seen: later, ..session() }));
}
