//! What ten people who look at the same page share.
