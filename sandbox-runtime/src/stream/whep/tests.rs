//! A session from a client's side: the track, the words, and its end.

use std::time::Duration;

use bytes::BytesMut;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use sandbox_core::Lease;
use sandbox_core::viewer::{FromViewer, InputEvent, ToViewer, ViewerMode};
use sandbox_link::protocol::{InputFrame, VideoControl, VideoRequest};
use sandbox_picture::pieces::{Joiner, cut};
use webrtc::media_stream::track_remote::TrackRemoteEvent;

use super::client::{Client, Viewing, whole};
use super::{WhepError, WhepSessions};
use crate::stream::testing::{Asked, FakeSeat, PATIENCE, Room, Seen, h264_picture, soon};

const LEASE: Lease = Lease(3);

#[tokio::test]
async fn pictures_arrive_as_rtp_with_the_captures_clock_and_no_playout_delay() {
    let mut viewing = Viewing::start(ViewerMode::Watch, None).await;
    viewing.room_saw(Seen::VideoAsked(VideoRequest::whole(true, false))).await;
    // A slice longer than one packet, after its parameter sets.
    let mut unit = vec![0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80, 0, 0, 0, 1, 0x65];
    unit.extend(std::iter::repeat_n(0xab, 3000));
    let mut track = None;
    let mut packets = vec![];
    let mut number = 0;
    while packets.is_empty() {
        number += 1;
        viewing.room.pictures.send(h264_picture(number, 1_000_000, &unit)).unwrap();
        if track.is_none() {
            track = tokio::time::timeout(Duration::from_millis(500), viewing.client.tracks.recv()).await.ok().flatten();
        }
        let Some(track) = &track else { continue };
        while let Ok(Some(event)) = tokio::time::timeout(Duration::from_millis(500), track.poll()).await {
            if let TrackRemoteEvent::OnRtpPacket(packet) = event {
                let last = packet.header.marker;
                packets.push(packet);
                if last {
                    break;
                }
            }
        }
        assert!(number < 40, "no picture arrived");
    }
    assert!(packets.len() >= 3, "{} packets", packets.len());
    for packet in &packets {
        assert_eq!((packet.header.timestamp, packet.header.payload_type), (90_000, 109));
        let zero_delay = packet.header.extensions.iter().any(|extension| extension.payload[..] == [0, 0, 0]);
        assert!(zero_delay, "{:?}", packet.header.extensions);
    }
    viewing.room_saw(Seen::Video(VideoControl::Shown(1))).await;

    // The receiver lost the thread: the room is asked for a whole picture.
    let track = track.unwrap();
    let media_ssrc = track.ssrcs().await[0];
    let lost = PictureLossIndication { sender_ssrc: 0, media_ssrc };
    track.write_rtcp(vec![Box::new(lost)]).await.unwrap();
    viewing.room_saw(Seen::Video(VideoControl::Refresh)).await;
}

#[tokio::test]
async fn the_data_channel_carries_input_and_answers() {
    let mut viewing = Viewing::start(ViewerMode::Control, Some(LEASE)).await;
    viewing.client.say(FromViewer::Ping { sent_at: 5.5 }).await;
    assert!(matches!(viewing.client.word().await, ToViewer::Pong { sent_at: 5.5, .. }));
    let click = InputEvent::Button { button: 0, down: true, x: 3, y: 4 };
    viewing.client.say(FromViewer::Input { lease: LEASE, event: click.clone() }).await;
    assert_eq!(viewing.room.next_input().await, InputFrame::Event(click));
    viewing.client.say(FromViewer::Input { lease: Lease(1), event: InputEvent::Move { x: 1, y: 1 } }).await;
    assert!(matches!(viewing.client.word().await, ToViewer::Denied { code, .. } if code == "staleLease"));
}

