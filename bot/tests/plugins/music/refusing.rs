//! All messages of refusals.

use serde_json::json;

use super::band::Band;

/// Commands that affect other listeners, with their options.
const STEERING: [&str; 15] = [
    "/clear",
    "/jump track:1",
    "/loop mode:track",
    "/move from:1 to:2",
    "/pause",
    "/previous",
    "/resume",
    "/seek to:1:00",
    "/shuffle",
    "/skip",
    "/skip count:2",
    "/stop",
    "/volume percent:50",
    "/play what:Beta where:next",
    "/play what:Beta where:now",
];

#[tokio::test]
async fn without_music_every_command_says_so() {
    let band = Band::of(&["carol"]).await;
    for command in ["/skip", "/voteskip", "/seek to:1:30", "/nowplaying"] {
        assert_eq!(band.refused("carol", command).await, "Nothing is playing right now.", "{command}");
    }
    for command in [
        "/clear",
        "/jump track:1",
        "/leave",
        "/loop mode:queue",
        "/move from:1 to:2",
        "/pause",
        "/previous",
        "/remove track:1",
        "/resume",
        "/shuffle",
        "/stop",
        "/volume percent:50",
    ] {
        let words = band.refused("carol", command).await;
        assert_eq!(words, "I am not in a voice channel here; join one and use /play or /join.", "{command}");
    }
    assert_eq!(band.told("carol", "/volume").await, "The volume is 100 %.");
    assert!(band.queue().await.contains("Nothing is playing.\n\nNothing waits;"), "{}", band.queue().await);
}

#[tokio::test]
async fn who_has_much_looked_up_has_to_wait() {
    // In this mode a minute is a real minute, which is enough for these few even on a busy machine.
    let band = Band::with(vec![("APP_ENV", "development".to_owned())]).await;
    band.enters("carol", "Lounge").await;
    for _ in 0..12 {
        let words = band.refused("carol", "/play what:http://10.0.0.1/song.mp3").await;
        assert_eq!(words, "That address is not open to the public, so I do not go there.");
    }
    for command in ["/play what:Alpha", "/lyrics song:Alpha"] {
        let words = band.refused("carol", command).await;
        assert!(
            words.starts_with("I look up at most 12 things a minute for one person; try again in "),
            "{words}"
        );
    }
    band.enters("bob", "Lounge").await;
    assert_eq!(band.told("bob", "/play what:Alpha").await, "Playing **Alpha**.");
}

#[tokio::test]
async fn who_is_in_no_voice_channel_cannot_play() {
    let band = Band::silent().await;
    for command in ["/play what:Alpha", "/join"] {
        let words = band.refused("carol", command).await;
        assert_eq!(words, "Join a voice channel first, so that I know where to play.", "{command}");
    }
}

#[tokio::test]
async fn who_listens_elsewhere_or_nowhere_does_not_steer() {
    let band = Band::of(&["carol", "bob"]).await;
    band.opens_studio().await;
    band.enters("dave", "Studio").await;
    band.told("carol", "/play what:Alpha").await;
    for command in STEERING.into_iter().chain(["/voteskip", "/remove track:1"]) {
        let words = band.refused("dave", command).await;
        let begins = words.starts_with("You are in another voice channel; join me in <#");
        assert!(begins, "{command}: {words}");
        if !command.starts_with("/play") {
            let words = band.refused("alice", command).await;
            assert!(words.starts_with("You are in no voice channel; join me in <#"), "{command}: {words}");
        }
    }
    assert!(band.refused("dave", "/leave").await.starts_with("You are in another voice channel"));
    assert!(band.refused("dave", "/play what:Beta").await.starts_with("You are in another voice channel"));
}

#[tokio::test]
async fn who_is_no_dj_steers_only_alone_or_with_what_is_their_own() {
    let band = Band::of(&["carol"]).await;
    band.has_djs().await;
    // Alone, carol has the rights of a DJ.
    band.told("carol", "/play what:Alpha").await;
    assert!(band.told("carol", "/pause").await.starts_with("Paused;"));
    assert_eq!(band.told("carol", "/resume").await, "Playing on.");
    band.enters("bob", "Lounge").await;
    band.enters("dave", "Lounge").await;
    for command in STEERING {
        let words = band.refused("dave", command).await;
        assert!(words.starts_with("Only a DJ (<@&") && words.contains("while others listen"), "{words}");
    }
    assert!(band.refused("dave", "/skip").await.ends_with("; /voteskip asks them."));
    assert!(band.refused("dave", "/leave").await.starts_with("Only a DJ"));
    // The bot is not moved away from its listeners.
    band.opens_studio().await;
    assert!(band.refused("dave", "/join channel:Studio").await.starts_with("Only a DJ"));
    // Any user may add tracks, and remove their own.
    band.told("dave", "/play what:Beta").await;
    band.told("carol", "/play what:Gamma").await;
    assert!(band.refused("dave", "/remove track:2").await.starts_with("Only a DJ"));
    assert!(band.refused("dave", "/remove track:1 to:2").await.starts_with("Only a DJ"));
    assert_eq!(band.told("dave", "/remove track:1").await, "**Beta** taken out of the queue.");
    assert_eq!(band.told("carol", "/skip").await, "Skipped **Alpha**.");
    // bob has the role, and alice manages the server.
    assert!(band.told("bob", "/pause").await.starts_with("Paused;"));
    band.enters("alice", "Lounge").await;
    assert_eq!(band.told("alice", "/resume").await, "Playing on.");
}

