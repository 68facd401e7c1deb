//! The environment of commands: a fixed base, the sandbox's own beneath the command's own.

use std::collections::BTreeMap;

use sandbox_link::protocol::ShellSettings;

const BASE: [(&str, &str); 9] = [
    ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ("HOME", "/home/baton"),
    ("USER", "baton"),
    ("LOGNAME", "baton"),
    ("SHELL", "/bin/bash"),
    ("LANG", "C.UTF-8"),
    ("TMPDIR", "/tmp"),
    // Output must arrive while a program runs, not when it ends.
    ("PYTHONUNBUFFERED", "1"),
    // Lets Node's fetch use the proxy where that version can.
    ("NODE_USE_ENV_PROXY", "1"),
];

const HERE: &str = "localhost,127.0.0.1,::1";

/// Returns the whole environment of a command; later sources win: base, way out, sandbox, command.
pub fn environment(settings: &ShellSettings, own: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut env: BTreeMap<String, String> = BASE.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    if settings.proxy_port != 0 {
        let proxy = format!("http://127.0.0.1:{}", settings.proxy_port);
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            env.insert(name.to_owned(), proxy.clone());
            env.insert(name.to_lowercase(), proxy.clone());
        }
        env.insert("NO_PROXY".to_owned(), HERE.to_owned());
        env.insert("no_proxy".to_owned(), HERE.to_owned());
    }
    env.extend(settings.env.clone());
    env.extend(own.clone());
    env
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    #[test]
    fn the_command_wins_over_the_sandbox_and_the_sandbox_over_the_base() {
        let settings =
            ShellSettings { env: map([("A", "sandbox"), ("B", "sandbox"), ("LANG", "de_DE")]), proxy_port: 0 };
        let env = environment(&settings, &map([("B", "command")]));
        assert_eq!((env["A"].as_str(), env["B"].as_str(), env["LANG"].as_str()), ("sandbox", "command", "de_DE"));
        assert_eq!(env["HOME"], "/home/baton");
    }

    #[test]
    fn proxy_variables_name_the_port_of_the_room_in_both_spellings() {
        let env = environment(&ShellSettings { env: BTreeMap::new(), proxy_port: 3128 }, &BTreeMap::new());
        for name in ["HTTP_PROXY", "https_proxy", "ALL_PROXY"] {
            assert_eq!(env[name], "http://127.0.0.1:3128");
        }
        assert_eq!(env["no_proxy"], "localhost,127.0.0.1,::1");
    }

    #[test]
    fn a_room_without_network_names_no_proxy() {
        let env = environment(&ShellSettings { env: BTreeMap::new(), proxy_port: 0 }, &BTreeMap::new());
        assert!(!env.keys().any(|name| name.to_lowercase().contains("proxy") && name != "NODE_USE_ENV_PROXY"));
    }
}
