//! Addresses: which are opened, how they are completed, and how they are told.

use sandbox_core::address::without_sign_ins;

/// Longest address that Chromium opens, in bytes (`url::kMaxURLChars`).
const LONGEST_ADDRESS: usize = 2 << 20;

/// What Chromium would not open.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    #[error("an address is needed")]
    Missing,
    #[error("addresses with {0}: are not opened")]
    Scheme(String),
    #[error("an address has at most {LONGEST_ADDRESS} bytes")]
    TooLong,
    #[error("this is not an address: {0}")]
    Unreadable(#[from] url::ParseError),
}

/// Returns the address with a scheme, as an address bar would complete it.
pub(super) fn with_scheme(url: &str) -> Result<String, AddressError> {
    let address = completed(url)?;
    if address.len() > LONGEST_ADDRESS {
        return Err(AddressError::TooLong);
    }
    url::Url::parse(&address)?;
    Ok(address)
}

fn completed(url: &str) -> Result<String, AddressError> {
    let url = url.trim();
    if url.is_empty() {
        return Err(AddressError::Missing);
    }
    let scheme = url.split_once(':').map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest));
    match scheme {
        Some((scheme, _)) if ["http", "https", "about", "data", "blob"].contains(&scheme.as_str()) && may_open(url) => {
            Ok(url.to_owned())
        }
        // `host:8080/path` is an address without a scheme.
        Some((_, rest)) if rest.starts_with(|first: char| first.is_ascii_digit()) => Ok(format!("https://{url}")),
        Some((scheme, _)) if !scheme.contains(['.', '/']) => Err(AddressError::Scheme(scheme)),
        Some(_) | None => Ok(format!("https://{url}")),
    }
}

/// Says Chromium's name of a network error in words, followed by the name itself.
pub(super) fn said_error(name: &str) -> String {
    let words = match name {
        "net::ERR_NAME_NOT_RESOLVED" => "there is no such host",
        "net::ERR_CONNECTION_REFUSED" => "the server refused the connection",
        "net::ERR_CONNECTION_TIMED_OUT" | "net::ERR_TIMED_OUT" => "the server did not answer in time",
        "net::ERR_TUNNEL_CONNECTION_FAILED" | "net::ERR_PROXY_CONNECTION_FAILED" => "the way out refused it",
        "net::ERR_ABORTED" => "it was stopped",
        "net::ERR_INTERNET_DISCONNECTED" => "there is no network",
        name if name.starts_with("net::ERR_CERT") => "its certificate is not valid",
        _ => return name.to_owned(),
    };
    format!("{words} ({name})")
}

/// Whether an agent or an outside client may open this address: those of the web, and documents without one.
pub fn may_open(url: &str) -> bool {
    let Some((scheme, rest)) = url.trim().split_once(':') else { return true };
    match scheme.to_ascii_lowercase().as_str() {
        "" | "http" | "https" | "data" => true,
        // Chromium takes any other `about:` for a page of its own.
        "about" => {
            let name = rest.split(['?', '#']).next().unwrap_or_default();
            ["", "blank", "srcdoc"].iter().any(|plain| name.eq_ignore_ascii_case(plain))
        }
        "blob" => may_open(rest),
        _ => false,
    }
}

/// Returns an address with the values in its query and fragment left out: forms can put what was typed there.
pub fn without_values(url: &str) -> String {
    if url.starts_with("data:") || url.starts_with("blob:") || url.starts_with("javascript:") {
        return url.split(':').next().unwrap_or_default().to_owned() + ":…";
    }
    let (head, fragment) = url.split_once('#').map_or((url, None), |(head, fragment)| (head, Some(fragment)));
    let (path, query) = head.split_once('?').map_or((head, None), |(path, query)| (path, Some(query)));
    let names = |pairs: &str| {
        let name = |pair: &str| match pair.split_once('=') {
            Some((name, _)) => format!("{name}=…"),
            None => "…".to_owned(),
        };
        pairs.split('&').map(name).collect::<Vec<_>>().join("&")
    };
    let mut plain = without_sign_ins(path);
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        plain = format!("{plain}?{}", names(query));
    }
    match fragment {
        None | Some("") => plain,
        // A route inside an application, such as `#/invoices`.
        Some(route) if !route.contains(['=', '?']) => format!("{plain}#{route}"),
        Some(_) => format!("{plain}#…"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_the_scheme_that_an_address_bar_would_give() {
        let check = |url: &str, expected: &str| assert_eq!(with_scheme(url).unwrap(), expected);
        check(" example.org/a:b ", "https://example.org/a:b");
        check("http://a.example", "http://a.example");
        check("localhost:8080/x", "https://localhost:8080/x");
        check("about:blank", "about:blank");
        assert!(with_scheme("javascript:alert(1)").is_err());
        assert!(with_scheme("file:///etc/passwd").is_err());
        assert!(with_scheme("chrome://settings").is_err());
        assert!(with_scheme(" ").is_err());
    }

    #[test]
    fn what_is_no_address_is_refused_before_the_browser_is_asked() {
        for url in
            ["http://", "http://[", "https://a b.example/", "http://%zz/", "http://999.999.999.999/", "http://:80"]
        {
            assert!(matches!(with_scheme(url), Err(AddressError::Unreadable(_))), "{url}");
        }
        let endless = format!("data:text/plain,{}", "a".repeat(LONGEST_ADDRESS));
        assert!(matches!(with_scheme(&endless), Err(AddressError::TooLong)));
    }

    #[test]
    fn an_address_keeps_its_names_and_loses_its_values() {
        let check = |url: &str, expected: &str| assert_eq!(without_values(url), expected);
        check("https://a.example/b?user=me&pw=secret", "https://a.example/b?user=…&pw=…");
        check("https://a.example/b?secret", "https://a.example/b?…");
        check("https://a.example/#/invoices", "https://a.example/#/invoices");
        check("https://a.example/#access_token=secret", "https://a.example/#…");
        check("https://me:secret@a.example/b@c", "https://a.example/b@c");
        check("data:text/html,secret", "data:…");
    }
}
