"""Tries, one after the other, what a program in a sandbox must not be able to do.

Prints a line for each attempt: class, attempt, the answer that a sandbox must give, the answer that came; tabs between.
The same program runs outside, and in rooms that go without one layer: there an attempt must come out differently, or it
would show nothing. So each is harmless where it succeeds. `given.json` names the canaries that the test laid out.
"""
import ctypes, errno, fcntl, json, mmap, os, pty, resource, signal, socket, tempfile

# Before anything is opened here; one of them is the listing itself.
FIRST = set(map(int, os.listdir("/proc/self/fd")))
libc = ctypes.CDLL(None, use_errno=True)
given = json.load(open("given.json"))
# Outside, a process of the test stands for those that a room must protect.
STARTER = 1 if given["inside"] else given["host_pid"]
SUPERVISOR = os.getppid() if given["inside"] else given["host_pid"]
NAMESPACES = [
    ("mount", 0x20000), ("cgroup", 0x2000000), ("UTS", 0x4000000), ("IPC", 0x8000000), ("user", 0x10000000),
    ("process", 0x20000000), ("network", 0x40000000),
]


def call(number, *arguments):
    """A system call by its number: what it returned, or the name of its error."""
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    words += [ctypes.c_long(0)] * (6 - len(words))
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *words)
    return name(ctypes.get_errno()) if result == -1 else "allowed"


def name(number):
    return errno.errorcode.get(number, str(number))


def tried(act):
    """Whether an act of Python's raised, and what."""
    try:
        act()
        return "allowed"
    except OSError as error:
        return name(error.errno)
    except ValueError:
        return "EPERM"


def child(act):
    """The answer of a process of its own, so that what it changes ends with it."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writer, str(act()).encode())
        finally:
            os._exit(0)
    os.close(writer)
    said = os.read(reader, 100).decode()
    os.close(reader)
    _, status = os.waitpid(pid, 0)
    return "killed " + signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else said


def cloned(flags):
    """`clone` with flags; the child ends at once."""
    ctypes.set_errno(0)
    pid = libc.syscall(ctypes.c_long(56), ctypes.c_long(flags | signal.SIGCHLD), *[ctypes.c_long(0)] * 5)
    if pid == 0:
        os._exit(0)
    if pid == -1:
        return name(ctypes.get_errno())
    os.waitpid(pid, 0)
    return "allowed"


def opened(path, flags=os.O_RDONLY):
    return tried(lambda: os.close(os.open(path, flags)))


def read(path):
    return tried(lambda: open(path, "rb").read(1))


def listed(path):
    return tried(lambda: os.listdir(path))


def made(path):
    def act():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        os.unlink(path)
    return tried(act)


def linked(path):
    """Reads what a symbolic link in the workspace leads to."""
    def act():
        with tempfile.TemporaryDirectory(dir=".") as folder:
            os.symlink(path, folder + "/link")
            open(folder + "/link", "rb").read(1)
    return tried(act)


def socket_of(family, kind=socket.SOCK_DGRAM, protocol=0):
    return call(41, family, kind, protocol)


def connected(family, address, kind=socket.SOCK_STREAM):
    def act():
        with socket.socket(family, kind) as made:
            made.settimeout(5)
            made.connect(address)
            if kind == socket.SOCK_DGRAM:
                made.send(b"x")
    try:
        return tried(act)
    except TimeoutError:
        return "ETIMEDOUT"


def by_old_numbers():
    """`getpid` by the numbers of 32-bit programs: mov eax, 20; int 0x80; ret."""
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    code = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    return "allowed" if code() > 0 else "nothing"


def typed_into_terminal():
    leader, follower = pty.openpty()
    os.setsid()
    fcntl.ioctl(follower, 0x540E, 0)
    return tried(lambda: fcntl.ioctl(follower, 0x5412, b"x"))


def limit_of_other(pid):
    """Sets a limit of another process to what it is."""
    limits = (ctypes.c_ulong * 2)()
    call(302, pid, 4, 0, ctypes.byref(limits))
    return call(302, pid, 4, ctypes.byref(limits), 0)


def device(kind):
    def act():
        with tempfile.TemporaryDirectory() as folder:
            os.mknod(folder + "/device", kind | 0o600, os.makedev(1, 3))
    return tried(act)


def set_user(number):
    return child(lambda: tried(lambda: os.setresuid(number, number, number)))


def set_group(number):
    return child(lambda: tried(lambda: os.setresgid(number, number, number)))


def owned_by_other():
    with tempfile.NamedTemporaryFile() as file:
        return tried(lambda: os.chown(file.name, 12, 12))


def with_capability():
    """Takes the capability to administer the system back into force."""
    header, data = (ctypes.c_uint * 2)(0x20080522, 0), (ctypes.c_uint * 6)()
    data[0] = data[1] = 1 << 21
    return child(lambda: call(126, ctypes.byref(header), ctypes.byref(data)))


def memory_of(pid):
    """Reads eight bytes of another process where its program begins."""
    buffer = ctypes.create_string_buffer(8)
    local = (ctypes.c_ulong * 2)(ctypes.addressof(buffer), 8)
    remote = (ctypes.c_ulong * 2)(0x400000, 8)
    return call(310, pid, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)


def descriptor_of(pid):
    def act():
        held = os.pidfd_open(pid)
        if libc.syscall(438, held, 0, 0) < 0:
            raise OSError(ctypes.get_errno(), "")
    ctypes.set_errno(0)
    return tried(act)


def seen(word):
    """Whether any process that can be seen has a word in its arguments or environment."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for part in ("cmdline", "environ"):
            try:
                if int(pid) != os.getpid() and word.encode() in open(f"/proc/{pid}/{part}", "rb").read():
                    return "allowed"
            except OSError:
                pass
    return "nothing"


