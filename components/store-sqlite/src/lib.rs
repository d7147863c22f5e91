//! restock:domain on Spin SQLite.
spin_sdk::wit_bindgen::generate!({ path: "../../wit", world: "store", runtime_path: "::spin_sdk::wit_bindgen::rt", generate_all });
