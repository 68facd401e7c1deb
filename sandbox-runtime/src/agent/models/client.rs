//! The HTTP clients that models are asked with.

use std::error::Error;
use std::sync::LazyLock;
use std::time::Duration;

use reqwest::Client;
use reqwest::redirect::Policy;
use url::{Host, Url};

const CONNECT_DEADLINE: Duration = Duration::from_secs(15);

static OUTSIDE: LazyLock<Client> = LazyLock::new(|| build(true));
static ON_THIS_MACHINE: LazyLock<Client> = LazyLock::new(|| build(false));

/// Returns the client for an address: one that goes through the machine's proxy if it has one, unless the server is here.
pub(super) fn of(url: &Url) -> &'static Client {
    if is_loopback(url) { &ON_THIS_MACHINE } else { &OUTSIDE }
}

/// Whether an address is this machine's own.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Says why a request failed, without the address: that is said beside it.
pub(super) fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut said = error.to_string();
    let mut cause: Option<&dyn Error> = error.source();
    while let Some(error) = cause {
        said = error.to_string();
        cause = error.source();
    }
    said
}

fn build(with_proxy: bool) -> Client {
    crate::choose_cryptography();
    let client = Client::builder()
        .user_agent(concat!("baton/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_DEADLINE)
        // A key in a header must not follow a redirect to whoever the server names.
        .redirect(Policy::none());
    let client = if with_proxy { client } else { client.no_proxy() };
    client.build().expect("the settings are fixed, and the cryptography is installed")
}
