//! The system calls by family. A number that stands in no list here is unknown to the filter: `ENOSYS`.

use nix::libc;

macro_rules! calls {
    ($($name:ident)*) => { &[$(libc::$name),*] };
}

/// What ordinary programs use, compilers, interpreters, office programs and debuggers included.
pub const ALLOWED: &[libc::c_long] = calls![
    // Files and descriptors.
    SYS_read SYS_write SYS_readv SYS_writev SYS_pread64 SYS_pwrite64 SYS_preadv SYS_pwritev SYS_preadv2 SYS_pwritev2
    SYS_openat SYS_openat2 SYS_close SYS_close_range SYS_dup SYS_dup3 SYS_fcntl SYS_ioctl SYS_flock SYS_lseek
    SYS_fstat SYS_newfstatat SYS_statx SYS_statfs SYS_fstatfs SYS_faccessat SYS_faccessat2 SYS_fchmod SYS_fchmodat
    SYS_fchown SYS_fchownat SYS_utimensat SYS_truncate SYS_ftruncate SYS_fallocate SYS_fadvise64 SYS_readahead
    SYS_fsync SYS_fdatasync SYS_sync SYS_syncfs SYS_sync_file_range SYS_copy_file_range SYS_sendfile SYS_splice SYS_tee
    SYS_vmsplice SYS_getdents64 SYS_getcwd SYS_chdir SYS_fchdir SYS_mkdirat SYS_unlinkat SYS_renameat SYS_renameat2
    SYS_linkat SYS_symlinkat SYS_readlinkat SYS_mknodat SYS_umask SYS_pipe2 SYS_memfd_create
    SYS_getxattr SYS_lgetxattr SYS_fgetxattr SYS_setxattr SYS_lsetxattr SYS_fsetxattr SYS_listxattr SYS_llistxattr
    SYS_flistxattr SYS_removexattr SYS_lremovexattr SYS_fremovexattr
    SYS_inotify_init1 SYS_inotify_add_watch SYS_inotify_rm_watch
    SYS_io_setup SYS_io_destroy SYS_io_submit SYS_io_cancel SYS_io_getevents
    // Waiting.
    SYS_epoll_create1 SYS_epoll_ctl SYS_epoll_pwait SYS_epoll_pwait2 SYS_ppoll SYS_pselect6 SYS_eventfd2
    SYS_timerfd_create SYS_timerfd_settime SYS_timerfd_gettime SYS_signalfd4
    // Memory.
    SYS_brk SYS_mmap SYS_munmap SYS_mremap SYS_mprotect SYS_madvise SYS_process_madvise SYS_mincore SYS_msync
    SYS_mlock SYS_mlock2 SYS_mlockall SYS_munlock SYS_munlockall SYS_membarrier SYS_get_mempolicy
    SYS_pkey_alloc SYS_pkey_free SYS_pkey_mprotect SYS_remap_file_pages
    // Processes and threads.
    SYS_clone SYS_execve SYS_execveat SYS_exit SYS_exit_group SYS_wait4 SYS_waitid SYS_set_tid_address SYS_gettid
    SYS_getpid SYS_getppid SYS_getpgid SYS_setpgid SYS_getsid SYS_setsid SYS_futex SYS_futex_waitv SYS_set_robust_list
    SYS_get_robust_list SYS_rseq SYS_prctl SYS_personality SYS_prlimit64 SYS_getrlimit SYS_setrlimit SYS_getrusage
    SYS_times SYS_sysinfo SYS_uname SYS_getcpu SYS_getpriority SYS_setpriority SYS_ioprio_get SYS_ioprio_set
    SYS_sched_yield SYS_sched_getaffinity SYS_sched_setaffinity SYS_sched_getattr SYS_sched_setattr
    SYS_sched_getparam SYS_sched_setparam SYS_sched_getscheduler SYS_sched_setscheduler SYS_sched_get_priority_max
    SYS_sched_get_priority_min SYS_sched_rr_get_interval
    SYS_pidfd_open SYS_pidfd_getfd SYS_pidfd_send_signal SYS_process_mrelease SYS_kcmp SYS_ptrace
    SYS_process_vm_readv SYS_process_vm_writev
    // Users, which a room has but one of, and capabilities, which it has none of.
    SYS_getuid SYS_geteuid SYS_getgid SYS_getegid SYS_getresuid SYS_getresgid SYS_getgroups SYS_setuid SYS_setgid
    SYS_setreuid SYS_setregid SYS_setresuid SYS_setresgid SYS_setgroups SYS_setfsuid SYS_setfsgid SYS_capget SYS_capset
    // Signals.
    SYS_rt_sigaction SYS_rt_sigprocmask SYS_rt_sigpending SYS_rt_sigtimedwait SYS_rt_sigqueueinfo
    SYS_rt_tgsigqueueinfo SYS_rt_sigsuspend SYS_rt_sigreturn SYS_sigaltstack SYS_kill SYS_tkill SYS_tgkill
    SYS_restart_syscall
    // Time.
    SYS_clock_gettime SYS_clock_getres SYS_clock_nanosleep SYS_nanosleep SYS_gettimeofday SYS_timer_create
    SYS_timer_settime SYS_timer_gettime SYS_timer_getoverrun SYS_timer_delete SYS_getitimer SYS_setitimer
    // Sockets, whose families are looked at besides.
    SYS_socket SYS_socketpair SYS_bind SYS_listen SYS_accept SYS_accept4 SYS_connect SYS_shutdown SYS_getsockname
    SYS_getpeername SYS_getsockopt SYS_setsockopt SYS_sendto SYS_recvfrom SYS_sendmsg SYS_recvmsg SYS_sendmmsg
    SYS_recvmmsg
    // Between processes.
    SYS_shmget SYS_shmat SYS_shmdt SYS_shmctl SYS_semget SYS_semop SYS_semtimedop SYS_semctl SYS_msgget SYS_msgsnd
    SYS_msgrcv SYS_msgctl SYS_mq_open SYS_mq_unlink SYS_mq_timedsend SYS_mq_timedreceive SYS_mq_notify
    SYS_mq_getsetattr
    // Randomness, and fences of a program's own.
    SYS_getrandom SYS_seccomp SYS_landlock_create_ruleset SYS_landlock_add_rule SYS_landlock_restrict_self
];

