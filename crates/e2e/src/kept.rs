//! The measurements of a long run so far, which are shown however the run ends.

use std::ops::{Deref, DerefMut};

/// Measurements that may be incomplete.
pub trait Show {
    /// Prints them. `is_whole`: the run is complete.
    fn show(&self, is_whole: bool);
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
