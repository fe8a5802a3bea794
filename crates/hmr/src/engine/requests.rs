//! Requests for a build and a swap, or for earlier code.

use std::collections::BTreeSet;
use std::time::Instant;

use super::Loop;
use super::group::Group;
use super::handle::Request;
use super::host::WAITS;

impl Loop {
    /// Handles a request.
    pub(super) async fn handle_request(&mut self, request: Request) {
        let (plugin, answer) = match request {
            Request::Reload { plugin, answer } => (plugin, answer),
            Request::RollBack { plugin, to, answer } => {
                // This fails if the requester does not wait any more.
                let _ =
                    answer.send(self.roll_back(&plugin, to).await.map_err(|error| error.to_string().into()));
                return;
            }
        };
        let plugins: BTreeSet<_> = match plugin {
            None => self.members.workspace.plugins.keys().cloned().collect(),
            Some(plugin) if self.members.workspace.plugins.contains_key(&plugin) => [plugin].into(),
            Some(plugin) => {
                // This fails if the requester does not wait any more.
                let _ =
                    answer.send(vec![Err(format!("there is no plugin {plugin} in the workspace").into())]);
                return;
            }
        };
        if self.waits_for_host() {
            let _ = answer.send(vec![Err(WAITS.into())]);
            return;
        }
        self.start_build(
            Group { plugins, through_cargo: false, in_any_case: true },
            Instant::now(),
            vec![answer],
        );
    }
}