#[tokio::test]
async fn a_bad_time_number_or_volume_is_named() {
    let band = Band::of(&["carol"]).await;
    let time = band.refused("carol", "/seek to:soon").await;
    assert_eq!(time, "`soon` is no time; write 1:30 or 90s, or +30s and -30s from here.");
    band.told("carol", "/play what:Alpha").await;
    let past = band.refused("carol", "/seek to:9:00").await;
    assert_eq!(past, "That is past the end: the track is 2:00 long.");
    for command in ["/jump track:3", "/remove track:3", "/move from:3 to:1"] {
        let words = band.refused("carol", command).await;
        assert_eq!(words, "There is no number 3: nothing waits in the queue.", "{command}");
    }
    band.told("carol", "/play what:Beta").await;
    assert_eq!(
        band.refused("carol", "/jump track:3").await,
        "There is no number 3 in the queue; it goes from 1 to 1."
    );
    assert_eq!(band.refused("carol", "/volume percent:150").await, "The volume goes from 0 to 100 % here.");
    assert_eq!(band.refused("carol", "/resume").await, "It is not paused.");
    band.told("carol", "/pause").await;
    assert_eq!(band.refused("carol", "/pause").await, "It is paused already.");
    assert_eq!(band.refused("carol", "/previous").await, "Nothing was played before this.");
    band.told("carol", "/clear").await;
    for command in ["/clear", "/shuffle"] {
        assert_eq!(band.refused("carol", command).await, "Nothing waits in the queue.", "{command}");
    }
}

#[tokio::test]
async fn a_channel_that_is_closed_to_the_bot_silent_or_full_is_named_with_the_way_out() {
    let band = Band::of(&["carol", "bob"]).await;
    let (people, guild) = (&band.bot.people, band.bot.guild());
    band.bot.is_no_administrator().await;
    people.edit_channel(&guild, "Lounge", &json!({ "user_limit": 2 })).await.unwrap();
    let refused = async |ending: &str| {
        // Discord's response to the administrator and its event to the bot arrive independently.
        let words = band
            .bot
            .until(ending, async || {
                let words = band.refused("carol", "/join").await;
                words.ends_with(ending).then_some(words)
            })
            .await;
        assert!(words.contains("<#"), "{words}");
        assert_eq!(band.refused("carol", "/play what:Alpha").await, words);
    };
    refused(" is full; make room, or give me the permission Move Members there.").await;
    people.edit_channel(&guild, "Lounge", &json!({ "user_limit": 0 })).await.unwrap();
    let overwrite = async |change| people.edit_overwrite(&guild, "Lounge", "Sandbot", &change).await.unwrap();
    overwrite(json!({ "deny": ["SPEAK"] })).await;
    refused("; give me the permission Speak there.").await;
    overwrite(json!({ "allow": ["SPEAK"], "deny": ["CONNECT"] })).await;
    refused("; give me the permissions View Channel and Connect there.").await;
    overwrite(json!({ "inherit": ["CONNECT", "SPEAK"] })).await;
    band.bot
        .until("the bot plays", async || {
            let answer = band.bot.say("carol", "/play what:Alpha").await;
            answer.content.starts_with("Playing").then_some(())
        })
        .await;
    band.is_heard().await;
}

#[tokio::test]
async fn an_announce_channel_that_the_bot_may_not_write_in_is_refused() {
    let band = Band::silent().await;
    let (people, guild) = (&band.bot.people, band.bot.guild());
    band.bot.is_no_administrator().await;
    people.edit_overwrite(&guild, "general", "Sandbot", &json!({ "deny": ["EMBED_LINKS"] })).await.unwrap();
    let words = band
        .bot
        .until("the channel is closed to the bot", async || {
            let answer = band.bot.say("alice", "/settings announce:#general").await;
            answer.embeds.is_empty().then_some(answer.content)
        })
        .await;
    assert!(words.starts_with("I may not write in <#"), "{words}");
    assert!(words.ends_with("permissions View Channel, Send Messages and Embed Links there."), "{words}");
    let shown = band.bot.say("alice", "/settings").await;
    assert!(shown.embeds[0].to_string().contains("announced in:** nowhere"), "{shown:?}");
}
