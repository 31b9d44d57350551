//! The audit, on a federation's history made with the real engine, keys, log and witnesses.

mod command;
mod home;
mod limits;
mod story;
mod tampering;
mod what_is_told;
