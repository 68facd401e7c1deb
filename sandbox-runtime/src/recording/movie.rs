//! The layouts: an MP4 of fragments while it grows, an ordinary one with its index first once it is whole.

use mp4_atom::{
    Any, Avc1, Avcc, Co64, Dinf, Dref, Encode, FourCC, Ftyp, Hdlr, Mdhd, Mdia, Mfhd, Minf, Moof, Moov, Mvex, Mvhd,
    ReadFrom, Stbl, Stsc, StscEntry, Stsd, Stss, Stsz, StszSamples, Stts, SttsEntry, Tfdt, Tfhd, Tkhd, Traf, Trak,
    Trex, Trun, TrunEntry, TrunSamples, Url, Visual, Vmhd,
};

use super::avc::Parameters;

/// Times are in milliseconds.
const TIMESCALE: u32 = 1000;
const TRACK: u32 = 1;
/// Flags of a sample: it depends on no other, or on others and is no place to begin.
const KEY: u32 = 0x0200_0000;
const DELTA: u32 = 0x0101_0000;
/// How long a picture of a growing file is said to be shown: the time of the next one says it better.
const SHOWN_MS: u32 = 200;

/// The size of the picture, and what its decoder must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    pub width: u16,
    pub height: u16,
    pub parameters: Parameters,
}

/// One picture in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Since the beginning of the recording.
    pub at_ms: u64,
    pub key: bool,
    /// Where its bytes are in the file.
    pub offset: u64,
    pub size: u32,
}

/// A recording that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movie {
    pub format: Format,
    pub samples: Vec<Sample>,
}

/// Returns what a growing file begins with.
pub fn beginning(format: &Format) -> Result<Vec<u8>, mp4_atom::Error> {
    let mut out = Vec::new();
    ftyp(b"iso6").encode(&mut out)?;
    let trex = Trex {
        track_id: TRACK,
        default_sample_description_index: 1,
        default_sample_duration: 0,
        default_sample_size: 0,
        default_sample_flags: 0,
    };
    let mvex = Mvex { mehd: None, trex: vec![trex] };
    let stbl = Stbl { stco: Some(Default::default()), ..table(format)? };
    moov(format, 0, stbl, Some(mvex)).encode(&mut out)?;
    Ok(out)
}

/// Returns one picture as a fragment. It is whole, or a reader leaves it out.
pub fn fragment(number: u32, at_ms: u64, key: bool, sample: &[u8]) -> Result<Vec<u8>, mp4_atom::Error> {
    let entry = TrunEntry {
        duration: Some(SHOWN_MS),
        size: Some(sample.len() as u32),
        flags: Some(if key { KEY } else { DELTA }),
        cts: None,
    };
    let moof = |data_offset| Moof {
        mfhd: Mfhd { sequence_number: number },
        traf: vec![Traf {
            tfhd: Tfhd { track_id: TRACK, default_base_is_moof: true, ..Tfhd::default() },
            tfdt: Some(Tfdt { base_media_decode_time: at_ms }),
            trun: vec![Trun { data_offset: Some(data_offset), samples: TrunSamples::Explicit(vec![entry]) }],
            ..Traf::default()
        }],
    };
    let mut out = Vec::new();
    moof(0).encode(&mut out)?;
    // The sample lies behind the box and the header of the next one.
    let data_offset = out.len() as i32 + HEADER as i32;
    out.clear();
    moof(data_offset).encode(&mut out)?;
    out.extend_from_slice(&(HEADER + sample.len() as u32).to_be_bytes());
    out.extend_from_slice(b"mdat");
    out.extend_from_slice(sample);
    Ok(out)
}

const HEADER: u32 = 8;

