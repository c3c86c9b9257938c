//! Starts ffmpeg and ffprobe so that none of them outlives this program, not even its SIGKILL.
//!
//! Linux ends a process with its parent where that process has asked for it (`PR_SET_PDEATHSIG`).
//! Two things make that sound. The kernel takes the *thread* that started a process for its
//! parent, so one thread, which lives as long as this program, starts them all. And a parent may be
//! gone before the child has asked, so the child looks who its parent is once it has. The child
//! that asks and looks is this program itself, started again under a hidden verb; then it becomes
//! ffmpeg. `docs/decisions/0123` says why.

use std::{
    ffi::{OsStr, OsString},
    io::{self, Write},
    os::unix::process::CommandExt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    process::{ExitCode, ExitStatus, Stdio},
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use rustix::process::{
    Pid, Signal, getppid, kill_process_group, set_parent_process_death_signal, setpriority_process,
};
use tokio::{
    process::{Child, Command},
    runtime::Handle,
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::IngestError;

/// The hidden verb: `carrete hold PARENT PROGRAM ARGUMENT...`.
const HOLD: &str = "hold";

/// This program, also while another version of it already lies at its path.
const ITSELF: &str = "/proc/self/exe";

/// What a program that could not be started exits with, as shells have it.
const ABSENT: u8 = 127;

/// Programs that wait to be started; beyond, those who want one wait for a place.
const WAITING: usize = 8;

/// How long a killed program may take to be gone.
const GONE: Duration = Duration::from_secs(5);

/// The priority of what nobody waits for, as nice(1) counts.
const LAST: i32 = 15;

/// Whether the running program knows the hidden verb; a test that only links this does not.
static HOLDS: OnceLock<()> = OnceLock::new();

/// The thread that starts programs.
static STARTER: Mutex<Option<mpsc::Sender<Request>>> = Mutex::new(None);

/// Has to be the first thing that the program does. Started under the hidden verb it becomes the
/// program that the arguments name and answers only where that fails. Otherwise it is noted that
/// the verb is known here, and everything that is started from now on ends with this process.
pub fn hold() -> Option<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    if words.next().as_deref() != Some(OsStr::new(HOLD)) {
        if Path::new(ITSELF).exists() {
            let _ = HOLDS.set(());
        }
        return None;
    }
    let parent = words.next().and_then(|word| word.to_str()?.parse().ok()).and_then(Pid::from_raw);
    let (Some(parent), Some(program)) = (parent, words.next()) else {
        let _ = writeln!(io::stderr(), "carrete: {HOLD} is what Carrete itself starts ffmpeg with");
        return Some(ExitCode::from(2));
    };
    Some(become_held(parent, &program, words))
}

/// Ends with `parent` from here on. Answers only if the program cannot be started.
fn become_held(
    parent: Pid,
    program: &OsStr,
    arguments: impl Iterator<Item = OsString>,
) -> ExitCode {
    if set_parent_process_death_signal(Some(Signal::KILL)).is_err() || getppid() != Some(parent) {
        return ExitCode::FAILURE;
    }
    // It answers only with an error.
    let _ = std::process::Command::new(program).args(arguments).exec();
    ExitCode::from(ABSENT)
}

/// A command line for this program, to which arguments are added.
pub(super) fn command(program: &Path) -> Command {
    if HOLDS.get().is_none() {
        return Command::new(program);
    }
    let mut command = Command::new(ITSELF);
    command.arg(HOLD).arg(std::process::id().to_string()).arg(program);
    command
}

/// A running program; gone with all its children when this is dropped, and by itself when this
/// process ends, however that is.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) child: Child,
    program: PathBuf,
    id: Option<Pid>,
}

/// A program to be started.
struct Request {
    command: Command,
    program: PathBuf,
    /// The runtime that waits for it.
    runtime: Handle,
    answer: oneshot::Sender<io::Result<Group>>,
}

impl Group {
    /// Starts what [`command`] began, in a process group of its own.
    pub(super) async fn start(
        program: &Path,
        mut command: Command,
        stdin: Stdio,
    ) -> Result<Self, IngestError> {
        command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let absent = || IngestError::NoTool(program.display().to_string());
        let (answer, started) = oneshot::channel();
        let (program, runtime) = (program.to_owned(), Handle::current());
        let request = Request { command, program, runtime, answer };
        let busy = |why: &str| IngestError::Ffmpeg(why.to_owned());
        let starter = starter().map_err(|error| busy(&error.to_string()))?;
        starter.send(request).await.map_err(|_| busy("no thread starts it"))?;
        started.await.map_err(|_| busy("no thread starts it"))?.map_err(|_| absent())
    }

    /// Everything else on this machine goes first.
    pub(super) fn step_back(&self) {
        if self.id.is_some() {
            // Where it is not allowed it runs like the rest.
            let _ = setpriority_process(self.id, LAST);
        }
    }

    /// What an end means: well, or why not. `why` is asked only where the program itself says no.
    pub(super) fn judge(
        &self,
        ended: io::Result<ExitStatus>,
        why: impl FnOnce(ExitStatus) -> IngestError,
    ) -> Result<(), IngestError> {
        match ended {
            Ok(status) if status.success() => Ok(()),
            Ok(status) if status.code() == Some(ABSENT.into()) => {
                Err(IngestError::NoTool(self.program.display().to_string()))
            }
            Ok(status) => Err(why(status)),
            Err(error) => Err(IngestError::Ffmpeg(error.to_string())),
        }
    }

    /// Kills and waits, so that nothing is written any more.
    pub(super) async fn kill(&mut self) {
        self.signal();
        let _ = timeout(GONE, self.child.wait()).await;
    }

    fn signal(&mut self) {
        // Once it has been waited for, the number may be another's.
        if let (Some(id), Ok(None)) = (self.id, self.child.try_wait()) {
            let _ = kill_process_group(id, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal();
    }
}

/// The way to the thread that starts programs, which is made by whoever asks first.
fn starter() -> io::Result<mpsc::Sender<Request>> {
    let mut kept = STARTER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(starter) = kept.as_ref().filter(|starter| !starter.is_closed()) {
        return Ok(starter.clone());
    }
    let (sender, mut requests) = mpsc::channel::<Request>(WAITING);
    std::thread::Builder::new().name("starts-ffmpeg".into()).spawn(move || {
        // The sender that is kept below never goes, so neither does this thread.
        while let Some(request) = requests.blocking_recv() {
            serve(request);
        }
    })?;
    Ok(kept.insert(sender).clone())
}

fn serve(request: Request) {
    let Request { mut command, program, runtime, answer } = request;
    let started = catch_unwind(AssertUnwindSafe(|| {
        let _waits = runtime.enter();
        command.spawn()
    }));
    // With this thread everything that it started would end.
    let started = started.unwrap_or_else(|_| Err(io::Error::other("the runtime has ended")));
    let group = started.map(|child| {
        let id = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Group { child, program, id }
    });
    // Where nobody waits for it any more, it ends with the answer.
    drop(answer.send(group));
}
