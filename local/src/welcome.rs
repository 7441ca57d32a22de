//! What is shown: where the system listens, how to use it, and each message as it is published.

use std::io::Write as _;

use crate::aws::sns::Published;

/// Where things are.
pub(crate) struct Places<'a> {
    pub(crate) callback: &'a str,
    pub(crate) sign_in: &'a str,
    pub(crate) api: &'a str,
    pub(crate) microsoft: &'a str,
    pub(crate) control: &'a str,
    pub(crate) state: &'a str,
    /// The file that sets a shell up for the command line.
    pub(crate) environment: &'a str,
    pub(crate) tenant: &'a str,
}

pub(crate) fn welcome(places: &Places<'_>) -> String {
    let Places { callback, sign_in, api, microsoft, control, state, environment, tenant } = places;
    format!(
        "\
Partner Alerts runs on this machine, with a stand-in for Microsoft.

  callback address     {callback}
  sign in              {sign_in}
  simulated Microsoft  {microsoft}
  simulator's control  {control}
  state                {state}

In a second terminal:

  raise an alert           curl -X POST {control}/alerts
  send a signed callback   curl -X POST {control}/callbacks
  send the same again      curl -X POST {control}/callbacks -H 'Content-Type: application/json' -d '{{\"repeat\": true}}'
  send a forged one        curl -X POST {control}/callbacks -H 'Content-Type: application/json' -d '{{\"forged\": true}}'
  let the next person in   curl -X POST {control}/sign-ins -H 'Content-Type: application/json' -d '{{\"decision\": \"approve\", \"ahead\": true}}'
  everything else          curl {control}/

The API ({api}, described by docs/openapi.json) takes a token, which the stand-in gives to whoever asks:

  get a token              TOKEN=$(curl -s -X POST {control}/access-tokens)
  the alerts               curl -H \"Authorization: Bearer $TOKEN\" {api}/alerts
  the four figures         curl -H \"Authorization: Bearer $TOKEN\" {api}/statistics
  who am I                 curl -H \"Authorization: Bearer $TOKEN\" {api}/me

The command line (cargo install --locked --path cli) works on it once a shell is set up for it, which goes as long as this runs:

  set a shell up           . {environment}
  see that all is well     partner-alerts doctor
  the tenants              partner-alerts tenants list
  register the webhook     partner-alerts webhook register {tenant} --url \"$LOCAL_CALLBACK_URL\"
  see what is registered   partner-alerts webhook show {tenant}
  have a test event sent   partner-alerts webhook test {tenant}

Signing in is for a browser: it asks who you want to be. That page is the stand-in's, whose certificate no browser knows; go on past the warning.

An alert that no callback announces is found by the schedule. Ctrl-C stops; state is kept, but for what
the stand-in for Microsoft was told: registrations, consents, faults.
"
    )
}

/// Shows a message as it is published: what a person gets, and what a program gets.
pub fn show(message: &Published) {
    let attributes: Vec<_> = message.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let block = format!(
        "\n--- published to {}\nSubject: {}\n\n{}\nAttributes: {}\nJSON: {}\n---",
        topic_name(&message.topic),
        message.subject,
        message.text,
        attributes.join(", "),
        message.json,
    );
    // One write, so that two messages do not mix; where nobody listens, nothing is lost but the sight of it.
    let _ = writeln!(std::io::stdout().lock(), "{}", printable(&block));
}

/// Without the control characters that could make a terminal do things.
fn printable(text: &str) -> String {
    text.chars().filter(|mark| !mark.is_control() || *mark == '\n').collect()
}

fn topic_name(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}
