//! The local AWS endpoint, and the database behind it, answer nobody but the local system.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::sync::Arc;

use local::System;
use runtime::Variables;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

async fn system(folder: &TempDir) -> System {
    let any = || "127.0.0.1:0".to_owned();
    let variables = Variables::default().over([
        ("LOCAL_GATEWAY", any()),
        ("LOCAL_MICROSOFT", any()),
        ("LOCAL_CONTROL", any()),
        ("LOCAL_STATE_DIRECTORY", folder.path().join("state").display().to_string()),
        ("LOCAL_DEMONSTRATION", "off".to_owned()),
        ("LOCAL_SCHEDULE", "off".to_owned()),
    ]);
    System::start(variables, Arc::new(|_| {})).await.unwrap()
}

/// Sends a request as it is and gives the status of the answer.
async fn status(address: &str, request: String) -> u16 {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap().parse().unwrap()
}

fn list_tables(host: &str, key: &str, extra: &str) -> String {
    let date = "20260401T000000Z";
    format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/x-amz-json-1.0\r\n\
         X-Amz-Target: DynamoDB_20120810.ListTables\r\nX-Amz-Date: {date}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential={key}/20260401/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, \
         Signature=00\r\n{extra}Content-Length: 2\r\n\r\n{{}}"
    )
}

#[tokio::test]
async fn only_the_key_of_this_start_opens_the_database_and_no_web_page_does() {
    use aws_credential_types::provider::ProvideCredentials as _;

    let folder = TempDir::new().unwrap();
    let system = system(&folder).await;
    let aws = &system.parts().aws;
    let address = aws.endpoint_url().unwrap().strip_prefix("http://").unwrap().to_owned();
    let credentials = aws.credentials_provider().unwrap().provide_credentials().await.unwrap();
    let key = credentials.access_key_id();
    let port = address.rsplit(':').next().unwrap();

    assert_eq!(status(&address, list_tables(&address, key, "")).await, 200, "the key of this start");
    for (what, request) in [
        ("another key", list_tables(&address, "AKIAEXAMPLE", "")),
        ("no key", list_tables(&address, "", "")),
        ("a key that begins alike", list_tables(&address, &key[1..], "")),
        ("a web page", list_tables(&address, key, "Origin: https://evil.example\r\n")),
        ("a web page without an origin", list_tables(&address, key, "Origin: null\r\n")),
        ("a name that was bound to loopback", list_tables("evil.example", key, "")),
        ("such a name with the port", list_tables(&format!("evil.example:{port}"), key, "")),
        ("no authorization", "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned()),
    ] {
        assert_eq!(status(&address, request).await, 403, "{what}");
    }
    system.stop().await;
}

#[cfg(unix)]
#[tokio::test]
async fn state_is_readable_by_its_owner_only_and_the_key_is_not_in_it() {
    use std::os::unix::fs::PermissionsExt as _;

    use aws_credential_types::provider::ProvideCredentials as _;

    let folder = TempDir::new().unwrap();
    let system = system(&folder).await;
    let provider = system.parts().aws.credentials_provider().unwrap();
    let key = provider.provide_credentials().await.unwrap().access_key_id().to_owned();
    system.stop().await;
    let state = folder.path().join("state");
    assert_eq!(std::fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o700);
    for entry in std::fs::read_dir(&state).unwrap() {
        let path = entry.unwrap().path();
        let content = std::fs::read(&path).unwrap();
        assert!(!content.windows(key.len()).any(|window| window == key.as_bytes()), "{}", path.display());
    }
}
