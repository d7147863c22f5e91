//! Random histories: how many are tried, and where they run.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// Histories that are tried.
const CASES: u32 = 24;
/// Shorter histories that are tried after one that fails.
const SHRINKS_MAX: u32 = 200;

/// Lives through random histories; fails with the shortest that is found to end badly.
pub(super) fn in_any_history<S: std::fmt::Debug>(
    steps: &impl Strategy<Value = Vec<S>>,
    live: impl AsyncFn(Vec<S>),
) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
    let config = ProptestConfig {
        cases: CASES,
        max_shrink_iters: SHRINKS_MAX,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    TestRunner::new(config)
        .run(steps, |steps| {
            runtime.block_on(live(steps));
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

/// Makes a test for every engine of a function that lives through random histories.
macro_rules! in_any_history_on_every_engine {
    ($test:ident) => {
        mod sqlite {
            #[test]
            fn $test() {
                super::$test($crate::conformance::store::Engine::Sqlite);
            }
        }
        mod postgres {
            #[test]
            fn $test() {
                super::$test($crate::conformance::store::Engine::Postgres);
            }
        }
    };
}

pub(super) use in_any_history_on_every_engine;
