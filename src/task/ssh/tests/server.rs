//! The server program, started anew for each connection to a port of the test's own, with its own keys.

use std::fs;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

pub(super) struct Server {
    directory: tempfile::TempDir,
    pub(super) port: u16,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    /// Whether who comes is sent away before a word is said.
    refuses: AtomicBool,
    ends: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
}

impl Server {
    pub(super) fn start() -> Server {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).display().to_string();
        for key in ["host_key", "user_key"] {
            let made =
                Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &path(key)]).status().unwrap();
            assert!(made.success());
        }
        fs::copy(path("user_key.pub"), path("authorized")).unwrap();
        let config = format!(
            "HostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n",
            path("host_key"),
            path("authorized")
        );
        fs::write(path("config"), config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        for (hosts, key) in [("known_hosts", "host_key.pub"), ("other_hosts", "user_key.pub")] {
            let key = fs::read_to_string(path(key)).unwrap();
            fs::write(path(hosts), format!("[127.0.0.1]:{port} {key}")).unwrap();
        }
        let shared = Arc::new(Shared::default());
        let (config, of_thread) = (path("config"), Arc::clone(&shared));
        let thread = thread::Builder::new().name("sshd".to_owned());
        let thread = thread.spawn(move || serve(&listener, &config, &of_thread)).unwrap();
        Server { directory, port, shared, thread: Some(thread) }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// From now on who comes is sent away before a word is said.
    pub(super) fn refuse(&self) {
        self.shared.refuses.store(true, Ordering::Relaxed);
    }

    /// Ends all connections there are, as a broken wire does.
    pub(super) fn hang_up(&self) {
        for connection in self.shared.connections.lock().unwrap().iter() {
            // It may have ended already.
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::Relaxed);
        self.hang_up();
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn serve(listener: &TcpListener, config: &str, shared: &Shared) {
    // It starts itself anew, for which it has to know its own path.
    let found = Command::new("sh").args(["-c", "command -v sshd"]).output().unwrap();
    let program = String::from_utf8(found.stdout).unwrap();
    thread::scope(|scope| {
        for connection in listener.incoming() {
            if shared.ends.load(Ordering::Relaxed) {
                return;
            }
            let connection = connection.unwrap();
            if shared.refuses.load(Ordering::Relaxed) {
                continue;
            }
            shared.connections.lock().unwrap().push(connection.try_clone().unwrap());
            let end = || Stdio::from(OwnedFd::from(connection.try_clone().unwrap()));
            let mut server = Command::new(program.trim());
            let server = server.args(["-i", "-e", "-f", config]).stdin(end()).stdout(end()).stderr(Stdio::null());
            let mut server = server.spawn().unwrap();
            scope.spawn(move || {
                server.wait().unwrap();
                let _ = connection.shutdown(Shutdown::Both);
            });
        }
    });
}

/// The user the tests run as, who alone may come.
pub(super) fn user() -> String {
    let user = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(user.stdout).unwrap().trim().to_owned()
}

/// A port where nobody listens.
pub(super) fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