def has_descriptors():
    return "allowed" if FIRST - {0, 1, 2, 3} else "nothing"


def in_environment(word):
    return "allowed" if any(word in value for value in os.environ.values()) else "nothing"


def raised(which, to):
    def act():
        soft, hard = resource.getrlimit(which)
        if hard == resource.RLIM_INFINITY:
            return
        resource.setrlimit(which, (soft, to))
    return child(lambda: tried(act))


SYS = {
    "rings, tracing, programs in the kernel": [
        ("io_uring_setup", (425, 0, 0)), ("io_uring_enter", (426, -1, 0, 0, 0, 0, 0)),
        ("io_uring_register", (427, -1, 0, 0, 0)), ("bpf", (321, 9999, 0, 0)), ("perf_event_open", (298, 0, 0, -1, -1, 0)),
        ("userfaultfd", (323, 0xffff)), ("memfd_secret", (447, 0)),
    ],
    "keys": [("add_key", (248, 0, 0, 0, 0, 0)), ("request_key", (249, 0, 0, 0, 0)), ("keyctl", (250, 0, -3, 0))],
    "mounts": [
        ("mount", (165, 0, 0, 0, 0, 0)), ("umount2", (166, b"/nonexistent", 0)),
        ("pivot_root", (155, b"/nonexistent", b"/nonexistent")), ("chroot", (161, b"/nonexistent")),
        ("open_tree", (428, -1, b"x", 0)), ("move_mount", (429, -1, b"x", -1, b"y", 0)), ("fsopen", (430, b"nothing", 0)),
        ("fsconfig", (431, -1, 0, 0, 0, 0)), ("fsmount", (432, -1, 0, 0)), ("fspick", (433, -1, b"x", 0)),
        ("mount_setattr", (442, -1, b"x", 0, 0, 0)), ("setns", (308, -1, 0)), ("swapon", (167, b"/nonexistent", 0)),
        ("swapoff", (168, b"/nonexistent")), ("quotactl", (179, 0x800002, b"/nonexistent", 0, 0)),
        ("quotactl_fd", (443, -1, 0x800002, 0, 0)),
    ],
    "files past their paths": [
        ("open_by_handle_at", (304, -1, 0, 0)), ("name_to_handle_at", (303, -1, b"x", 0, 0, 0)),
        ("fanotify_init", (300, -1, 0)), ("fanotify_mark", (301, -1, 0, 0, -1, 0)),
    ],
    "the machine": [
        ("reboot, with a wrong magic number", (169, 0, 0, 0, 0)), ("kexec_load", (246, 0, 17, 0, 0)),
        ("kexec_file_load", (320, -1, -1, 0, 0, 0xffff)), ("init_module", (175, 0, 0, 0)),
        ("finit_module", (313, -1, 0, 0)), ("delete_module", (176, b"nonexistent", 0)), ("acct", (163, b"/nonexistent")),
        ("syslog", (103, 9999, 0, 0)), ("sethostname", (170, b"", -1)), ("setdomainname", (171, b"", -1)),
        ("settimeofday, to nothing", (164, 0, 0)), ("clock_settime", (227, 0, 0)), ("clock_adjtime", (305, 0, 0)),
        ("adjtimex", (159, 0)), ("iopl", (172, 4)), ("ioperm", (173, 70000, 1, 1)), ("modify_ldt", (154, 99, 0, 0)),
    ],
    "where memory lies": [
        ("mbind", (237, 0, 0, 99, 0, 0, 0)), ("set_mempolicy", (238, 99, 0, 0)), ("migrate_pages", (256, 0, 0, 0, 0)),
        ("move_pages", (279, 0, 0, 0, 0, 0, 0)),
    ],
}
UNKNOWN = [("clone3", (435, 0, 0)), ("statmount", (457, 0, 0, 0, 0)), ("listmount", (458, 0, 0, 0, 0)),
           ("lsm_list_modules", (461, 0, 0, 0))]
