//! `/play`, `/join`, `/leave` and `/lyrics`: the possible requests, and from which channels.

use axum::Router;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::routing::get;
use sandbox::client::Run;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::band::{Band, refusal, tone};
use crate::bot::words;

/// Serves `router` on a free port of this machine. Returns host and port.
async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test]
async fn a_song_of_the_library_is_heard_and_the_next_one_waits() {
    let band = Band::of(&["carol"]).await;
    assert_eq!(band.told("carol", "/play what:Alpha").await, "Playing **Alpha**.");
    band.is_heard().await;
    let added = band.told("carol", "/play what:Beta").await;
    assert!(added.starts_with("Added **Beta** as number 1 in the queue, in 1:"), "{added}");
    let next = band.told("carol", "/play what:Gamma where:next").await;
    assert!(next.starts_with("Added **Gamma** as number 1 in the queue"), "{next}");
    assert_eq!(band.told("carol", "/play what:Delta where:now").await, "Playing **Delta**.");
    let queue = band.queue().await;
    assert!(queue.contains("Now: **Delta**") && queue.contains("`1.` Gamma") && queue.contains("`2.` Beta"));
}

#[tokio::test]
async fn the_library_is_offered_while_a_title_is_typed_and_its_choice_is_played() {
    let band = Band::of(&["carol"]).await;
    assert_eq!(band.choices("/play what:gam").await, ["Gamma"]);
    let answer = band.bot.people.complete(Run::typed("/play what:gam").by("carol")).await.unwrap();
    let choice = answer.choices.unwrap()[0]["value"].as_str().unwrap().to_owned();
    assert_eq!(band.told("carol", &format!("/play what:{choice}")).await, "Playing **Gamma**.");
}

#[tokio::test]
async fn an_attached_file_is_heard() {
    let band = Band::of(&["carol"]).await;
    let run = Run::typed("/play file:hum.wav").by("carol").file("hum.wav", &tone(200, 60));
    let answer = band.bot.people.run(run).await.unwrap();
    assert!(answer.content.starts_with("Playing **") && answer.content.contains("hum"), "{answer:?}");
    band.is_heard().await;
}

/// Serves a song, and a playlist that contains it a hundred times.
async fn serve_playlist() -> String {
    let song = tone(150, 30);
    let list = (1..=100).fold("#EXTM3U\n".to_owned(), |list, number| {
        format!("{list}#EXTINF:30,Number {number}\nsong.wav?{number}\n")
    });
    let file = |kind: &'static str, bytes: Vec<u8>| {
        get(move || {
            let bytes = bytes.clone();
            async move { ([("content-type", kind)], bytes) }
        })
    };
    let router = Router::new()
        .route("/song.wav", file("audio/wav", song))
        .route("/list.m3u", file("audio/x-mpegurl", list.into_bytes()));
    serve(router).await
}

#[tokio::test]
async fn one_person_has_no_more_than_half_of_the_queue_while_others_listen() {
    let host = serve_playlist().await;
    let band = Band::with(vec![("MEDIA_ALLOW_HOSTS", host.clone())]).await;
    band.enters("carol", "Lounge").await;
    band.enters("dave", "Lounge").await;
    let list = format!("/play what:http://{host}/list.m3u");
    // One of them is played immediately and no longer waits.
    for added in ["Playing 100 tracks.", "Added 100 tracks"] {
        let words = band.told("carol", &list).await;
        assert!(words.starts_with(added), "{words}");
    }
    let words = band.told("carol", &list).await;
    assert!(words.starts_with("Added 51 tracks as number 200 in the queue"), "{words}");
    assert!(
        words.ends_with("; 250 tracks is the most for one person, so 49 tracks had to stay out."),
        "{words}"
    );
    let words = band.refused("carol", &list).await;
    let full = "You have 250 tracks in the queue, which is the most for one person; /remove takes yours out.";
    assert_eq!(words, full);
    assert!(band.told("dave", "/play what:Alpha").await.starts_with("Added **Alpha** as number 251 in"));
    assert_eq!(band.told("carol", "/remove track:250").await.split(' ').next_back(), Some("queue."));
    assert!(band.told("carol", "/play what:Beta").await.starts_with("Added **Beta** as number 251 in"));
    // A manager of the server has no limit.
    band.enters("alice", "Lounge").await;
    for _ in 0..2 {
        assert!(band.told("alice", &list).await.starts_with("Added 100 tracks"));
    }
    assert!(band.told("alice", &list).await.ends_with("; the queue is full, so 51 tracks had to stay out."));
}

