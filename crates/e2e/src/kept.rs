//! The measurements of a long run so far, which are shown however the run ends.

use std::ops::{Deref, DerefMut};

use serde_json::Value;

/// Measurements that may be incomplete.
pub trait Show {
    /// Prints them. `is_whole`: the run is complete.
    fn show(&self, is_whole: bool);
}

/// Measurements that are shown as one JSON object or as text.
pub trait Outcome {
    /// Returns them as a JSON object.
    fn to_json(&self) -> Value;

    /// Prints them as text. `is_whole`: the run is complete.
    fn print(&self, is_whole: bool);
}

/// An outcome, and its format.
#[derive(Default)]
pub struct Shown<T> {
    /// The measurements.
    pub outcome: T,
    /// Whether one JSON object is printed, with the field `whole`.
    pub json: bool,
}

impl<T: Outcome> Show for Shown<T> {
    fn show(&self, is_whole: bool) {
        if self.json {
            let mut object = self.outcome.to_json();
            object["whole"] = is_whole.into();
            println!("{object}");
        } else {
            self.outcome.print(is_whole);
        }
    }
}

/// Shows the measurements when it is dropped: at the end of a run, at an error, and at a signal, which drops the run.
pub struct Kept<T: Show> {
    value: T,
    is_whole: bool,
}

impl<T: Show> Kept<T> {
    /// Creates it without measurements.
    pub fn new(value: T) -> Self {
        Self { value, is_whole: false }
    }

    /// Marks the run as complete, shows the measurements and returns them.
    pub fn finish(mut self) -> T
    where
        T: Default,
    {
        self.is_whole = true;
        self.value.show(true);
        std::mem::take(&mut self.value)
    }
}

impl<T: Show> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Show> DerefMut for Kept<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: Show> Drop for Kept<T> {
    fn drop(&mut self) {
        if !self.is_whole {
            self.value.show(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    #[derive(Default)]
    struct Counted(u32, Arc<Mutex<Vec<(u32, bool)>>>);

    impl Show for Counted {
        fn show(&self, is_whole: bool) {
            self.1.lock().push((self.0, is_whole));
        }
    }

    #[tokio::test]
    async fn what_was_measured_is_shown_once_however_the_run_ends() {
        let shown = Arc::new(Mutex::new(Vec::new()));
        let fails = |shown: Arc<Mutex<_>>| -> Result<(), ()> {
            let mut kept = Kept::new(Counted(0, shown));
            kept.0 += 1;
            Err(())?;
            kept.finish();
            Ok(())
        };
        assert!(fails(shown.clone()).is_err());
        let mut kept = Kept::new(Counted(0, shown.clone()));
        let run = async move {
            kept.0 = 2;
            std::future::pending::<()>().await;
            kept.finish();
        };
        // As with a signal.
        tokio::select! {
            biased;
            () = run => {}
            () = tokio::task::yield_now() => {}
        }
        Kept::new(Counted(3, shown.clone())).finish();
        assert_eq!(*shown.lock(), [(1, false), (2, false), (3, true)]);
    }
}