impl Movie {
    /// Reads a growing file up to its last whole picture.
    ///
    /// # Errors
    ///
    /// It has no beginning that can be read.
    pub fn read(file: &mut (impl std::io::Read + std::io::Seek)) -> Result<Self, mp4_atom::Error> {
        let (mut format, mut samples) = (None, Vec::new());
        let mut next: Option<(u64, TrunEntry)> = None;
        let length = file.seek(std::io::SeekFrom::End(0))?;
        let mut at = file.seek(std::io::SeekFrom::Start(0))?;
        while at < length {
            let Ok(header) = mp4_atom::Header::read_from(file) else { break };
            let body = file.stream_position()?;
            let Some(end) = header.size.map(|size| body + size as u64).filter(|end| *end <= length) else { break };
            if header.kind == FourCC::new(b"mdat") {
                if let Some((at_ms, entry)) = next.take() {
                    let key = entry.flags.is_some_and(|flags| flags == KEY);
                    samples.push(Sample { at_ms, key, offset: body, size: (end - body) as u32 });
                }
            } else {
                file.seek(std::io::SeekFrom::Start(at))?;
                match Any::read_from(file) {
                    Ok(Any::Moov(moov)) => format = format_of(&moov),
                    Ok(Any::Moof(moof)) => next = moof.traf.first().and_then(fragment_of),
                    Ok(_) => {}
                    Err(_) => break,
                }
            }
            at = file.seek(std::io::SeekFrom::Start(end))?;
        }
        let format = format.ok_or(mp4_atom::Error::MissingBox(FourCC::new(b"moov")))?;
        Ok(Self { format, samples })
    }

    /// Returns what the whole file begins with; the samples follow it, in their order and nothing else. The last picture is
    /// shown until `ended_at_ms`.
    pub fn head(&self, ended_at_ms: u64) -> Result<Vec<u8>, mp4_atom::Error> {
        let data: u64 = self.samples.iter().map(|sample| u64::from(sample.size)).sum();
        // The index has the same size whatever values it holds.
        let mut out = Vec::new();
        self.write_head(0, ended_at_ms, &mut out)?;
        let first = out.len() as u64 + u64::from(HEADER);
        out.clear();
        self.write_head(first, ended_at_ms, &mut out)?;
        out.extend_from_slice(&(HEADER + data as u32).to_be_bytes());
        out.extend_from_slice(b"mdat");
        Ok(out)
    }

    fn write_head(&self, first: u64, ended_at_ms: u64, out: &mut Vec<u8>) -> Result<(), mp4_atom::Error> {
        let begun_at_ms = self.samples.first().map_or(0, |sample| sample.at_ms);
        let ends = self.samples.iter().skip(1).map(|next| next.at_ms).chain([ended_at_ms]);
        let durations = self.samples.iter().zip(ends).map(|(sample, end)| end.saturating_sub(sample.at_ms).max(1));
        let mut stts = Stts::default();
        for duration in durations.map(|ms| ms as u32) {
            match stts.entries.last_mut() {
                Some(last) if last.sample_delta == duration => last.sample_count += 1,
                Some(_) | None => stts.entries.push(SttsEntry { sample_count: 1, sample_delta: duration }),
            }
        }
        let keys = self.samples.iter().zip(1..).filter(|(sample, _)| sample.key).map(|(_, number)| number);
        let chunk =
            StscEntry { first_chunk: 1, samples_per_chunk: self.samples.len() as u32, sample_description_index: 1 };
        let sizes = self.samples.iter().map(|sample| sample.size).collect();
        let stbl = Stbl {
            stts,
            stss: Some(Stss { entries: keys.collect() }),
            stsc: Stsc { entries: vec![chunk] },
            stsz: Stsz { samples: StszSamples::Different { sizes } },
            co64: Some(Co64 { entries: vec![first] }),
            ..table(&self.format)?
        };
        ftyp(b"isom").encode(out)?;
        moov(&self.format, ended_at_ms.saturating_sub(begun_at_ms), stbl, None).encode(out)
    }
}

fn ftyp(brand: &[u8; 4]) -> Ftyp {
    let brands = [*brand, *b"avc1", *b"mp41"];
    Ftyp { major_brand: FourCC::new(brand), minor_version: 512, compatible_brands: brands.map(FourCC::from).to_vec() }
}

fn moov(format: &Format, duration: u64, stbl: Stbl, mvex: Option<Mvex>) -> Moov {
    let mvhd = Mvhd {
        creation_time: 0,
        modification_time: 0,
        timescale: TIMESCALE,
        duration,
        rate: 1.into(),
        volume: 1.into(),
        matrix: Default::default(),
        next_track_id: TRACK + 1,
    };
    let tkhd = Tkhd {
        track_id: TRACK,
        duration,
        enabled: true,
        in_movie: true,
        width: format.width.into(),
        height: format.height.into(),
        ..Tkhd::default()
    };
    let mdhd =
        Mdhd { creation_time: 0, modification_time: 0, timescale: TIMESCALE, duration, language: "und".to_owned() };
    let hdlr = Hdlr { handler: FourCC::new(b"vide"), name: "Baton".to_owned() };
    let dinf = Dinf { dref: Dref { entries: vec![Url::default().into()] } };
    let minf = Minf { vmhd: Some(Vmhd::default()), dinf, stbl, ..Minf::default() };
    let trak = Trak { tkhd, mdia: Mdia { mdhd, hdlr, minf }, ..Trak::default() };
    Moov { mvhd, mvex, trak: vec![trak], ..Moov::default() }
}