FAMILIES = [("packet", 17, 3), ("alg (kernel crypto)", 38, 5), ("vsock", 40, 1), ("key", 15, 3), ("xdp", 44, 3),
            ("can", 29, 3), ("bluetooth", 31, 3), ("tipc", 30, 1), ("rds", 21, 5), ("x25", 9, 5), ("appletalk", 5, 2),
            ("kcm", 41, 2), ("qipcrtr", 42, 2), ("smc", 43, 1), ("phonet", 35, 2), ("ieee802154", 36, 2)]
NETLINK = [("of sockets", 4), ("of audit", 9), ("of firewalls", 12), ("of devices", 15), ("of families", 16), ("of IPsec", 6)]


def attempts():
    for group, calls in SYS.items():
        for words, arguments in calls:
            yield "system calls: " + group, words, "EPERM", lambda a=arguments: call(*a)
    for words, arguments in UNKNOWN:
        yield "system calls: unknown to the filter", words, "ENOSYS", lambda a=arguments: call(*a)
    yield "system calls: other architectures", "getpid by 32-bit numbers", "killed SIGSYS", lambda: child(by_old_numbers)
    yield "system calls: arguments", "personality that makes all memory executable", "EPERM", lambda: child(lambda: call(135, 0x400000))
    yield "system calls: arguments", "limits of another process", "EPERM", lambda: limit_of_other(SUPERVISOR)
    yield "system calls: arguments", "input typed into a terminal (TIOCSTI)", "EPERM", lambda: child(typed_into_terminal)
    yield "system calls: arguments", "a character device", "EPERM", lambda: device(0o020000)
    yield "system calls: arguments", "a block device", "EPERM", lambda: device(0o060000)

    for words, flag in NAMESPACES:
        yield "namespaces", f"unshare: {words}", "EPERM", lambda f=flag: child(lambda: call(272, f))
        yield "namespaces", f"clone: {words}", "EPERM", lambda f=flag: cloned(f)
    yield "namespaces", "unshare: time", "EPERM", lambda: child(lambda: call(272, 0x80))

    for words, family, kind in FAMILIES:
        yield "sockets", words, "EPERM", lambda f=family, k=kind: socket_of(f, k)
    for words, protocol in NETLINK:
        yield "sockets", "netlink " + words, "EPERM", lambda p=protocol: socket_of(16, 3, p)
    yield "sockets", "raw, IPv4", "EPERM", lambda: socket_of(2, 3, 1)
    yield "sockets", "raw, IPv6", "EPERM", lambda: socket_of(10, 3, 58)

    for path in given["files"]:
        yield "files of the host", path[0], "ENOENT|EACCES", lambda p=path[1]: read(p)
    yield "files of the host", "a link in the workspace that leads to one", "ENOENT", lambda: linked(given["files"][0][1])
    for path in ("/etc/shadow", "/etc/fstab", "/root", "/srv", "/boot", "/sys/kernel", "/sys/fs/cgroup", "/sys/class/net",
                 "/var/lib/dpkg", "/var/log"):
        yield "files of the host", path, "ENOENT|EACCES", lambda p=path: listed(p) if os.path.isdir(p) else read(p)
    for path in ("/dev/kmsg", "/dev/vda", "/dev/loop-control", "/dev/fuse", "/dev/net/tun",
                 "/dev/vsock", "/dev/hwrng", "/dev/cpu_dma_latency"):
        yield "devices", path, "ENOENT", lambda p=path: listed(p) if os.path.isdir(p) else opened(p)

    for path in ("/x", "/usr/x", "/etc/x", "/opt/x", "/home/x", "/run/x", "/var/x"):
        yield "writing outside one's own folders", path, "EROFS|EACCES", lambda p=path: made(p)
    for path in ("/etc/passwd", "/usr/bin/env"):
        yield "writing outside one's own folders", path, "EROFS|EACCES", lambda p=path: opened(p, os.O_WRONLY)
    yield "writing outside one's own folders", "a file among the devices", "EACCES", lambda: made("/dev/baton-x")
    yield "writing outside one's own folders", "a folder among the devices", "EACCES", lambda: tried(lambda: (os.mkdir("/dev/baton-y"), os.rmdir("/dev/baton-y")))

    for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/vm/overcommit_memory", "/proc/sys/kernel/hostname",
                 "/proc/sys/kernel/panic"):
        yield "kernel settings", f"writing {path}", "EROFS|EACCES", lambda p=path: opened(p, os.O_WRONLY)
    for path in ("/proc/kpagecount", "/proc/slabinfo", "/proc/vmallocinfo"):
        yield "kernel settings", f"reading {path}", "EACCES|nothing", lambda p=path: hidden(p)
    for path in ("/proc/self/comm", "/proc/self/oom_score_adj", "/proc/self/coredump_filter", "/proc/self/clear_refs"):
        yield "kernel settings", f"writing {path}", "EACCES", lambda p=path: opened(p, os.O_WRONLY)
    yield "kernel settings", "writing /proc/self/setgroups", "EACCES|EPERM", lambda: opened("/proc/self/setgroups", os.O_RDWR)

    yield "processes", "a process of the host by its number", "ESRCH", lambda: tried(lambda: os.kill(given["host_pid"], 0))
    yield "processes", "a word in the arguments of a process of the host", "nothing", lambda: seen(given["word"])
    yield "processes", "the guest, among the processes", "nothing", guest_seen
    for words, act in (
        ("its memory as a file", lambda: opened(f"/proc/{STARTER}/mem")), ("its environment", lambda: read(f"/proc/{STARTER}/environ")),
        ("its root", lambda: listed(f"/proc/{STARTER}/root")),
        ("where its descriptors lead", lambda: tried(lambda: os.readlink(f"/proc/{STARTER}/fd/0"))),
        ("its memory maps", lambda: read(f"/proc/{STARTER}/maps")), ("its memory by process_vm_readv", lambda: memory_of(STARTER)),
        ("tracing it", lambda: child(lambda: call(101, 0x4206, STARTER, 0, 0))), ("a descriptor of it by pidfd_getfd", lambda: descriptor_of(STARTER)),
    ):
        yield "processes", "what starts commands: " + words, "EACCES|EPERM", act
    yield "processes", "what supervises this command: its memory as a file", "EACCES|EPERM", lambda: opened(f"/proc/{SUPERVISOR}/mem")
    yield "processes", "what supervises this command: tracing it", "EACCES|EPERM", lambda: child(lambda: call(101, 0x4206, SUPERVISOR, 0, 0))
    yield "processes", "descriptors that nobody handed over", "nothing", has_descriptors
    yield "processes", "the environment of the runtime", "nothing", lambda: in_environment(given["word"])

    yield "privileges", "user 0", "EPERM|EINVAL", lambda: set_user(0)
    yield "privileges", "another user", "EPERM|EINVAL", lambda: set_user(12)
    yield "privileges", "group 0", "EPERM|EINVAL", lambda: set_group(0)
    yield "privileges", "more groups", "EPERM", lambda: child(lambda: tried(lambda: os.setgroups([0])))
    yield "privileges", "a file given away", "EPERM|EINVAL", owned_by_other
    yield "privileges", "the capability to administer the system", "EPERM", with_capability
    yield "privileges", "a higher priority", "EACCES|EPERM", lambda: child(lambda: tried(lambda: os.setpriority(os.PRIO_PROCESS, 0, -5)))
    yield "privileges", "real-time scheduling", "EPERM", lambda: child(lambda: tried(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))))
    yield "privileges", "core dumps", "EPERM", lambda: raised(resource.RLIMIT_CORE, 1 << 20)

    yield "network", "a listener of the host on 127.0.0.1", "ECONNREFUSED", lambda: connected(socket.AF_INET, ("127.0.0.1", given["port"]))
    yield "network", "the same as 127.1.2.3", "ECONNREFUSED", lambda: connected(socket.AF_INET, ("127.1.2.3", given["port"]))
    yield "network", "the same as ::ffff:127.0.0.1", "ECONNREFUSED|ENETUNREACH", lambda: connected(socket.AF_INET6, ("::ffff:127.0.0.1", given["port"]))
    yield "network", "an abstract socket of the host", "ECONNREFUSED|EPERM", lambda: connected(socket.AF_UNIX, "\0" + given["abstract"])
    yield "network", "a socket file of the host", "ENOENT", lambda: connected(socket.AF_UNIX, given["socket"])
    for words, address in (("metadata service", "169.254.169.254"), ("private network", "10.0.0.1"), ("public network", "192.0.2.1")):
        yield "network", f"a datagram to a {words}", "ENETUNREACH", lambda a=address: connected(socket.AF_INET, (a, 9), socket.SOCK_DGRAM)
    yield "network", "a broadcast", "ENETUNREACH|EACCES", lambda: connected(socket.AF_INET, ("255.255.255.255", 9), socket.SOCK_DGRAM)
    yield "network", "a port beneath 1024", "EACCES", lambda: tried(lambda: socket.socket().bind(("127.0.0.1", 1023)))
    yield "network", "another interface", "EPERM", lambda: interface()


def hidden(path):
    """A covered file is the null device: nothing comes."""
    try:
        with open(path, "rb") as file:
            return "allowed" if file.read(1) else "nothing"
    except OSError as error:
        return name(error.errno)


def guest_seen():
    """Whether there are more processes than what starts commands, what supervises this one, and this one."""
    return "allowed" if sum(map(str.isdigit, os.listdir("/proc"))) > 3 else "nothing"


def interface():
    """Brings an interface of no name up."""
    request = b"baton-none".ljust(16, b"\0") + (1).to_bytes(2, "little") + bytes(14)
    return tried(lambda: fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8914, request))


for group, words, expected, act in attempts():
    try:
        answer = act()
    except Exception as error:
        answer = f"{type(error).__name__}: {error}"
    print(group, words, expected, answer, sep="\t", flush=True)
