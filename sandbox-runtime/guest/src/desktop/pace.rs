//! Which kind of picture a view gets next. Pure: time comes in as what has passed since the stream began.
//!
//! Small changes go as tiles, exact and quick. What keeps changing in a big way goes as H.264, and once it rests the
//! view is made exact with tiles (or, where only video may go, with one sharp picture).

use std::time::Duration;

/// How long the screen must be without big changes until what video left inexact is sent exactly.
pub const REST: Duration = Duration::from_millis(100);
/// Tiles a second beyond which a change is video.
const TILE_BYTES_PER_SECOND: f64 = 12e6;
/// While video runs, a change with fewer bytes than this still goes as tiles.
const SMALL_CHANGE: usize = 200 << 10;

/// What the view can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Able {
    Tiles,
    Video,
    Both,
}

/// The kind of the next picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Tiles,
    Video,
}

/// What was sent lately to one view.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    able: Able,
    /// Bytes that may go as tiles now; at most two whole pictures.
    budget: f64,
    most: f64,
    at: Duration,
    /// When the last big change went as video, while the view is inexact because of it.
    video_at: Option<Duration>,
}

impl Pace {
    pub fn new(able: Able, picture_bytes: usize) -> Self {
        let most = picture_bytes as f64 * 2.0;
        Self { able, budget: most, most, at: Duration::ZERO, video_at: None }
    }

    /// The kind for a change. `area_bytes` is what it takes untouched; `tile_bytes` works out what it takes as tiles.
    pub fn change(&mut self, area_bytes: usize, tile_bytes: impl FnOnce() -> usize, now: Duration) -> Kind {
        self.refill(now);
        match self.able {
            Able::Tiles => Kind::Tiles,
            Able::Video => self.video(now),
            Able::Both if self.video_at.is_some() && area_bytes > SMALL_CHANGE => self.video(now),
            Able::Both if tile_bytes() as f64 <= self.budget => Kind::Tiles,
            Able::Both => self.video(now),
        }
    }

    /// Counts tiles that were sent.
    pub fn sent_tiles(&mut self, bytes: usize) {
        self.budget -= bytes as f64;
    }

    /// When the view is to be made exact, if video left it inexact.
    pub fn exact_at(&mut self, now: Duration) -> Option<Duration> {
        self.refill(now);
        let rest = self.video_at? + REST;
        let short = match self.able {
            Able::Tiles | Able::Both => (-self.budget).max(0.0) / TILE_BYTES_PER_SECOND,
            Able::Video => 0.0,
        };
        Some(rest.max(now + Duration::from_secs_f64(short)))
    }

    /// The view is exact, or as sharp as it gets.
    pub fn exact(&mut self) {
        self.video_at = None;
    }

    fn video(&mut self, now: Duration) -> Kind {
        self.video_at = Some(now);
        Kind::Video
    }

    fn refill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = now;
        self.budget = (self.budget + passed * TILE_BYTES_PER_SECOND).min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: usize = 1280 * 720 * 4;

    /// The kinds of a run of equal changes, one each 16 ms.
    fn kinds(able: Able, changes: usize, area: usize, cost: usize) -> (Pace, Vec<Kind>) {
        let mut pace = Pace::new(able, WHOLE);
        let kinds = (0..changes).map(|n| {
            let kind = pace.change(area, || cost, Duration::from_millis(16 * n as u64));
            if kind == Kind::Tiles {
                pace.sent_tiles(cost);
            }
            kind
        });
        let kinds = kinds.collect();
        (pace, kinds)
    }

    #[test]
    fn typing_goes_as_tiles() {
        assert_eq!(kinds(Able::Both, 200, 16 << 10, 4 << 10).1, [Kind::Tiles; 200]);
    }

    #[test]
    fn scrolling_by_copies_goes_as_tiles() {
        assert_eq!(kinds(Able::Both, 200, WHOLE, 80 << 10).1, [Kind::Tiles; 200]);
    }

    #[test]
    fn one_new_page_goes_as_tiles_and_a_film_as_video() {
        let (pace, kinds) = kinds(Able::Both, 60, WHOLE, WHOLE);
        assert_eq!(kinds[0], Kind::Tiles);
        assert_eq!(kinds[5..], [Kind::Video; 55]);
        assert!(pace.video_at.is_some());
    }

    #[test]
    fn a_caret_beside_a_film_goes_as_tiles() {
        let (mut pace, _) = kinds(Able::Both, 60, WHOLE, WHOLE);
        assert_eq!(pace.change(16 << 10, || 16 << 10, Duration::from_millis(960)), Kind::Tiles);
    }

    #[test]
    fn a_film_that_rests_is_made_exact_after_a_moment() {
        let (mut pace, _) = kinds(Able::Both, 60, WHOLE, WHOLE);
        let last = Duration::from_millis(59 * 16);
        assert_eq!(pace.exact_at(last), Some(last + REST));
        pace.exact();
        assert_eq!(pace.exact_at(last), None);
    }

    #[test]
    fn a_view_without_video_gets_tiles_only_and_one_without_tiles_video_only() {
        assert_eq!(kinds(Able::Tiles, 60, WHOLE, WHOLE).1, [Kind::Tiles; 60]);
        assert_eq!(kinds(Able::Video, 60, 4, 4).1, [Kind::Video; 60]);
    }
}
