//! Address patterns of `until`, `waitFor` and `expect`: `*` within a path part, `**` across parts.

/// Whether an address fits a pattern.
///
/// A pattern with a scheme is held against the whole address, one that begins with `/` against the path,
/// any other against either. Query and fragment count only if the pattern has them.
pub fn matches(pattern: &str, url: &str) -> bool {
    let url = if pattern.contains(['?', '#']) { url } else { url.split(['?', '#']).next().unwrap_or(url) };
    let path = url.split_once("://").map_or(url, |(_, rest)| rest.find('/').map_or("/", |slash| &rest[slash..]));
    let fits = |text: &str| fits(pattern.as_bytes(), text.as_bytes());
    if pattern.contains("://") {
        // An address without a path has the path `/`.
        return fits(url) || fits(&format!("{url}/"));
    }
    fits(path) || (!pattern.starts_with('/') && fits(url))
}

fn fits(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', b'*', rest @ ..] => (0..=text.len()).any(|skip| fits(rest, &text[skip..])),
        [b'*', rest @ ..] => {
            let part = text.iter().position(|byte| *byte == b'/').unwrap_or(text.len());
            (0..=part).any(|skip| fits(rest, &text[skip..]))
        }
        [wanted, rest @ ..] => text.first() == Some(wanted) && fits(rest, &text[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, fitting: &[&str], others: &[&str]) {
        for url in fitting {
            assert!(matches(pattern, url), "{pattern} fits {url}");
        }
        for url in others {
            assert!(!matches(pattern, url), "{pattern} does not fit {url}");
        }
    }

    #[test]
    fn one_star_stays_within_a_part_and_two_cross_parts() {
        check(
            "**/invoices",
            &["https://a.example/invoices", "https://a.example/x/y/invoices?m=1"],
            &["https://a.example/invoices/2"],
        );
        check(
            "/invoices/*",
            &["https://a.example/invoices/7"],
            &["https://a.example/invoices/7/pdf", "https://a.example/x/invoices/7"],
        );
        check(
            "https://*.example/**",
            &["https://a.example/", "https://a.example/b/c"],
            &["http://a.example/", "https://a.b/c"],
        );
        check("https://a.example", &["https://a.example", "https://a.example?x=1"], &["https://a.example/b"]);
        check("https://a.example/", &["https://a.example", "https://a.example/"], &[]);
        check("a.example/b", &[], &["https://evil.example/a.example/b", "https://a.example/b"]);
        check("**a.example/b", &["https://a.example/b"], &[]);
    }

    #[test]
    fn query_and_fragment_count_only_when_the_pattern_has_them() {
        check("**/list", &["https://a.example/list?page=2#top"], &[]);
        check("**/list?page=*", &["https://a.example/list?page=2"], &["https://a.example/list"]);
        check("**/app#/done", &["https://a.example/app#/done"], &["https://a.example/app"]);
    }
}
