//! SIGINT and SIGTERM: the first is told to whoever follows a workflow, the second ends the process at once.

use std::io;
use std::sync::mpsc::Sender;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::exit::Exit;
use crate::progress::note;

/// From now on sends `notice` to `follower` when somebody wants an end.
///
/// # Errors
///
/// If the system takes no handler, or gives no thread.
pub(crate) fn watch<T: Send + 'static>(follower: Sender<T>, notice: T) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let watch = move || {
        let mut signals = signals.forever();
        if signals.next().is_some() {
            // Nobody listens any more if the end came first; then there is nothing to stop.
            follower.send(notice).ok();
        }
        if signals.next().is_some() {
            note("ended at once; what still runs is ended by whoever opens the log next");
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(watch).map(|_| ())
}
