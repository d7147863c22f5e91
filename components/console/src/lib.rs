//! The operator interface, health and the description of the API.
