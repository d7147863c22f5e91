//! One step of a task: a program that is shown, run, and whose failure says what to do about it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// Where cargo is told to build, whatever the environment says: spin.toml names the components by this path.
pub(crate) fn target() -> PathBuf {
    root().join("target")
}

/// A program that runs in the root of the workspace.
pub(crate) struct Step(Command);

/// A step of cargo, the very one that runs this task.
pub(crate) fn cargo(command: &str) -> Step {
    Step::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())).arg(command)
}

/// Whether a program can be run with these arguments.
pub(crate) fn is_there(program: &str, args: &[&str]) -> bool {
    Command::new(program)
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

impl Step {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.current_dir(root()).env("CARGO_TARGET_DIR", target());
        // `cargo run` tells xtask about xtask. Handed on, it would look like another environment to build scripts than that of a
        // plain cargo command, and whatever they belong to would be built anew each time, down to the host.
        for (name, _) in std::env::vars_os() {
            let about_xtask = name.to_str().is_some_and(|name| {
                name.starts_with("CARGO_PKG_")
                    || name.starts_with("CARGO_MANIFEST_")
                    || name == "CARGO_BIN_NAME"
            });
            if about_xtask {
                command.env_remove(&name);
            }
        }
        Self(command)
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.0.arg(arg);
        self
    }

    pub(crate) fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.0.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// Runs it to its end; a failure names the step and carries `advice`.
    pub(crate) fn or(mut self, advice: &str) -> Result<()> {
        let line = self.line();
        eprintln!("==> {line}");
        let status = self.0.status().with_context(|| format!("cannot start `{line}`"))?;
        if !status.success() {
            bail!("`{line}` failed ({status})\n{advice}");
        }
        Ok(())
    }

    /// Runs it and answers what it printed.
    pub(crate) fn output(mut self) -> Result<String> {
        let line = self.line();
        let output =
            self.0.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start `{line}`"))?;
        if !output.status.success() {
            bail!("`{line}` failed ({})", output.status);
        }
        String::from_utf8(output.stdout).with_context(|| format!("`{line}` did not print text"))
    }

    /// Ends this process with that one in its place, so that Ctrl-C and the exit status are the program's own.
    #[cfg(unix)]
    pub(crate) fn become_it(mut self) -> Result<()> {
        use std::os::unix::process::CommandExt as _;
        let line = self.line();
        eprintln!("==> {line}");
        Err(self.0.exec()).with_context(|| format!("cannot start `{line}`"))
    }

    /// Runs it and ends with its exit status; Ctrl-C reaches both processes.
    #[cfg(not(unix))]
    pub(crate) fn become_it(mut self) -> Result<()> {
        let line = self.line();
        eprintln!("==> {line}");
        let status = self.0.status().with_context(|| format!("cannot start `{line}`"))?;
        std::process::exit(status.code().unwrap_or(1))
    }

    fn line(&self) -> String {
        let program = Path::new(self.0.get_program());
        let name = if program.starts_with(root()) {
            program.strip_prefix(root()).unwrap_or(program).to_string_lossy()
        } else {
            program.file_name().unwrap_or_default().to_string_lossy()
        };
        let args = self.0.get_args().map(OsStr::to_string_lossy);
        std::iter::once(name).chain(args).collect::<Vec<_>>().join(" ")
    }
}