#[tokio::test]
async fn an_address_and_a_playlist_are_played_until_the_queue_is_full() {
    let host = serve_playlist().await;
    let band = Band::with(vec![("MEDIA_ALLOW_HOSTS", host.clone())]).await;
    band.enters("carol", "Lounge").await;
    let one = band.told("carol", &format!("/play what:http://{host}/song.wav")).await;
    assert!(one.starts_with("Playing **") && one.contains("song"), "{one}");
    band.is_heard().await;
    for round in 0..5 {
        let added = band.told("carol", &format!("/play what:http://{host}/list.m3u")).await;
        let number = round * 100 + 1;
        assert!(
            added.starts_with("Added 100 tracks") && added.contains(&format!("as number {number} in")),
            "{added}"
        );
    }
    let full = band.refused("carol", &format!("/play what:http://{host}/list.m3u")).await;
    assert_eq!(full, "The queue is full: at most 500 tracks can wait.");
}

#[tokio::test]
async fn what_cannot_be_found_or_is_not_asked_for_is_told_in_a_sentence() {
    let band = Band::of(&["carol"]).await;
    let nothing = band.refused("carol", "/play what:Nonesuch").await;
    assert!(nothing.starts_with("The library has nothing like that"), "{nothing}");
    let private = band.refused("carol", "/play what:http://10.0.0.1/song.mp3").await;
    assert_eq!(private, "That address is not open to the public, so I do not go there.");
    let empty = band.refused("carol", "/play").await;
    assert_eq!(empty, "Say what to play: an address, words to search for, or a file.");
    let both = Run::typed("/play what:Alpha file:hum.wav").by("carol").file("hum.wav", &tone(200, 1));
    let both = refusal(&band.bot.people.run(both).await.unwrap());
    assert_eq!(both, "Give an address or words, or a file, not both.");
}

#[tokio::test]
async fn it_joins_moves_and_leaves_when_asked() {
    let band = Band::of(&["carol"]).await;
    band.opens_studio().await;
    let lounge = band.told("carol", "/join").await;
    assert!(lounge.starts_with("I am in <#") && lounge.ends_with("> now."), "{lounge}");
    assert!(band.told("carol", "/join").await.ends_with("> already."));
    band.told("carol", "/play what:Alpha").await;
    let studio = band.told("carol", "/join channel:Studio").await;
    assert!(studio.ends_with("> now.") && studio != lounge, "{studio}");
    band.enters("carol", "Studio").await;
    band.is_heard().await;
    let left = band.told("carol", "/leave").await;
    assert!(left.starts_with("I have left <#"), "{left}");
    assert!(band.refused("carol", "/leave").await.starts_with("I am not in a voice channel here"));
}

#[tokio::test]
async fn lyrics_of_what_is_on_or_of_a_song_are_shown() {
    let search = async |Query(asked): Query<Value>| {
        let words = asked["q"].as_str().unwrap_or_default().to_owned();
        if words == "Nonesuch" {
            return (StatusCode::OK, json!([]).to_string());
        }
        let record = json!({
            "id": 1, "trackName": words, "artistName": "Somebody", "duration": 120.0,
            "instrumental": false, "plainLyrics": "la la\n# [la](https://evil.example)\u{202e}", "syncedLyrics": null,
        });
        (StatusCode::OK, json!([record]).to_string())
    };
    let host = serve(Router::new().route("/api/search", get(search))).await;
    let band = Band::with(vec![("LRCLIB_URL", format!("http://{host}"))]).await;
    band.enters("carol", "Lounge").await;
    let shown = words(&band.bot.say("carol", "/lyrics song:Some song").await.embeds[0]);
    let lyrics = "Some song – Somebody\nla la\n\\# \\[la\\](https\\://evil.example)\nfrom LRCLIB";
    assert_eq!(shown, lyrics, "markup and controls do nothing");
    assert_eq!(band.refused("carol", "/lyrics").await, "Nothing is playing right now.");
    band.told("carol", "/play what:Alpha").await;
    let shown = words(&band.bot.say("carol", "/lyrics").await.embeds[0]);
    assert!(shown.starts_with("Alpha – Somebody"), "{shown}");
    assert!(!band.refused("carol", "/lyrics song:Nonesuch").await.is_empty());
}

