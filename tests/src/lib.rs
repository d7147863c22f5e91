//! Tests of the whole application on real parts: the components on the embedded host, real SQLite files, real HTTP, the
//! sandbox factory.
//!
//! One file per guarantee. Time is moved by hand, the worker is stepped by hand or waited for by what it does to the world;
//! nothing sleeps in the hope that something has happened by then.
#![cfg(test)]

mod home;
mod lines;
mod parcels;
mod rows;
mod support;
mod visitor;

mod advertisements;
mod alerts;
mod backorders;
mod bad_input;
mod browser;
mod burst;
mod callbacks;
mod conformance;
mod console;
mod console_pages;
mod console_queues;
mod consumers;
mod crash;
mod dead_letters;
mod deployment;
mod factory;
mod interface;
mod keys;
mod legacy;
mod loyalty;
mod mail;
mod main_loop;
mod metrics;
mod orders;
mod permissions;
mod postgres;
mod queues;
mod races;
mod replicas;
mod returned_goods;
mod returns;
mod sqlite;
mod tracing;
