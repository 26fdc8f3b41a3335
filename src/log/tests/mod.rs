//! Tests of the whole log over a simulated disk, numbered as the design numbers them.

mod crash;
mod damage;
mod failure;
mod model;
