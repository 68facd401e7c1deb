//! Which part of the screen is a film, and goes through the video encoder. Pure: time comes in as what has passed since the
//! stream began.
//!
//! ```text
//!   lossless ── most pictures change it, in many colours, and it is costly ──▶ film ── it rests ──▶ lossless
//! ```
//!
//! Cells of 64×64 pixels heat up with each picture that changes them in more colours than a palette holds, and cool down
//! with each that does not. The largest group of hot cells becomes the film. Entering takes several pictures, leaving a
//! rest; the film grows and shrinks seldom, because each new size starts a new sequence of video. So nothing flickers.

use std::time::Duration;

use sandbox_picture::{BAND, Rect};

/// How long a film must be without a change until it is sent exactly. Longer than a busy machine takes between pictures.
pub const FILM_REST: Duration = Duration::from_millis(250);
/// Pictures further apart than this are no film. Long enough for a busy machine; slides that rest in between end by [`FILM_REST`].
const PAUSE: Duration = Duration::from_secs(1);
/// A film keeps its size at least this long.
const KEPT: Duration = Duration::from_secs(1);
/// Heat at which a cell is part of a film; each picture adds or takes one.
const HOT: u8 = 12;
const HOTTEST: u8 = 20;
/// Fewer cells are not worth an encoder.
const MIN_CELLS: usize = 4;
/// Bytes of a lossless picture beneath which video would cost more: encoding takes far longer than compressing.
const COSTLY_BYTES: f64 = 96e3;

/// What the pictures of one viewer were like lately.
#[derive(Clone, Debug)]
pub struct Motion {
    width: usize,
    height: usize,
    columns: usize,
    cells: Vec<Cell>,
    /// Bytes of a lossless picture, on average over the last few.
    bytes: f64,
    noted_at: Duration,
    film: Option<Film>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    heat: u8,
    changed_at: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Film {
    area: Rect,
    began_at: Duration,
    changed_at: Duration,
}

impl Motion {
    pub fn new(width: usize, height: usize) -> Self {
        let (columns, rows) = (width.div_ceil(BAND), height.div_ceil(BAND));
        let cells = vec![Cell::default(); columns * rows];
        Self { width, height, columns, cells, bytes: 0.0, noted_at: Duration::ZERO, film: None }
    }

    /// The part of the screen that is a film now; its sides are even.
    pub fn film(&self) -> Option<Rect> {
        self.film.map(|film| film.area)
    }

    /// When the film will be sent exactly, if it does not change before.
    pub fn rests_at(&self) -> Option<Duration> {
        self.film.map(|film| film.changed_at + FILM_REST)
    }

    /// Ends a film that has rested; returns whether it did.
    pub fn rest(&mut self, now: Duration) -> bool {
        let rests = self.rests_at().is_some_and(|at| at <= now);
        if rests {
            self.film = None;
            self.cells.fill(Cell::default());
        }
        rests
    }

    /// Takes in a lossless picture of `bytes` that changed these parts in many colours.
    pub fn lossless(&mut self, changed: &[Rect], bytes: usize, now: Duration) {
        if now.saturating_sub(self.noted_at) > PAUSE {
            self.cells.iter_mut().for_each(|cell| cell.heat = 0);
            self.bytes = 0.0;
        }
        self.noted_at = now;
        self.bytes += (bytes as f64 - self.bytes) / 8.0;
        let film = self.film();
        for at in 0..self.cells.len() {
            let area = self.cell(at);
            if film.is_some_and(|film| film.meets(&area)) {
                continue;
            }
            let cell = &mut self.cells[at];
            if changed.iter().any(|part| part.meets(&area)) {
                cell.heat = (cell.heat + 1).min(HOTTEST);
                cell.changed_at = now;
            } else {
                cell.heat = cell.heat.saturating_sub(1);
            }
        }
        if self.bytes >= COSTLY_BYTES {
            self.grow(now);
        }
    }

    /// Takes in a change of the film; `changed` says which parts of it did.
    pub fn filmed(&mut self, changed: impl Fn(Rect) -> bool, now: Duration) {
        let Some(film) = &mut self.film else { return };
        film.changed_at = now;
        let film = *film;
        for at in self.within(film.area) {
            if changed(self.cell(at)) {
                self.cells[at].changed_at = now;
            }
        }
        if now.saturating_sub(film.began_at) > KEPT {
            self.shrink(film, now);
        }
    }

    fn grow(&mut self, now: Duration) {
        if self.film.is_some_and(|film| now.saturating_sub(film.began_at) < KEPT) {
            return;
        }
        let film = self.film();
        let is_hot = |at: usize| self.cells[at].heat >= HOT || film.is_some_and(|film| film.meets(&self.cell(at)));
        let Some(group) = self.largest_group(is_hot) else { return };
        let area = self.around(&group);
        if group.len() >= MIN_CELLS && film != Some(area) {
            self.film = Some(Film { area, began_at: now, changed_at: now });
        }
    }

    /// Leaves out what has not changed for long, if that is much.
    fn shrink(&mut self, film: Film, now: Duration) {
        let moving: Vec<usize> =
            self.within(film.area).filter(|at| now.saturating_sub(self.cells[*at].changed_at) < KEPT).collect();
        let area = self.around(&moving);
        if area.is_empty() || area.area() * 2 > film.area.area() {
            return;
        }
        let is_film = moving.len() >= MIN_CELLS;
        self.film = is_film.then_some(Film { area, began_at: now, ..film });
    }

