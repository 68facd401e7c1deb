//! The system-call filter: three programs of the kernel's own kind, of which the strictest answer counts.
//!
//! | Call | Answer |
//! |---|---|
//! | in no list, `clone3` too | `ENOSYS`, as an older kernel would say: programs fall back |
//! | of a denied family, or with denied arguments | `EPERM` |
//! | by another architecture's numbers | the process is killed |
//! | else | the kernel's own |

use std::collections::BTreeMap;

use nix::libc;
use sandbox_link::walls::Layer;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp as Compare, SeccompCondition as Condition,
    SeccompFilter, SeccompRule as Rule, TargetArch,
};

use super::Failure;
use super::calls;

/// Which room is filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    Shell,
    /// That, and what Chromium makes its own sandbox of.
    Desktop,
}

/// Filters the calls of this process and of everything that it starts, for ever. To be called before any thread exists.
///
/// # Errors
/// When the kernel has no filters, or this architecture no list.
pub fn apply(profile: Profile) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::new(Layer::Seccomp, error);
    for program in programs(profile).map_err(|error| failed(&error))? {
        seccompiler::apply_filter(&program).map_err(|error| failed(&error))?;
    }
    Ok(())
}

type Rules = BTreeMap<i64, Vec<Rule>>;

fn programs(profile: Profile) -> Result<[BpfProgram; 2], seccompiler::BackendError> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let compile = |rules, otherwise, matched| -> Result<BpfProgram, seccompiler::BackendError> {
        SeccompFilter::new(rules, otherwise, matched, arch)?.try_into()
    };
    let errno = |number: i32| SeccompAction::Errno(number.cast_unsigned());
    Ok([
        compile(denied(profile)?, SeccompAction::Allow, errno(libc::EPERM))?,
        compile(known(), errno(libc::ENOSYS), SeccompAction::Allow)?,
    ])
}

/// Every call that the filter knows; which of them are denied is for the other program to say.
fn known() -> Rules {
    let lists =
        [calls::ALLOWED, calls::ALLOWED_NEW, calls::ALLOWED_OLD, calls::DENIED, calls::DENIED_OLD, calls::OF_CHROMIUM];
    lists.concat().into_iter().map(|call| (call, Vec::new())).collect()
}

fn denied(profile: Profile) -> Result<Rules, seccompiler::BackendError> {
    let mut rules: Rules = [calls::DENIED, calls::DENIED_OLD].concat().into_iter().map(|call| (call, vec![])).collect();
    match profile {
        Profile::Shell => {
            rules.extend(calls::OF_CHROMIUM.iter().map(|call| (*call, vec![])));
            rules.insert(libc::SYS_clone, any_flag(0, &calls::NAMESPACE_FLAGS)?);
        }
        Profile::Desktop => {}
    }
    rules.insert(libc::SYS_socket, socket_families(profile)?);
    rules.insert(libc::SYS_prlimit64, vec![limits_of_others()?]);
    rules.insert(libc::SYS_personality, vec![other_personalities()?]);
    rules.insert(libc::SYS_ioctl, typed_input()?);
    rules.insert(libc::SYS_mknodat, devices(2)?);
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_mknod, devices(1)?);
    Ok(rules)
}

fn any_flag(argument: u8, flags: &[libc::c_int]) -> Result<Vec<Rule>, seccompiler::BackendError> {
    flags
        .iter()
        .map(|flag| {
            let flag = u64::from(flag.cast_unsigned());
            Rule::new(vec![Condition::new(argument, Length::Qword, Compare::MaskedEq(flag), flag)?])
        })
        .collect()
}

