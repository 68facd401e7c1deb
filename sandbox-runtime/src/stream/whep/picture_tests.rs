//! Pictures by a data channel, from a client's side.

use sandbox_core::Lease;
use sandbox_core::viewer::{FromViewer, InputEvent, ViewerMode};
use sandbox_link::protocol::{InputFrame, VideoControl, VideoRequest};
use sandbox_picture::pieces::Joiner;

use super::client::{Viewing, whole};
use crate::stream::testing::{Asked, Seen, h264_picture, soon};

const LEASE: Lease = Lease(3);
const HELLO: FromViewer = FromViewer::Hello { h264: true, scale: None, rate: None };

/// Waits until the room was asked for this picture; fails if it was asked for video of the whole screen before.
async fn asked_without_video(viewing: &mut Viewing, expected: VideoRequest) {
    loop {
        match viewing.room.next().await {
            Seen::VideoAsked(asked) if asked == expected => return,
            Seen::VideoAsked(asked) => panic!("asked for {asked:?}"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn the_channel_carries_pictures_whole_and_in_order_and_the_track_none() {
    let mut viewing = Viewing::start_with_pictures(ViewerMode::Watch, None).await;
    let channel = viewing.pictures.clone().expect("it was opened");
    viewing.client.say(HELLO).await;
    asked_without_video(&mut viewing, VideoRequest::whole(true, true)).await;
    let mut joiner = Joiner::default();
    for (number, len) in [(1, 1), (2, 300_000), (3, 16_384), (4, 20)] {
        let unit: Vec<u8> = (0..len).map(|at: u32| (at % 251) as u8).collect();
        let sent = h264_picture(number, 5, &unit);
        viewing.room.pictures.send(sent.clone()).unwrap();
        let (got, n_pieces) = whole(&channel, &mut joiner).await;
        assert!(got == sent, "picture {number} is another one");
        assert_eq!(n_pieces, sent.len().div_ceil((16 << 10) - 4));
        viewing.client.say(FromViewer::Shown { picture: number }).await;
        assert_eq!(viewing.room.next().await, Seen::Video(VideoControl::Shown(number)));
    }
}

#[tokio::test]
async fn a_viewer_that_closes_its_channel_gets_video() {
    let mut viewing = Viewing::start_with_pictures(ViewerMode::Watch, None).await;
    viewing.client.say(HELLO).await;
    asked_without_video(&mut viewing, VideoRequest::whole(true, true)).await;
    viewing.pictures.take().expect("it was opened").close().await.unwrap();
    viewing.room_saw(Seen::VideoAsked(VideoRequest::whole(true, false))).await;
}

#[tokio::test]
async fn a_viewer_that_never_reads_holds_up_its_pictures_and_nothing_else() {
    let mut viewing = Viewing::start_with_pictures(ViewerMode::Control, Some(LEASE)).await;
    viewing.client.say(HELLO).await;
    asked_without_video(&mut viewing, VideoRequest::whole(true, true)).await;
    // Far more than all buffers between them. The client takes none of it, and says that it has shown all.
    for number in 1..=8 {
        viewing.room.pictures.send(h264_picture(number, 5, &vec![number as u8; 8 << 20])).unwrap();
        viewing.client.say(FromViewer::Shown { picture: number }).await;
    }
    for x in 0..20 {
        let event = InputEvent::Button { button: 0, down: x % 2 == 0, x, y: 0 };
        viewing.client.say(FromViewer::Input { lease: LEASE, event }).await;
        let InputFrame::Event(InputEvent::Button { x: seen, .. }) = viewing.room.next_input().await else { panic!() };
        assert_eq!(seen, x);
    }
    viewing.client.say(FromViewer::Ping { sent_at: 2.0 }).await;
    while soon("a heartbeat", viewing.driver.asked.recv()).await != Some(Asked::Heartbeat) {}
    assert!(viewing.sessions.close(&viewing.id));
    viewing.left().await;
}

#[tokio::test]
async fn what_a_viewer_sends_where_pictures_come_from_is_dropped() {
    let mut viewing = Viewing::start_with_pictures(ViewerMode::Watch, None).await;
    let channel = viewing.pictures.clone().expect("it was opened");
    for _ in 0..600 {
        channel.send((&[0u8; 64][..]).into()).await.unwrap();
    }
    viewing.client.say(HELLO).await;
    asked_without_video(&mut viewing, VideoRequest::whole(true, true)).await;
    let sent = h264_picture(1, 5, &[7; 40_000]);
    viewing.room.pictures.send(sent.clone()).unwrap();
    assert!(whole(&channel, &mut Joiner::default()).await.0 == sent);
}

#[tokio::test]
async fn a_viewer_that_opens_channel_after_channel_is_shown_out() {
    let mut viewing = Viewing::start_with_pictures(ViewerMode::Watch, None).await;
    let mut opened = vec![];
    for n in 0..40 {
        // Fails once the connection is gone.
        let label = if n % 2 == 0 { "input" } else { "other" };
        match viewing.client.connection.create_data_channel(label, None).await {
            Ok(channel) => opened.push(channel),
            Err(_) => break,
        }
    }
    viewing.left().await;
    soon("the session's place", async {
        while viewing.sessions.close(&viewing.id) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
