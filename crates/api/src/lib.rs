//! The types of the HTTP interface, their decoding and their description.