    /// The cells of the largest connected group.
    fn largest_group(&self, is_hot: impl Fn(usize) -> bool) -> Option<Vec<usize>> {
        let mut seen: Vec<bool> = (0..self.cells.len()).map(|at| !is_hot(at)).collect();
        let mut largest: Option<Vec<usize>> = None;
        for start in 0..self.cells.len() {
            if std::mem::replace(&mut seen[start], true) {
                continue;
            }
            let mut group = vec![start];
            let mut next = 0;
            while let Some(&at) = group.get(next) {
                next += 1;
                for neighbour in self.neighbours(at) {
                    if !std::mem::replace(&mut seen[neighbour], true) {
                        group.push(neighbour);
                    }
                }
            }
            if largest.as_ref().is_none_or(|known| known.len() < group.len()) {
                largest = Some(group);
            }
        }
        largest
    }

    fn neighbours(&self, at: usize) -> impl Iterator<Item = usize> {
        let (column, row) = (at % self.columns, at / self.columns);
        let (columns, rows) = (self.columns, self.cells.len() / self.columns);
        let rows = row.saturating_sub(1)..rows.min(row + 2);
        rows.flat_map(move |row| {
            (column.saturating_sub(1)..columns.min(column + 2)).map(move |column| row * columns + column)
        })
    }

    fn cell(&self, at: usize) -> Rect {
        let (x, y) = (at % self.columns * BAND, at / self.columns * BAND);
        Rect { x, y, w: BAND, h: BAND }.within(self.width, self.height)
    }

    fn within(&self, area: Rect) -> impl Iterator<Item = usize> + use<> {
        let columns = self.columns;
        let rows = area.y / BAND..area.bottom().div_ceil(BAND);
        rows.flat_map(move |row| (area.x / BAND..area.right().div_ceil(BAND)).map(move |column| row * columns + column))
    }

    /// The rectangle around cells, with even sides: 4:2:0 has whole pairs only.
    fn around(&self, cells: &[usize]) -> Rect {
        let area = cells.iter().map(|at| self.cell(*at)).reduce(Rect::around).unwrap_or_default();
        Rect { w: area.w & !1, h: area.h & !1, ..area }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILM: Rect = Rect { x: 128, y: 64, w: 256, h: 192 };
    const MUCH: usize = 400_000;

    fn at(picture: u64) -> Duration {
        Duration::from_millis(16 * picture)
    }

    /// A film that has been running for this many pictures.
    fn after(pictures: u64, changed: &[Rect], bytes: usize) -> Motion {
        let mut motion = Motion::new(1280, 808);
        (1..=pictures).for_each(|n| motion.lossless(changed, bytes, at(n)));
        motion
    }

    #[test]
    fn what_changes_in_every_picture_becomes_a_film_and_no_more_than_that() {
        assert_eq!(after(HOT as u64 - 1, &[FILM], MUCH).film(), None);
        assert_eq!(after(30, &[FILM], MUCH).film(), Some(FILM));
    }

    #[test]
    fn what_is_cheap_stays_exact_however_much_it_moves() {
        assert_eq!(after(600, &[FILM], 30_000).film(), None);
    }

    #[test]
    fn pictures_far_apart_are_no_film() {
        let mut motion = Motion::new(1280, 808);
        (1..100).for_each(|n| motion.lossless(&[FILM], MUCH, at(n * 80)));
        assert_eq!(motion.film(), None);
    }

    #[test]
    fn of_two_films_the_larger_is_encoded_and_the_text_between_them_stays_exact() {
        let small = Rect { x: 1024, y: 640, w: 128, h: 128 };
        assert_eq!(after(40, &[FILM, small], MUCH).film(), Some(FILM));
    }

    #[test]
    fn a_film_ends_when_it_rests_and_must_prove_itself_again() {
        let mut motion = after(30, &[FILM], MUCH);
        motion.filmed(|_| true, at(40));
        assert_eq!(motion.rests_at(), Some(at(40) + FILM_REST));
        assert!(!motion.rest(at(41)));
        assert_eq!(motion.film(), Some(FILM));
        assert!(motion.rest(at(40) + FILM_REST));
        assert_eq!(motion.film(), None);
        motion.lossless(&[FILM], MUCH, at(50));
        assert_eq!(motion.film(), None);
    }

    #[test]
    fn a_film_of_which_little_still_moves_shrinks_after_a_while() {
        let mut motion = after(30, &[FILM], MUCH);
        let part = Rect { x: 128, y: 64, w: 128, h: 128 };
        (31..60).for_each(|n| motion.filmed(|cell| cell.meets(&part), at(n)));
        assert_eq!(motion.film(), Some(FILM), "not at once");
        (60..200).for_each(|n| motion.filmed(|cell| cell.meets(&part), at(n)));
        assert_eq!(motion.film(), Some(part));
    }

    #[test]
    fn sides_are_even_also_on_an_odd_screen() {
        let mut motion = Motion::new(641, 489);
        (1..30).for_each(|n| motion.lossless(&[Rect { x: 0, y: 0, w: 641, h: 489 }], MUCH, at(n)));
        assert_eq!(motion.film(), Some(Rect { x: 0, y: 0, w: 640, h: 488 }));
    }
}
