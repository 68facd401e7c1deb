//! A web application that nobody here wrote, from PyPI: runs on a free port of loopback, and ends when dropped.
//!
//! `script/setup test` installs them, as `tests/apps/requirements.txt` says.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::baton::repository;
use crate::wait::eventually;

pub struct WebApp {
    /// `127.0.0.1:PORT`.
    pub host: String,
    process: Child,
    said: Arc<Mutex<String>>,
    /// The application's own; goes after it.
    _folder: tempfile::TempDir,
}

impl WebApp {
    /// Starts a new project of Django with its admin, one superuser, and the named users beside.
    pub async fn django_admin(superuser: &str, password: &str, others: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the application");
        finish(program("django-admin", folder.path()).args(["startproject", "office", "."]));
        let manage = |words: &[&str]| {
            let mut command = program("python", folder.path());
            command.arg("manage.py").args(words).env("DJANGO_SUPERUSER_PASSWORD", password);
            command
        };
        finish(&mut manage(&["migrate", "--verbosity", "0"]));
        let email = format!("{superuser}@office.example");
        finish(&mut manage(&["createsuperuser", "--noinput", "--username", superuser, "--email", &email]));
        let names = others.join(" ");
        let create = "from django.contrib.auth.models import User\n\
                      import os\n\
                      for name in os.environ['NAMES'].split():\n    \
                          User.objects.create_user(name, f'{name}@office.example')";
        finish(manage(&["shell", "--command", create]).env("NAMES", names));
        let mut server = manage(&["runserver", "--noreload", "127.0.0.1:0"]);
        server.env_remove("DJANGO_SUPERUSER_PASSWORD");
        Self::start(server, folder).await
    }

    /// Starts JupyterLab behind a password, on a folder with one file.
    pub async fn jupyter_lab(password: &str, file: &str, content: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the application");
        let notebooks = folder.path().join("notebooks");
        std::fs::create_dir(&notebooks).expect("a new folder");
        std::fs::write(notebooks.join(file), content).expect("a new file");
        let hash = finish(
            program("python", folder.path())
                .args(["-c", "import os; from jupyter_server.auth import passwd; print(passwd(os.environ['WORD']))"])
                .env("WORD", password),
        );
        let mut server = program("jupyter-lab", &notebooks);
        server.args(["--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0"]);
        server.arg(format!("--PasswordIdentityProvider.hashed_password={}", hash.trim()));
        // It asks nothing of the world outside this machine.
        server.args(["--LabApp.news_url=", "--LabApp.extension_manager=readonly"]);
        server.arg("--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate");
        for name in ["JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "HOME"] {
            server.env(name, folder.path().join(name.to_lowercase()));
        }
        Self::start(server, folder).await
    }

    async fn start(mut server: Command, folder: tempfile::TempDir) -> Self {
        let mut process = server.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the application starts");
        let said: Arc<Mutex<String>> = Arc::default();
        listen(process.stdout.take().expect("the output is a pipe"), said.clone());
        listen(process.stderr.take().expect("the output is a pipe"), said.clone());
        let mut app = Self { host: String::new(), process, said, _folder: folder };
        app.host = eventually("the application says where it listens", || {
            let ended = app.process.try_wait().expect("a child can be waited for");
            assert!(ended.is_none(), "the application ended: {}", app.said());
            std::future::ready(host_in(&app.said()))
        })
        .await;
        app
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host)
    }

    /// Returns everything that the application wrote; both log one line a request.
    pub fn said(&self) -> String {
        self.said.lock().expect("no panic while listening").clone()
    }
}

impl Drop for WebApp {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the application said:\n{}", self.said());
        }
        // As a person ends it: JupyterLab then ends its kernels, which are sessions of their own.
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.process.id()).expect("a pid is a small number"));
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.process.wait();
    }
}

/// Returns where a program is that `script/setup test` installed with the applications.
pub fn installed(name: &str) -> PathBuf {
    let path = repository().join("target/webapps/bin").join(name);
    assert!(path.exists(), "{} is missing: run `script/setup test`", path.display());
    path
}

/// Returns a command of the installed applications that knows nothing of this machine's settings.
fn program(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(installed(name));
    command.current_dir(folder).env("PYTHONUNBUFFERED", "1").stdin(Stdio::null());
    command
}

fn finish(command: &mut Command) -> String {
    let output = command.output().expect("the application's program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Keeps what a program writes, until it ends.
fn listen(output: impl Read + Send + 'static, said: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let mut said = said.lock().expect("no panic while listening");
            said.push_str(&line);
            said.push('\n');
        }
    });
}

fn host_in(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("http://127.0.0.1:")?;
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    // The port must be followed by something: the line is whole.
    (rest.len() > port.len()).then(|| format!("127.0.0.1:{port}"))
}