/// Numbers that the C library's list does not have yet; the same on every architecture.
pub const ALLOWED_NEW: &[libc::c_long] =
    &[CACHESTAT, FCHMODAT2, MAP_SHADOW_STACK, FUTEX_WAKE, FUTEX_WAIT, FUTEX_REQUEUE, MSEAL];
const CACHESTAT: libc::c_long = 451;
const FCHMODAT2: libc::c_long = 452;
const MAP_SHADOW_STACK: libc::c_long = 453;
const FUTEX_WAKE: libc::c_long = 454;
const FUTEX_WAIT: libc::c_long = 455;
const FUTEX_REQUEUE: libc::c_long = 456;
const MSEAL: libc::c_long = 462;

/// Calls that this architecture has for its older programs.
#[cfg(target_arch = "x86_64")]
pub const ALLOWED_OLD: &[libc::c_long] = calls![
    SYS_open SYS_creat SYS_stat SYS_lstat SYS_access SYS_dup2 SYS_pipe SYS_poll SYS_select SYS_getdents SYS_mkdir
    SYS_rmdir SYS_unlink SYS_rename SYS_link SYS_symlink SYS_readlink SYS_mknod SYS_chmod SYS_chown SYS_lchown
    SYS_utime SYS_utimes SYS_futimesat SYS_fork SYS_vfork SYS_getpgrp SYS_alarm SYS_pause SYS_time SYS_arch_prctl
    SYS_set_thread_area SYS_get_thread_area SYS_epoll_create SYS_epoll_wait SYS_eventfd SYS_signalfd SYS_inotify_init
];
#[cfg(not(target_arch = "x86_64"))]
pub const ALLOWED_OLD: &[libc::c_long] = &[];

/// What no program of a sandbox needs and kernel exploits begin with: `EPERM`, also where the kernel would allow it.
pub const DENIED: &[libc::c_long] = calls![
    // Rings, tracing, programs in the kernel, faults handled by programs, keys.
    SYS_io_uring_setup SYS_io_uring_enter SYS_io_uring_register SYS_bpf SYS_perf_event_open SYS_userfaultfd
    SYS_add_key SYS_request_key SYS_keyctl
    // Namespaces and mounts.
    SYS_setns SYS_mount SYS_umount2 SYS_pivot_root SYS_open_tree SYS_move_mount SYS_fsopen SYS_fsconfig SYS_fsmount
    SYS_fspick SYS_mount_setattr SYS_swapon SYS_swapoff SYS_quotactl SYS_quotactl_fd
    // Files past their paths, and what others do with files.
    SYS_open_by_handle_at SYS_name_to_handle_at SYS_fanotify_init SYS_fanotify_mark SYS_memfd_secret
    // The machine itself.
    SYS_reboot SYS_kexec_load SYS_init_module SYS_finit_module SYS_delete_module SYS_acct SYS_syslog SYS_sethostname
    SYS_setdomainname SYS_vhangup SYS_settimeofday SYS_clock_settime SYS_clock_adjtime SYS_adjtimex
    // Where memory lies: only on machines of many nodes, and often a part of exploits.
    SYS_mbind SYS_set_mempolicy SYS_migrate_pages SYS_move_pages
];

#[cfg(target_arch = "x86_64")]
pub const DENIED_OLD: &[libc::c_long] = calls![SYS_kexec_file_load SYS_iopl SYS_ioperm SYS_modify_ldt];
#[cfg(target_arch = "aarch64")]
pub const DENIED_OLD: &[libc::c_long] = calls![SYS_kexec_file_load];
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub const DENIED_OLD: &[libc::c_long] = &[];

/// What only the sandbox of Chromium needs: namespaces of its own, and a root without files.
pub const OF_CHROMIUM: &[libc::c_long] = calls![SYS_unshare SYS_chroot];

/// Flags of `clone` and `unshare` that ask for a namespace.
pub const NAMESPACE_FLAGS: [libc::c_int; 7] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_call_is_both_allowed_and_denied() {
        let allowed: BTreeSet<_> = [ALLOWED, ALLOWED_NEW, ALLOWED_OLD].concat().into_iter().collect();
        let denied: BTreeSet<_> = [DENIED, DENIED_OLD, OF_CHROMIUM].concat().into_iter().collect();
        assert_eq!(allowed.intersection(&denied).collect::<Vec<_>>(), Vec::<&libc::c_long>::new());
    }

    #[test]
    fn no_call_stands_twice_in_a_list() {
        let all = [ALLOWED, ALLOWED_NEW, ALLOWED_OLD, DENIED, DENIED_OLD, OF_CHROMIUM].concat();
        let distinct: BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }
}
