//! The engine's interface for plugins and the kernel.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use sdk_core::voice::settings::MAX_VOLUME;
use sdk_core::voice::{
    FrameCounts, GuildSettings, LyricsClient, LyricsSetupError, Player, Players, SavedVoice, VoiceEvent,
    VoiceEventKind, source,
};
use serenity::all::{Context, GuildId};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::Engine;
use crate::lyrics::Client;
use crate::message::TaskMessage;
use crate::saved::{self, now};

/// Longest wait for players to stop.
const CLOSED_WITHIN: Duration = Duration::from_millis(300);

impl Players for Engine {
    fn player(&self, guild: GuildId) -> Player {
        let mut players = self.0.players.lock();
        players.entry(guild).or_insert_with(|| self.serve(guild)).player.clone()
    }

    fn existing(&self, guild: GuildId) -> Option<Player> {
        self.0.players.lock().get(&guild).map(|served| served.player.clone())
    }

    fn players(&self) -> Vec<Player> {
        self.0.players.lock().values().map(|served| served.player.clone()).collect()
    }

    fn settings(&self, guild: GuildId) -> GuildSettings {
        self.0.settings.lock().get(&guild).cloned().unwrap_or_default()
    }

    fn set_settings(&self, guild: GuildId, mut settings: GuildSettings) {
        settings.max_volume = settings.max_volume.min(MAX_VOLUME);
        settings.volume = settings.volume.min(settings.max_volume);
        settings.vote_ratio = settings.vote_ratio.min(100);
        self.0.settings.lock().insert(guild, settings);
        self.0.changes.mark();
        self.send(guild, TaskMessage::Settings);
    }

    fn sources(&self) -> Arc<dyn source::Sources> {
        self.0.sources.load_full()
    }

    fn lyrics(&self, base: &str) -> Result<Box<dyn LyricsClient>, LyricsSetupError> {
        Ok(Box::new(Client::new(base)?))
    }

    fn frames(&self) -> FrameCounts {
        self.0.frames.counts()
    }

    fn mixing_time(&self) -> BoxFuture<'_, Option<Duration>> {
        self.0.drivers.mixing_time()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        let closing: Vec<_> = {
            let players = self.0.players.lock();
            players
                .values()
                .map(|served| {
                    let (done, closed) = oneshot::channel();
                    let _ = served.sender.send(TaskMessage::Close(done));
                    closed
                })
                .collect()
        };
        Box::pin(async {
            let _ = timeout(CLOSED_WITHIN, join_all(closing)).await;
            self.0.closed.store(true, Ordering::Release);
        })
    }

    fn saved(&self) -> SavedVoice {
        let mut players = self.0.pending.lock().clone();
        players.retain(|_, player| saved::is_recent(player));
        for player in self.players() {
            let status = player.status();
            if let Some(mut saved) = saved::of(&status, now()) {
                saved.deaths = self.0.deaths.lock().get(&status.guild).copied().unwrap_or_default();
                players.insert(status.guild, saved);
            }
        }
        let closed = self.0.closed.load(Ordering::Acquire);
        SavedVoice { settings: self.0.settings.lock().clone(), players, closed }
    }

    fn restore(&self, mut saved: SavedVoice) -> bool {
        let mut has_died = false;
        if !saved.closed {
            for player in saved.players.values_mut() {
                has_died |= saved::count_death(player);
            }
        }
        *self.0.settings.lock() = saved.settings;
        *self.0.pending.lock() = saved.players;
        has_died
    }

    fn set_context(&self, context: &Context) {
        self.0.cache.store(Some(context.cache.clone()));
        self.0.http.store(Some(context.http.clone()));
    }

    fn guild_came(&self, guild: GuildId) {
        let kept = self.0.pending.lock().remove(&guild);
        let Some(mut kept) = kept else { return self.listeners_changed(guild) };
        let culprit = saved::take_culprit(&mut kept);
        self.0.deaths.lock().insert(guild, kept.deaths);
        let listeners = kept.channel.and_then(|channel| self.listeners(guild, channel));
        let heard = listeners.is_some_and(|listeners| listeners > 0);
        let stays = self.settings(guild).stay;
        let rejoin = saved::is_recent(&kept) && (heard || stays);
        tracing::info!(%guild, rejoin, "a player is as it was before the restart");
        self.player(guild);
        self.send(guild, TaskMessage::Restore { kept: Box::new(kept), rejoin, culprit });
    }

    fn guild_gone(&self, guild: GuildId) {
        self.0.pending.lock().remove(&guild);
        self.0.settings.lock().remove(&guild);
        self.0.changes.mark();
        match self.0.players.lock().remove(&guild) {
            // Its task publishes the event, after all its other events.
            Some(served) => drop(served.sender.send(TaskMessage::Gone)),
            None => self.tell(VoiceEvent { guild, channel: None, kind: VoiceEventKind::GuildGone }),
        }
    }

    fn listeners_changed(&self, guild: GuildId) {
        self.send(guild, TaskMessage::Listeners);
    }
}