fn table(format: &Format) -> Result<Stbl, mp4_atom::Error> {
    let visual = Visual {
        data_reference_index: 1,
        width: format.width,
        height: format.height,
        horizresolution: 72.into(),
        vertresolution: 72.into(),
        frame_count: 1,
        compressor: "H.264".into(),
        depth: 24,
    };
    let avcc = Avcc::new(&format.parameters.sequence, &format.parameters.picture)?;
    let avc1 = Avc1 { visual, avcc, ..Avc1::default() };
    Ok(Stbl { stsd: Stsd { codecs: vec![avc1.into()] }, ..Stbl::default() })
}

fn format_of(moov: &Moov) -> Option<Format> {
    let codecs = &moov.trak.first()?.mdia.minf.stbl.stsd.codecs;
    let mp4_atom::Codec::Avc1(avc1) = codecs.first()? else { return None };
    let sequence = avc1.avcc.sequence_parameter_sets.first()?.clone();
    let picture = avc1.avcc.picture_parameter_sets.first()?.clone();
    let (width, height) = (avc1.visual.width, avc1.visual.height);
    Some(Format { width, height, parameters: Parameters { sequence, picture } })
}

fn fragment_of(traf: &Traf) -> Option<(u64, TrunEntry)> {
    Some((traf.tfdt.as_ref()?.base_media_decode_time, traf.trun.first()?.samples.get(0)?))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn format() -> Format {
        let parameters = Parameters { sequence: vec![0x67, 66, 192, 31, 9], picture: vec![0x68, 1] };
        Format { width: 1280, height: 720, parameters }
    }

    fn growing() -> Vec<u8> {
        let mut file = beginning(&format()).unwrap();
        for (number, (at_ms, key, sample)) in
            [(0, true, &b"first"[..]), (150, false, b"2"), (60_000, true, b"third")].into_iter().enumerate()
        {
            file.extend(fragment(number as u32 + 1, at_ms, key, sample).unwrap());
        }
        file
    }

    #[test]
    fn a_growing_file_is_read_back_up_to_its_last_whole_picture() {
        let file = growing();
        let whole = Movie::read(&mut Cursor::new(&file)).unwrap();
        assert_eq!(whole.format, format());
        let told: Vec<_> = whole.samples.iter().map(|sample| (sample.at_ms, sample.key)).collect();
        assert_eq!(told, [(0, true), (150, false), (60_000, true)]);
        let bytes = |sample: &Sample| &file[sample.offset as usize..][..sample.size as usize];
        assert_eq!(whole.samples.iter().map(bytes).collect::<Vec<_>>(), [&b"first"[..], b"2", b"third"]);
        let begun = beginning(&format()).unwrap().len();
        for cut in begun..file.len() {
            let read = Movie::read(&mut Cursor::new(&file[..cut])).unwrap();
            assert_eq!(read.samples, whole.samples[..read.samples.len()], "cut at {cut}");
            assert!(read.samples.len() < 3);
        }
        assert!(Movie::read(&mut Cursor::new(&file[..begun - 1])).is_err());
    }

    #[test]
    fn the_index_of_a_whole_file_has_the_true_times_and_where_to_begin() {
        let movie = Movie::read(&mut Cursor::new(growing())).unwrap();
        let mut file = Cursor::new(movie.head(61_000).unwrap());
        let _ = Ftyp::read_from(&mut file).unwrap();
        let moov = Moov::read_from(&mut file).unwrap();
        assert_eq!(moov.mvhd.duration, 61_000);
        let stbl = &moov.trak[0].mdia.minf.stbl;
        let durations: Vec<_> =
            stbl.stts.entries.iter().map(|entry| (entry.sample_count, entry.sample_delta)).collect();
        assert_eq!(durations, [(1, 150), (1, 59_850), (1, 1000)]);
        assert_eq!(stbl.stss.as_ref().unwrap().entries, [1, 3]);
        let first = stbl.co64.as_ref().unwrap().entries[0];
        assert_eq!(first, file.get_ref().len() as u64, "the first sample follows the head");
    }
}
