//! Work outside: the trait a task implements and the built-in ones.
