//! The servers that are measured, each a process of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

/// A server that runs until this is dropped.
pub struct Server {
    child: Child,
    /// Its address, as `127.0.0.1:port`.
    pub address: String,
}

impl Server {
    /// `tarbac serve` on a workspace.
    pub fn tarbac(folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tarbac"));
        command
            .arg("-C")
            .arg(folder)
            .args(["serve", "--listen", "127.0.0.1:0", "--no-watch"]);
        Self::start(command)
    }

    /// Plain Cedar on the same workspace.
    pub fn bare(folder: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("bare").arg(folder);
        Self::start(command)
    }

    /// `tarbac serve` on stores.
    pub fn of_stores(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tarbac"));
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments);
        Self::start(command)
    }

    /// The id of the process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().unwrap().unwrap();
            if let Some((_, after)) = line.split_once("address=\"http://") {
                break after.split('"').next().unwrap().to_owned();
            }
        };
        // What is written has to be read.
        thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