#[tokio::test]
async fn a_word_of_any_length_goes_both_ways_and_nonsense_ends_nothing() {
    let mut viewing = Viewing::start(ViewerMode::Control, Some(LEASE)).await;
    // Escaped, it is twice as long.
    let long = "\"x".repeat(300_000);
    let say = |bytes: BytesMut| viewing.client.input.send(bytes);
    let pasted = serde_json::to_vec(&FromViewer::Paste { lease: LEASE, text: long.clone() }).unwrap();
    for (head, part) in cut(&pasted, 16 << 10) {
        say(BytesMut::from(&[&head[..], part].concat()[..])).await.unwrap();
    }
    assert_eq!(viewing.room.next_input().await, InputFrame::Paste(long.clone()));
    // A word in one binary message, as some clients send.
    say(BytesMut::from(&br#"{"type":"ping","sentAt":1.5}"#[..])).await.unwrap();
    assert!(matches!(viewing.client.word().await, ToViewer::Pong { sent_at: 1.5, .. }));
    say(BytesMut::from(&[255; 9][..])).await.unwrap();
    assert!(matches!(viewing.client.word().await, ToViewer::Denied { code, .. } if code == "invalid"));

    *viewing.room.clipboard.lock().unwrap() = long.clone();
    viewing.client.say(FromViewer::Copy { lease: LEASE }).await;
    let (copied, n_pieces) = whole(&viewing.client.input, &mut Joiner::default()).await;
    assert_eq!(serde_json::from_slice::<ToViewer>(&copied).unwrap(), ToViewer::Clipboard { text: long });
    assert!(n_pieces > 1, "any data channel carries them");
}

#[tokio::test]
async fn closing_the_session_lifts_keys_and_leaves_the_seat() {
    let mut viewing = Viewing::start(ViewerMode::Control, Some(LEASE)).await;
    assert!(viewing.sessions.close(&viewing.id));
    assert!(!viewing.sessions.close(&viewing.id));
    viewing.left().await;
    soon("the sessions' end", viewing.sessions.close_all()).await;
}

#[tokio::test]
async fn a_viewer_that_closes_its_connection_leaves_the_seat_and_its_keys() {
    let mut viewing = Viewing::start(ViewerMode::Control, Some(LEASE)).await;
    viewing.client.connection.close().await.unwrap();
    assert_eq!(viewing.room.next_input().await, InputFrame::ReleaseAll);
    viewing.left().await;
    // Taken out of the list too, soon after.
    soon("the session's place", async {
        while viewing.sessions.close(&viewing.id) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_viewer_is_told_when_the_desktop_is_gone() {
    let mut viewing = Viewing::start(ViewerMode::Watch, None).await;
    let (spare, _) = Room::start();
    drop(std::mem::replace(&mut viewing.room, spare));
    assert!(matches!(viewing.client.word().await, ToViewer::Ended { .. }));
    viewing.left().await;
}

#[tokio::test]
async fn an_offer_that_cannot_be_answered_is_refused_with_its_cause() {
    let sessions = WhepSessions::default();
    let (_, good) = Client::offering().await;
    let no_video = good.split("m=").filter(|part| !part.starts_with("video")).collect::<Vec<_>>().join("m=");
    let cases = [
        ("", "nothing"),
        ("not SDP at all", "words"),
        ("v=0\r\n", "a beginning"),
        (&good[..good.len() / 2], "half an offer"),
        (&good.replace("H264", "VP8"), "another codec"),
        (&good.replace("a=fingerprint:", "a=finger:"), "no fingerprint"),
        (&good.replace("a=ice-ufrag:", "a=ice-u:"), "no ICE name"),
        (&no_video, "no video"),
        (&"x".repeat(1 << 20), "far too much"),
    ];
    for (offer, what) in cases {
        let (_room, desktop) = Room::start();
        let (seat, mut driver) = FakeSeat::new(ViewerMode::Watch, None);
        let opened = tokio::time::timeout(PATIENCE, sessions.open(offer.to_owned(), seat, desktop)).await.unwrap();
        let Err(error) = opened else { panic!("{what} was answered") };
        assert!(matches!(error, WhepError::BadOffer(_) | WhepError::NoH264), "{what}: {error:?}");
        assert_eq!(soon("the seat to be left", driver.asked.recv()).await, Some(Asked::Left));
    }
    // None of them keeps a place.
    soon("the sessions' end", sessions.close_all()).await;
}
