//! Callback addresses: whose they are, and what of one can be shown.

use models::{PathKey, Tenant};

/// How long a path key is.
const KEY_DIGITS: usize = 64;

/// Why events that are sent to an address don't come to this tenant here. None where they do.
pub(super) fn not_ours(url: &str, tenant: &Tenant, base: &str) -> Option<&'static str> {
    let Some(rest) = url.strip_prefix(base) else {
        return Some("the address is not one of this deployment: callback addresses begin as CallbackBaseUrl says");
    };
    let Some((id, key)) = rest.split_once('/') else {
        return Some("the address has no path key: it ends in a tenant's id, a slash and 64 hexadecimal digits");
    };
    if id != tenant.id.as_str() {
        return Some("the address is another tenant's");
    }
    match key.parse::<PathKey>() {
        Ok(key) if tenant.path_key_hashes.contains(&key.hash()) => None,
        Ok(_) => {
            Some("the address has a path key that is not valid, or no longer: `tenants set --new-path-key` makes one")
        }
        Err(_) => Some("the address has no path key: it ends in a tenant's id, a slash and 64 hexadecimal digits"),
    }
}

/// Whether an address belongs to this tenant here, with whatever key.
pub(super) fn is_of(url: &str, tenant: &Tenant, base: &str) -> bool {
    url.strip_prefix(base)
        .and_then(|rest| rest.strip_prefix(tenant.id.as_str()))
        .is_some_and(|key| key.starts_with('/'))
}

/// What of an address can be shown: without path keys, wherever they stand, and without what others put behind theirs.
pub(super) fn shown(url: &str) -> String {
    let address = url.split(['?', '#']).next().unwrap_or_default();
    let mut shown = String::new();
    let mut digits = String::new();
    for mark in address.chars().chain(['\0']) {
        if mark.is_ascii_hexdigit() {
            digits.push(mark);
            continue;
        }
        shown.push_str(if digits.len() < KEY_DIGITS { &digits } else { "…" });
        digits.clear();
        shown.push(mark);
    }
    shown.pop();
    if address.len() < url.len() { shown + "…" } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_what_is_secret_in_it() {
        let key = "c0ffee00".repeat(8);
        for (url, expected) in [
            (format!("https://h.example/callbacks/t/{key}"), "https://h.example/callbacks/t/…"),
            (format!("https://h.example/callbacks/t/{key}/"), "https://h.example/callbacks/t/…/"),
            (format!("https://h.example/{}/x?y={key}", key.to_uppercase()), "https://h.example/…/x…"),
            ("https://f.example/api/hook?code=secret".to_owned(), "https://f.example/api/hook…"),
            ("https://f.example/abc#secret".to_owned(), "https://f.example/abc…"),
            ("https://f.example/c0ffee".to_owned(), "https://f.example/c0ffee"),
            (String::new(), ""),
        ] {
            assert_eq!(shown(&url), expected);
        }
    }
}
