//! The talk: names and tokens, messages and their marks, rooms, rates and history.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::sockets::{Page, server, server_with};

fn text(event: &Value) -> &str {
    event["text"].as_str().unwrap_or_default()
}

fn is_message(event: &Value) -> bool {
    event["type"] == "chat_message"
}

async fn join(page: &mut Page, name: &str, token: Option<&Value>) -> Value {
    page.say(json!({ "type": "join", "username": name, "token": token })).await;
    page.find(|event| event["type"] == "joined").await
}

#[tokio::test]
async fn a_message_reaches_everyone_its_sender_included() {
    let server = server().await;
    let mut a = server.open_quietly().await;
    let mut b = server.open_quietly().await;
    a.say(json!({ "type": "chat_message", "text": "x", "nonce": "n" })).await;
    let error = a.error().await;
    assert_eq!((&error["code"], &error["nonce"]), (&json!("not_joined"), &json!("n")));
    join(&mut a, "ana", None).await;
    a.say(json!({ "type": "chat_message", "text": " <b>hola</b> ñ 🎬\n" })).await;
    for page in [&mut a, &mut b] {
        let message = page.find(is_message).await;
        assert_eq!(text(&message), "<b>hola</b> ñ 🎬");
        assert_eq!(message["username"], "ana");
        assert_eq!(message["channel"], Value::Null);
        assert!(message.get("nonce").is_none());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis();
        let ts = u128::from(message["ts"].as_u64().expect("a time"));
        assert!(now.abs_diff(ts) < 5_000);
    }
    assert!(!b.until_now().await.iter().any(|event| event["type"] == "joined"));
}

#[tokio::test]
async fn names_are_checked_and_unique_among_those_online() {
    let server = server().await;
    let mut a = server.open_quietly().await;
    for bad in ["", "  ", "\u{200B}\u{200D}", &"x".repeat(25), "a\u{0}b", "a\u{202E}b"] {
        a.say(json!({ "type": "join", "username": bad })).await;
        assert_eq!(a.error().await["code"], "bad_username", "{bad:?}");
    }
    assert_eq!(join(&mut a, " ana ", None).await["username"], "ana");
    let mut b = server.open_quietly().await;
    assert_eq!(join(&mut b, "ana", None).await["username"], "ana2");
    let mut c = server.open_quietly().await;
    assert_eq!(join(&mut c, "ＡＮＡ", None).await["username"], "ＡＮＡ3");
    let mut d = server.open_quietly().await;
    let longest = "🎬".repeat(24);
    assert_eq!(join(&mut d, &longest, None).await["username"], longest);
}

#[tokio::test]
async fn a_joined_person_may_take_another_name_and_stays_the_same() {
    let server = server().await;
    let mut a = server.open_quietly().await;
    let first = join(&mut a, "ana", None).await;
    let second = join(&mut a, "eva", None).await;
    assert_eq!(second["username"], "eva");
    assert_eq!(first["token"], second["token"]);
    a.say(json!({ "type": "chat_message", "text": "hola" })).await;
    assert_eq!(a.find(is_message).await["username"], "eva");
    let mut b = server.open_quietly().await;
    assert_eq!(join(&mut b, "ana", None).await["username"], "ana");
}