/// Sockets of every family but local ones and those of the internet, raw ones, and netlink but for addresses and routes.
fn socket_families(profile: Profile) -> Result<Vec<Rule>, seccompiler::BackendError> {
    const TYPE: u64 = 0xf;
    let netlink = u64::from(libc::AF_NETLINK.cast_unsigned());
    let family =
        |compare, value: libc::c_int| Condition::new(0, Length::Dword, compare, u64::from(value.cast_unsigned()));
    let mut elsewhere = Vec::new();
    for known in [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK] {
        elsewhere.push(family(Compare::Ne, known)?);
    }
    let raw = |of: libc::c_int| -> Result<Rule, seccompiler::BackendError> {
        let is_raw =
            Condition::new(1, Length::Dword, Compare::MaskedEq(TYPE), u64::from(libc::SOCK_RAW.cast_unsigned()))?;
        Rule::new(vec![family(Compare::Eq, of)?, is_raw])
    };
    let mut other_netlink = vec![Condition::new(0, Length::Dword, Compare::Eq, netlink)?];
    let needed: &[libc::c_int] = match profile {
        Profile::Shell => &[libc::NETLINK_ROUTE],
        // Chromium listens for devices, and hears of none.
        Profile::Desktop => &[libc::NETLINK_ROUTE, libc::NETLINK_KOBJECT_UEVENT],
    };
    for protocol in needed {
        other_netlink.push(Condition::new(2, Length::Dword, Compare::Ne, u64::from(protocol.cast_unsigned()))?);
    }
    Ok(vec![Rule::new(elsewhere)?, raw(libc::AF_INET)?, raw(libc::AF_INET6)?, Rule::new(other_netlink)?])
}

/// Setting the limits of a process that is named by its number, oneself included. Reading them is allowed.
fn limits_of_others() -> Result<Rule, seccompiler::BackendError> {
    Rule::new(vec![
        Condition::new(0, Length::Dword, Compare::Ne, 0)?,
        Condition::new(2, Length::Qword, Compare::Ne, 0)?,
    ])
}

/// Personalities other than the plain ones, and the one without random addresses that debuggers ask for.
fn other_personalities() -> Result<Rule, seccompiler::BackendError> {
    const ASK: u64 = 0xffff_ffff;
    const NO_RANDOM_ADDRESSES: u64 = 0x004_0000;
    const LINUX32: u64 = 8;
    const UNAME26: u64 = 0x002_0000;
    let differs = |value| Condition::new(0, Length::Dword, Compare::Ne, value);
    let plain = [0, ASK, NO_RANDOM_ADDRESSES, LINUX32, UNAME26, UNAME26 | LINUX32];
    Rule::new(plain.into_iter().map(differs).collect::<Result<_, _>>()?)
}

/// Input put into a terminal as if somebody had typed it.
fn typed_input() -> Result<Vec<Rule>, seccompiler::BackendError> {
    const TIOCSTI: u64 = 0x5412;
    const TIOCLINUX: u64 = 0x541c;
    [TIOCSTI, TIOCLINUX]
        .into_iter()
        // The kernel looks at the lower half alone.
        .map(|request| Rule::new(vec![Condition::new(1, Length::Dword, Compare::Eq, request)?]))
        .collect()
}

fn devices(mode: u8) -> Result<Vec<Rule>, seccompiler::BackendError> {
    let kind = u64::from(libc::S_IFMT);
    [libc::S_IFCHR, libc::S_IFBLK]
        .into_iter()
        .map(|of| Rule::new(vec![Condition::new(mode, Length::Dword, Compare::MaskedEq(kind), u64::from(of))?]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_profiles_fit_into_what_the_kernel_takes() {
        for profile in [Profile::Shell, Profile::Desktop] {
            for program in programs(profile).unwrap() {
                assert!((1..4096).contains(&program.len()), "{}", program.len());
            }
        }
    }

    #[test]
    fn only_chromium_may_ask_for_namespaces() {
        let (shell, desktop) = (denied(Profile::Shell).unwrap(), denied(Profile::Desktop).unwrap());
        for call in [libc::SYS_unshare, libc::SYS_chroot, libc::SYS_clone] {
            assert!(shell.contains_key(&call) && !desktop.contains_key(&call), "{call}");
        }
        for call in [libc::SYS_setns, libc::SYS_mount, libc::SYS_bpf] {
            assert!(shell.contains_key(&call) && desktop.contains_key(&call), "{call}");
        }
    }

    #[test]
    fn a_clone_whose_flags_are_out_of_sight_is_unknown() {
        assert!(!known().contains_key(&libc::SYS_clone3));
    }
}