#[tokio::test]
async fn a_slow_address_does_not_take_the_bot_from_those_who_listen_meanwhile() {
    let asked = std::sync::Arc::new(tokio::sync::Notify::new());
    let go = std::sync::Arc::new(tokio::sync::Notify::new());
    let (arrived, released, song) = (asked.clone(), go.clone(), tone(150, 30));
    let slow = get(move || {
        let (arrived, released, song) = (arrived.clone(), released.clone(), song.clone());
        async move {
            arrived.notify_one();
            released.notified().await;
            ([("content-type", "audio/wav")], song)
        }
    });
    let host = serve(Router::new().route("/slow.wav", slow)).await;
    let band = Band::with(vec![("MEDIA_ALLOW_HOSTS", host.clone())]).await;
    band.opens_studio().await;
    band.enters("carol", "Lounge").await;
    band.enters("dave", "Studio").await;
    let command = format!("/play what:http://{host}/slow.wav");
    let slow = band.refused("dave", &command);
    let meanwhile = async {
        asked.notified().await;
        assert_eq!(band.told("carol", "/play what:Alpha").await, "Playing **Alpha**.");
        go.notify_one();
    };
    let (refused, ()) = tokio::join!(slow, meanwhile);
    assert!(refused.starts_with("You are in another voice channel; join me in <#"), "{refused}");
    band.is_heard().await;
    assert!(band.queue().await.contains("Now: **Alpha**"));
}

#[tokio::test]
async fn who_asks_slow_servers_is_told_to_wait_for_their_answers() {
    let (asked, mut arrived) = tokio::sync::watch::channel(0);
    let (go, released) = tokio::sync::watch::channel(false);
    let song = tone(150, 30);
    let slow = get(move || {
        let (asked, mut released, song) = (asked.clone(), released.clone(), song.clone());
        async move {
            asked.send_modify(|asked| *asked += 1);
            released.wait_for(|released| *released).await.unwrap();
            ([("content-type", "audio/wav")], song)
        }
    });
    let host = serve(Router::new().route("/slow.wav", slow)).await;
    let band = Band::with(vec![("MEDIA_ALLOW_HOSTS", host.clone())]).await;
    band.enters("carol", "Lounge").await;
    band.enters("dave", "Lounge").await;
    let command = format!("/play what:http://{host}/slow.wav");
    let slow = async || band.told("carol", &command).await;
    let meanwhile = async {
        arrived.wait_for(|asked| *asked == 3).await.unwrap();
        let wait = "You have 3 requests under way already; wait until one of them is answered.";
        assert_eq!(band.refused("carol", &command).await, wait);
        assert_eq!(band.refused("carol", "/lyrics song:Alpha").await, wait);
        // Other users have a limit of their own.
        assert_eq!(band.told("dave", "/play what:Alpha").await, "Playing **Alpha**.");
        go.send_replace(true);
    };
    let (one, two, three, ()) = tokio::join!(slow(), slow(), slow(), meanwhile);
    for told in [one, two, three] {
        assert!(told.starts_with("Added **"), "{told}");
    }
    assert!(band.told("carol", &command).await.starts_with("Added **"));
}

#[tokio::test]
async fn a_host_that_is_denied_is_not_asked_though_it_is_allowed() {
    let host = serve(Router::new().route("/song.wav", get(|| async { tone(150, 30) }))).await;
    let hosts = |name| (name, host.clone());
    let band = Band::with(vec![hosts("MEDIA_ALLOW_HOSTS"), hosts("MEDIA_DENY_HOSTS")]).await;
    band.enters("carol", "Lounge").await;
    let refused = band.refused("carol", &format!("/play what:http://{host}/song.wav")).await;
    assert_eq!(refused, "That address is not open to the public, so I do not go there.");
}