#[tokio::test]
async fn two_sockets_with_one_token_are_one_person_twice() {
    let server = server().await;
    let mut a = server.open_quietly().await;
    let joined = join(&mut a, "eva", None).await;
    let mut b = server.open_quietly().await;
    let again = join(&mut b, "other", Some(&joined["token"])).await;
    assert_eq!(again, joined);
    // Both speak, both hear it, each gets back its own mark.
    for (text, nonce) in [("old", "1"), ("new", "2")] {
        let speaker = if nonce == "1" { &mut a } else { &mut b };
        speaker.say(json!({ "type": "chat_message", "text": text, "nonce": nonce })).await;
        for (page, own) in [(&mut a, "1"), (&mut b, "2")] {
            let heard = page.find(|event| self::text(event) == text).await;
            assert_eq!(heard["username"], "eva");
            assert_eq!(heard["nonce"] == nonce, own == nonce, "{heard}");
        }
    }
    // One likes, the other takes it back.
    let like = json!({ "type": "reaction", "kind": "like", "channel": "canal1", "at_s": 3 });
    for (page, likes) in [(&mut a, 1), (&mut b, 0)] {
        page.say(like.clone()).await;
        let reaction = page.find(|event| event["likes"] == likes).await;
        assert_eq!((&reaction["username"], &reaction["on"]), (&json!("eva"), &json!(likes == 1)));
    }
    // Another name is another name on both.
    join(&mut b, "eva maria", None).await;
    let told = a.find(|event| event["type"] == "joined").await;
    assert_eq!((&told["username"], &told["token"]), (&json!("eva maria"), &joined["token"]));
    a.say(json!({ "type": "chat_message", "text": "ours" })).await;
    assert_eq!(b.find(|event| self::text(event) == "ours").await["username"], "eva maria");
    join(&mut a, "eva", None).await;

    // The end of one takes nothing from the other.
    a.leave().await;
    b.find(|event| event["type"] == "user_count" && event["count"] == 1).await;
    b.say(json!({ "type": "chat_message", "text": "still here" })).await;
    assert_eq!(b.find(|event| self::text(event) == "still here").await["username"], "eva");
    let mut c = server.open_quietly().await;
    assert_eq!(join(&mut c, "eva", None).await["username"], "eva2");
    b.leave().await;
    c.find(|event| event["type"] == "user_count" && event["count"] == 1).await;
    let mut d = server.open_quietly().await;
    assert_eq!(join(&mut d, "eva", Some(&joined["token"])).await["username"], "eva");
    let mut e = server.open_quietly().await;
    let fresh = join(&mut e, "leo", Some(&json!("not a token"))).await;
    assert_eq!(fresh["username"], "leo");
}

#[tokio::test]
async fn rates_are_a_persons_on_however_many_sockets() {
    let server = server_with(&["--chat-rate", "4/60"]).await;
    let mut a = server.open_quietly().await;
    let token = join(&mut a, "ana", None).await["token"].clone();
    let mut pages = vec![a];
    for _ in 0..3 {
        let mut page = server.open_quietly().await;
        join(&mut page, "ana", Some(&token)).await;
        pages.push(page);
    }
    for (n, page) in pages.iter_mut().enumerate() {
        let mark = format!("n{n}");
        page.say(json!({ "type": "chat_message", "text": "x", "nonce": mark })).await;
        page.find(|event| event["nonce"] == mark).await;
    }
    let mut refused = 0;
    for page in &mut pages {
        page.say(json!({ "type": "chat_message", "text": "y", "nonce": "m" })).await;
        refused += usize::from(page.error().await["code"] == "slow_down");
    }
    assert_eq!(refused, 4);
}

#[tokio::test]
async fn who_took_a_name_meanwhile_gives_it_back() {
    let server = server().await;
    let mut a = server.open_quietly().await;
    let mut b = server.open_quietly().await;
    let joined = join(&mut a, "ana", None).await;
    a.leave().await;
    b.find(|event| event["type"] == "user_count" && event["count"] == 1).await;
    assert_eq!(join(&mut b, "ana", None).await["username"], "ana");
    let mut c = server.open_quietly().await;
    assert_eq!(join(&mut c, "ana", Some(&joined["token"])).await["username"], "ana");
    let renamed = b.find(|event| event["type"] == "joined").await;
    assert_eq!(renamed["username"], "ana2");
    assert!(!c.until_now().await.iter().any(|event| event["type"] == "joined"));
    b.say(json!({ "type": "chat_message", "text": "hola" })).await;
    assert_eq!(c.find(is_message).await["username"], "ana2");
}

