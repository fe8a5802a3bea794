//! The soak in its shortest form: all of its machinery, with too few reloads for a judgement of memory and times.
//!
//! `./dev-env.sh test --slow` judges them: over 25 reloads after the warm-up, and over an hour.

use std::time::Duration;

use e2e::soak::{Options, Outcome, WarmUp, soak};

#[tokio::test(flavor = "multi_thread")]
async fn each_plugin_of_the_soak_reloads_under_load_and_nothing_is_lost() {
    // Each of the five plugins once.
    let warm_up = WarmUp { reloads: 1, time: Duration::ZERO };
    let options = Options { minutes: 0, reloads: Some(4), rate: 20, only: None, json: true, warm_up };
    let mut outcome = Outcome::default();
    soak(&options, &mut outcome, |_| {}).await.unwrap();
    let reloads: Vec<_> = outcome.samples.iter().map(|sample| sample.reload).collect();
    assert_eq!(reloads, [1, 2, 3, 4, 5]);
    for sample in &outcome.samples {
        let (held, inside) = (sample.held, sample.inside);
        let counts = [held.private_kib, held.mapped_kib, held.descriptors, held.threads];
        assert!(counts.into_iter().all(|count| count > 0), "{sample:?}");
        assert!(inside.tasks > 0 && inside.listeners > 0, "{sample:?}");
    }
    assert!(outcome.tally.sent > 0 && outcome.tally.is_clean(), "{:?}", outcome.tally);
    assert_eq!(outcome.identifies, 1);
    assert!(outcome.slower().is_finite() && outcome.kib_per_reload().is_finite(), "{outcome:?}");
}
