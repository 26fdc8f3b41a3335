//! Where effects happen: steps the machine, runs tasks, waits for timers.

mod definition_file;