#[tokio::test]
async fn messages_have_one_to_five_hundred_characters() {
    let server = server().await;
    let mut a = server.joined("ana").await;
    for (text, code) in [
        ("x".repeat(501), "too_long"),
        ("🎬".repeat(501), "too_long"),
        (String::new(), "bad_request"),
        (" \n\u{200B}".into(), "bad_request"),
    ] {
        a.say(json!({ "type": "chat_message", "text": text, "nonce": "n" })).await;
        let error = a.error().await;
        assert_eq!((&error["code"], &error["nonce"]), (&json!(code), &json!("n")));
    }
    let escaped = "\\ud83c\\udfac".repeat(500);
    a.write(&format!("{{\"type\":\"chat_message\",\"text\":\"{escaped}\"}}")).await;
    assert_eq!(text(&a.find(is_message).await), "🎬".repeat(500));
    a.say(json!({ "type": "chat_message", "text": "e\u{301}".repeat(500) })).await;
    assert_eq!(text(&a.find(is_message).await), "é".repeat(500));
}

#[tokio::test]
async fn a_nonce_comes_back_to_its_sender_and_is_not_said_twice() {
    let server = server().await;
    let mut a = server.joined("ana").await;
    let mut b = server.open_quietly().await;
    let event = json!({ "type": "chat_message", "text": "una vez", "nonce": "n-\"1\"" });
    a.say(event.clone()).await;
    let message = a.find(is_message).await;
    assert_eq!(message["nonce"], "n-\"1\"");
    a.say(event.clone()).await;
    assert_eq!(a.find(is_message).await, message);
    a.say(json!({ "type": "chat_message", "text": "después", "nonce": "n-2" })).await;
    let heard = b.find(is_message).await;
    assert_eq!((text(&heard), heard.get("nonce")), ("una vez", None));
    assert_eq!(heard["id"], message["id"]);
    assert_eq!(text(&b.find(is_message).await), "después");

    // Also from another connection of the same person.
    let token = join(&mut a, "ana", None).await["token"].clone();
    let mut again = server.open_quietly().await;
    join(&mut again, "ana", Some(&token)).await;
    again.say(event).await;
    assert_eq!(again.find(is_message).await, message);
    assert!(!b.until_now().await.iter().any(is_message));

    let long = "x".repeat(37);
    again.say(json!({ "type": "chat_message", "text": "x", "nonce": long })).await;
    let error = again.error().await;
    assert_eq!((&error["code"], error.get("nonce")), (&json!("bad_request"), None));
}

#[tokio::test]
async fn a_room_keeps_to_those_who_watch_it() {
    let server = server().await;
    let mut a = server.joined("ana").await;
    let mut b = server.joined("eva").await;
    b.say(json!({ "type": "watch", "channel": "canal2" })).await;
    let history = b.find(|event| event["type"] == "history").await;
    assert_eq!(
        history,
        json!({ "type": "history", "channel": "canal2", "messages": [], "likes": 0, "moments": [] })
    );
    b.say(json!({ "type": "chat_message", "text": "solo aquí", "channel": "canal2" })).await;
    assert_eq!(b.find(is_message).await["channel"], "canal2");
    // Who speaks into a room without watching it is answered by its mark alone.
    let aside = json!({ "type": "chat_message", "text": "de lejos", "channel": "canal2" });
    a.say(aside.clone()).await;
    assert_eq!(text(&b.find(is_message).await), "de lejos");
    let mut marked = aside;
    marked["nonce"] = json!("m");
    marked["text"] = json!("con marca");
    a.say(marked).await;
    let answer = a.find(is_message).await;
    assert_eq!((text(&answer), &answer["nonce"]), ("con marca", &json!("m")));
    assert_eq!(text(&b.find(is_message).await), "con marca");

    b.say(json!({ "type": "watch", "channel": "canal3" })).await;
    b.find(|event| event["type"] == "history" && event["channel"] == "canal3").await;
    a.say(json!({ "type": "watch", "channel": "canal2" })).await;
    let history = a.find(|event| event["channel"] == "canal2").await;
    let texts: Vec<&str> = history["messages"].as_array().into_iter().flatten().map(text).collect();
    assert_eq!(texts, ["solo aquí", "de lejos", "con marca"]);
    assert!(history["messages"][2].get("nonce").is_none());
    a.say(json!({ "type": "chat_message", "text": "otra", "channel": "canal2" })).await;
    a.find(is_message).await;
    assert!(!b.until_now().await.iter().any(is_message));

    a.say(json!({ "type": "chat_message", "text": "x", "channel": "nope", "nonce": "u" })).await;
    let error = a.error().await;
    assert_eq!((&error["code"], &error["nonce"]), (&json!("bad_request"), &json!("u")));
    let mut c = server.open().await;
    let everybody = c.find(|event| event["type"] == "history").await;
    assert_eq!(everybody["messages"], json!([]));
}

