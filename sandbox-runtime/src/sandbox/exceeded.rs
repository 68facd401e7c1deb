//! That a sandbox exceeded its limits, told in the result of the command that failed by it.

use sandbox_core::model::{ExceededLimit, ExecResult, LimitsInForce};

/// How often each limit was exceeded so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exceeded {
    /// Processes ended because the memory was used up.
    pub memory: u64,
    /// Processes refused or ended because there were too many.
    pub pids: u64,
    /// Processes ended because the workspace was too large.
    pub disk: u64,
}

/// Says in a failed command's result which limit was exceeded while it ran, in a field and at the end of its error output.
pub fn tell_exceeded(result: &mut ExecResult, before: Exceeded, after: Exceeded, limits: &LimitsInForce) {
    let file_too_large = result.signal.as_deref() == Some("SIGXFSZ");
    let limit = if result.exit_code == 0 || result.timed_out {
        return;
    } else if after.memory > before.memory {
        ExceededLimit::MemoryMb
    } else if after.disk > before.disk || file_too_large {
        ExceededLimit::DiskMb
    } else if after.pids > before.pids {
        ExceededLimit::Pids
    } else {
        return;
    };
    let value = |limit: Option<sandbox_core::model::LimitInForce>| limit.map(|limit| limit.value).unwrap_or_default();
    let said = match limit {
        ExceededLimit::MemoryMb => {
            format!("the sandbox used up its memory of {} MB (limits.memoryMb)", value(limits.memory_mb))
        }
        ExceededLimit::Pids => {
            format!("the sandbox used up its {} processes (limits.pids)", value(limits.pids))
        }
        ExceededLimit::DiskMb => {
            format!("the workspace grew over its {} MB (limits.diskMb)", value(limits.disk_mb))
        }
    };
    if !result.stderr.is_empty() && !result.stderr.ends_with('\n') {
        result.stderr.push('\n');
    }
    result.stderr.push_str(&format!("baton: {said}\n"));
    result.limit_exceeded = Some(limit);
}

#[cfg(test)]
mod tests {
    use sandbox_core::model::{EnforcedBy, LimitInForce};

    use super::*;

    fn told(exit_code: i32, signal: Option<&str>, after: Exceeded) -> ExecResult {
        let mut result = ExecResult {
            exit_code,
            signal: signal.map(str::to_owned),
            stdout: String::new(),
            stderr: "Killed".to_owned(),
            stdout_truncated: false,
            stderr_truncated: false,
            duration_ms: 1,
            timed_out: false,
            limit_exceeded: None,
        };
        let memory_mb = Some(LimitInForce { value: 512, by: EnforcedBy::Cgroup2 });
        let before = Exceeded { memory: 1, pids: 1, disk: 1 };
        tell_exceeded(&mut result, before, after, &LimitsInForce { memory_mb, ..LimitsInForce::default() });
        result
    }

    #[test]
    fn a_command_that_failed_by_the_memory_limit_says_so() {
        let result = told(137, Some("SIGKILL"), Exceeded { memory: 2, pids: 1, disk: 1 });
        assert_eq!(result.limit_exceeded, Some(ExceededLimit::MemoryMb));
        assert_eq!(result.stderr, "Killed\nbaton: the sandbox used up its memory of 512 MB (limits.memoryMb)\n");
    }

    #[test]
    fn a_file_that_may_not_grow_is_the_disk_limit() {
        let result = told(153, Some("SIGXFSZ"), Exceeded { memory: 1, pids: 1, disk: 1 });
        assert_eq!(result.limit_exceeded, Some(ExceededLimit::DiskMb));
    }

    #[test]
    fn a_command_that_succeeded_or_failed_by_itself_says_nothing() {
        let more = Exceeded { memory: 9, pids: 9, disk: 9 };
        let same = Exceeded { memory: 1, pids: 1, disk: 1 };
        for (code, after) in [(0, more), (1, same)] {
            let result = told(code, None, after);
            assert_eq!((result.limit_exceeded, result.stderr.as_str()), (None, "Killed"));
        }
    }
}
