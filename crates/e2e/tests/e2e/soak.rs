//! The soak in its short form.

use e2e::soak::{Options, Outcome, soak};

#[tokio::test(flavor = "multi_thread")]
async fn reloads_under_load_cost_no_more_than_the_ledger_says() {
    let options = Options { minutes: 0, reloads: Some(25), rate: 20, only: None, json: true };
    let mut outcome = Outcome::default();
    soak(&options, &mut outcome, |_| {}).await.unwrap();
    assert_eq!(outcome.samples.len(), 26);
    let wrong = outcome.wrong();
    assert!(wrong.is_empty(), "{wrong:?}: {:#?}", outcome.samples);
}