#[tokio::test]
async fn history_is_the_newest_hundred_oldest_first() {
    let server = server().await;
    let mut a = server.joined("ana").await;
    for number in 0..130 {
        a.say(json!({ "type": "chat_message", "text": number.to_string() })).await;
    }
    a.find(|event| text(event) == "129").await;
    let mut b = server.open().await;
    let history = b.find(|event| event["type"] == "history").await;
    let messages = history["messages"].as_array().expect("messages");
    let texts: Vec<String> = messages.iter().map(|message| text(message).to_owned()).collect();
    assert_eq!(texts, (30..130).map(|number| number.to_string()).collect::<Vec<_>>());
    let ids: Vec<&str> = messages.iter().filter_map(|message| message["id"].as_str()).collect();
    assert_eq!(ids.len(), 100);
    assert!(ids.is_sorted() && ids.windows(2).all(|pair| pair[0] != pair[1]));
}

#[tokio::test]
async fn whoever_connects_in_the_middle_misses_nothing_and_hears_nothing_twice() {
    let server = server().await;
    let mut a = server.joined("ana").await;
    let address = &server;
    let (_, pages) = tokio::join!(
        async {
            for number in 0..150 {
                a.say(json!({ "type": "chat_message", "text": number.to_string() })).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        },
        async {
            let mut pages = Vec::new();
            for _ in 0..20 {
                tokio::time::sleep(Duration::from_millis(8)).await;
                pages.push(address.open().await);
            }
            pages
        }
    );
    for mut page in pages {
        let mut heard: Vec<u32> = Vec::new();
        while heard.last() != Some(&149) {
            let event = page.next().await;
            if event["type"] == "history" {
                heard.extend(
                    event["messages"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .flat_map(|m| text(m).parse::<u32>()),
                );
            } else if is_message(&event) {
                heard.extend(text(&event).parse::<u32>());
            }
        }
        let first = heard[0];
        assert_eq!(heard, (first..150).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn too_fast_is_answered_with_when_and_the_message_is_not_lost() {
    let server = server_with(&["--chat-rate", "3/3"]).await;
    let mut a = server.joined("ana").await;
    let mut b = server.joined("eva").await;
    let said = |number: u32| json!({ "type": "chat_message", "text": number.to_string(), "nonce": number.to_string() });
    for number in 0..4 {
        a.say(said(number)).await;
    }
    let error = a.error().await;
    assert_eq!((&error["code"], &error["nonce"]), (&json!("slow_down"), &json!("3")));
    let wait = error["retry_after_ms"].as_u64().expect("when");
    assert!((1..=1_001).contains(&wait), "{wait}");
    // The rate is each person's own, though both come from one address.
    b.say(said(100)).await;
    assert_eq!(text(&b.find(|event| text(event) == "100").await), "100");
    tokio::time::sleep(Duration::from_millis(wait)).await;
    a.say(said(3)).await;
    a.find(|event| text(event) == "3" && event["nonce"] == "3").await;
    // Neither repeats nor another connection get around it.
    a.say(said(3)).await;
    a.say(said(4)).await;
    assert_eq!(a.error().await["nonce"], "4");
}

#[tokio::test]
async fn an_address_has_a_second_fence() {
    let server = server_with(&["--chat-rate", "100/1", "--chat-rate-address", "4/60"]).await;
    let mut a = server.joined("ana").await;
    let mut b = server.joined("eva").await;
    for page in [&mut a, &mut b] {
        for _ in 0..2 {
            page.say(json!({ "type": "chat_message", "text": "x" })).await;
        }
        page.find(is_message).await;
        page.until_now().await;
    }
    for page in [&mut a, &mut b] {
        page.say(json!({ "type": "chat_message", "text": "x" })).await;
        assert_eq!(page.error().await["code"], "slow_down");
    }
}

#[tokio::test]
async fn reactions_reach_everyone_and_a_second_like_takes_it_back() {
    let server = server().await;
    let mut a = server.open_quietly().await;
    let mut b = server.open_quietly().await;
    let like = json!({ "type": "reaction", "kind": "like", "channel": "canal1", "at_s": 3.5 });
    let is_reaction = |event: &Value| event["type"] == "reaction";
    for on in [true, false, true] {
        a.say(like.clone()).await;
        assert_eq!(
            b.find(is_reaction).await,
            json!({ "type": "reaction", "kind": "like", "channel": "canal1", "at_s": 3.5,
                    "username": null, "on": on, "likes": u32::from(on) })
        );
    }
    join(&mut a, "ana", None).await;
    for _ in 0..2 {
        a.say(json!({ "type": "reaction", "kind": "fire", "channel": "canal2", "at_s": 0 })).await;
        let reaction = b.find(is_reaction).await;
        assert_eq!((&reaction["username"], &reaction["on"]), (&json!("ana"), &json!(true)));
    }
    for (kind, channel, at_s) in [
        ("hate", "canal1", json!(1)),
        ("like", "nope", json!(1)),
        ("like", "canal1", json!(-1)),
        ("like", "canal1", json!("1")),
        ("like", "canal1", Value::Null),
    ] {
        a.say(json!({ "type": "reaction", "kind": kind, "channel": channel, "at_s": at_s })).await;
        assert_eq!(a.error().await["code"], "bad_request");
    }
    for _ in 0..30 {
        a.say(json!({ "type": "reaction", "kind": "clap", "channel": "canal2", "at_s": 1 })).await;
    }
    assert_eq!(a.error().await["code"], "slow_down");
}

#[tokio::test]
async fn who_comes_later_is_told_likes_and_moments() {
    let server = server().await;
    let mut a = server.open_quietly().await;
    let mut b = server.open_quietly().await;
    let is_reaction = |event: &Value| event["type"] == "reaction";
    let react = |kind: &str, at_s: f64| json!({ "type": "reaction", "kind": kind, "channel": "canal1", "at_s": at_s });
    a.say(json!({ "type": "watch", "channel": "canal1" })).await;
    a.find(|event| event["channel"] == "canal1").await;
    for (kind, at_s) in [("like", 3.5449), ("fire", 7.0), ("clap", 0.0)] {
        a.say(react(kind, at_s)).await;
        a.find(is_reaction).await;
    }
    b.say(react("like", 12.0)).await;
    assert_eq!(a.find(is_reaction).await["likes"], 2);
    b.say(json!({ "type": "watch", "channel": "canal1" })).await;
    let history = b.find(|event| event["channel"] == "canal1" && event["type"] == "history").await;
    assert_eq!(history["likes"], 2);
    let moments = json!([
        { "kind": "like", "at_s": 3.5 }, { "kind": "fire", "at_s": 7.0 },
        { "kind": "clap", "at_s": 0.0 }, { "kind": "like", "at_s": 12.0 },
    ]);
    assert_eq!(history["moments"], moments);

    // Taken back after a name was taken, at another moment: still the same person's.
    join(&mut a, "ana", None).await;
    a.say(react("like", 90.0)).await;
    let back = b.find(|event| is_reaction(event) && event["at_s"] == 90.0).await;
    assert_eq!((&back["on"], &back["likes"]), (&json!(false), &json!(1)));
    b.say(json!({ "type": "watch", "channel": "canal1" })).await;
    let history = b.find(|event| event["type"] == "history").await;
    assert_eq!(history["likes"], 1);
    assert_eq!(history["moments"].as_array().map(Vec::len), Some(3));
    b.say(json!({ "type": "watch", "channel": "canal2" })).await;
    let other = b.find(|event| event["channel"] == "canal2").await;
    assert_eq!((&other["likes"], &other["moments"]), (&json!(0), &json!([])));

    // Everybody's history is of no reel.
    let mut c = server.open().await;
    let everybody = c.find(|event| event["type"] == "history").await;
    assert!(everybody.get("likes").is_none() && everybody.get("moments").is_none());
}
