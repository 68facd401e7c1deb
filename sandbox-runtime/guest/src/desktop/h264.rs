//! H.264 of a part of the screen: OpenH264 for screen content, one reference, no reordering, BT.601 limited range, 4:2:0.
//!
//! The quantiser is set for each picture, in place of the library's rate control.

use openh264::OpenH264API;
use openh264::encoder::{
    Complexity, Encoder, EncoderConfig, FrameRate, FrameType, Profile, QpRange, RateControlMode, UsageType, VuiConfig,
};
use openh264::formats::YUVSlices;
use openh264_sys2::{ENCODER_OPTION_SVC_ENCODE_PARAM_EXT, SEncParamExt};
use sandbox_picture::wire::{FLAG_KEY, HEADER_LEN, Header, RECT_LEN};
use sandbox_picture::{Picture, Rect};
use yuv::{YuvChromaSubsampling, YuvConversionMode, YuvPlanarImageMut, YuvRange, YuvStandardMatrix};

#[derive(Debug, thiserror::Error)]
pub enum H264Error {
    #[error("encode a picture: {0}")]
    Encode(#[from] openh264::Error),
    #[error("convert a picture to YUV: {0}")]
    Convert(#[source] yuv::YuvError),
    #[error("set the quantiser: code {0}")]
    Quantiser(i32),
}

/// One stream of pictures.
pub struct Video {
    encoder: Encoder,
    planes: Option<YuvPlanarImageMut<'static, u8>>,
    is_new_size: bool,
    qp: Option<i32>,
}

/// One picture of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessUnit {
    pub bytes: Vec<u8>,
    pub key: bool,
}

impl AccessUnit {
    /// Returns the message that shows it in `part` of the screen. Of the header the flags are set here.
    pub fn message(&self, header: Header, part: Rect) -> Vec<u8> {
        let header = Header { flags: if self.key { FLAG_KEY } else { 0 }, ..header };
        let mut message = Vec::with_capacity(HEADER_LEN + RECT_LEN + self.bytes.len());
        header.write(&mut message);
        for number in [part.x, part.y, part.w, part.h] {
            message.extend_from_slice(&(number as u16).to_le_bytes());
        }
        message.extend_from_slice(&self.bytes);
        message
    }
}

impl Video {
    /// Loads a picture into the stream, which begins with the first.
    pub fn load_into(video: &mut Option<Self>, picture: &Picture<'_>, part: Rect) -> Result<(), H264Error> {
        let video = match video {
            Some(video) => video,
            none => none.insert(Self::new()?),
        };
        video.load(picture, part)
    }

    pub fn new() -> Result<Self, H264Error> {
        let config = EncoderConfig::new()
            .usage_type(UsageType::ScreenContentRealTime)
            .complexity(Complexity::Low)
            .rate_control_mode(RateControlMode::Off)
            .skip_frames(false)
            .max_frame_rate(FrameRate::from_hz(60.0))
            .profile(Profile::Baseline)
            .qp(QpRange::new(0, 51))
            .adaptive_quantization(false)
            .background_detection(false)
            .num_threads(1)
            .vui(VuiConfig::bt601());
        Ok(Self {
            encoder: Encoder::with_api_config(OpenH264API::from_source(), config)?,
            planes: None,
            is_new_size: false,
            qp: None,
        })
    }

    /// Takes in the pixels of `part`, whose sides are even. Quick, so that the picture can be let go before encoding.
    pub fn load(&mut self, picture: &Picture<'_>, part: Rect) -> Result<(), H264Error> {
        let (width, height) = (part.w as u32, part.h as u32);
        if self.planes.as_ref().is_none_or(|planes| (planes.width, planes.height) != (width, height)) {
            self.planes = Some(YuvPlanarImageMut::alloc(width, height, YuvChromaSubsampling::Yuv420));
            self.is_new_size = true;
        }
        convert(picture, part, self.planes.as_mut().expect("made above"))
    }

    /// Encodes what was loaded last; `None` when the encoder found nothing to send.
    pub fn encode(&mut self, qp: i32, key: bool) -> Result<Option<AccessUnit>, H264Error> {
        let Some(planes) = &self.planes else { return Ok(None) };
        let (width, height) = (planes.width, planes.height);
        // A new size starts the encoder anew, with a key frame; its options can be set after that.
        if !std::mem::take(&mut self.is_new_size) {
            if self.qp != Some(qp) {
                set_qp(&mut self.encoder, qp)?;
                self.qp = Some(qp);
            }
            if key {
                self.encoder.force_intra_frame();
            }
        } else {
            self.qp = None;
        }
        let strides = (planes.y_stride as usize, planes.u_stride as usize, planes.v_stride as usize);
        let source = YUVSlices::new(
            (planes.y_plane.borrow(), planes.u_plane.borrow(), planes.v_plane.borrow()),
            (width as usize, height as usize),
            strides,
        );
        let stream = self.encoder.encode(&source)?;
        let key = match stream.frame_type() {
            FrameType::IDR | FrameType::I => true,
            FrameType::P | FrameType::IPMixed => false,
            FrameType::Skip | FrameType::Invalid => return Ok(None),
        };
        let bytes = stream.to_vec();
        Ok((!bytes.is_empty()).then_some(AccessUnit { bytes, key }))
    }
}

fn convert(picture: &Picture<'_>, part: Rect, planes: &mut YuvPlanarImageMut<'_, u8>) -> Result<(), H264Error> {
    // Little-endian `0x??RRGGBB` is B, G, R, and a byte that is not looked at.
    let pixels = &picture.pixels[part.y * picture.width + part.x..];
    yuv::bgra_to_yuv420(
        planes,
        bytemuck::cast_slice(pixels),
        picture.width as u32 * 4,
        YuvRange::Limited,
        YuvStandardMatrix::Bt601,
        YuvConversionMode::Balanced,
    )
    .map_err(H264Error::Convert)
}

/// With rate control off, the layer's own quantiser is used; changing it keeps the references.
fn set_qp(encoder: &mut Encoder, qp: i32) -> Result<(), H264Error> {
    let mut parameters = SEncParamExt::default();
    let option = ENCODER_OPTION_SVC_ENCODE_PARAM_EXT;
    // SAFETY: the encoder is initialised, the option's type is `SEncParamExt`, and all but the quantiser stays.
    let code = unsafe {
        let raw = encoder.raw_api();
        let read = raw.get_option(option, (&raw mut parameters).cast());
        for layer in &mut parameters.sSpatialLayers {
            layer.iDLayerQp = qp;
        }
        if read == 0 { raw.set_option(option, (&raw mut parameters).cast()) } else { read }
    };
    if code == 0 { Ok(()) } else { Err(H264Error::Quantiser(code)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use openh264::decoder::Decoder;
    use openh264::formats::YUVSource;

    /// A screen of its own, with text-like noise: half of the pixels in runs, moved down by `offset`.
    struct Page {
        width: usize,
        height: usize,
        pixels: Vec<u32>,
    }

    impl Page {
        fn new(width: usize, height: usize, offset: usize) -> Self {
            let pixels = (0..width * height).map(|at| {
                let (x, y) = (at % width, at / width + offset);
                if (x / 3 * 31 + y / 5 * 17) % 7 < 2 { 0x0010_2040 } else { 0xFFF8_F8F0 }
            });
            Self { width, height, pixels: pixels.collect() }
        }

        fn picture(&self) -> Picture<'_> {
            Picture { width: self.width, height: self.height, pixels: &self.pixels }
        }
    }

    const PART: Rect = Rect { x: 64, y: 10, w: 320, h: 200 };

    fn encode(video: &mut Video, page: &Page, part: Rect, qp: i32, key: bool) -> AccessUnit {
        video.load(&page.picture(), part).unwrap();
        video.encode(qp, key).unwrap().unwrap()
    }

    fn luma_error(decoder: &mut Decoder, unit: &AccessUnit, page: &Page) -> f64 {
        let shown = decoder.decode(&unit.bytes).unwrap().expect("a picture comes out at once: nothing is reordered");
        let mut planes = YuvPlanarImageMut::alloc(PART.w as u32, PART.h as u32, YuvChromaSubsampling::Yuv420);
        convert(&page.picture(), PART, &mut planes).unwrap();
        let (stride, shown_stride) = (planes.y_stride as usize, shown.strides().0);
        let mut sum = 0.0;
        for y in 0..PART.h {
            for x in 0..PART.w {
                let error =
                    f64::from(planes.y_plane.borrow()[y * stride + x]) - f64::from(shown.y()[y * shown_stride + x]);
                sum += error * error;
            }
        }
        sum / PART.area() as f64
    }

    #[test]
    fn a_part_of_the_screen_decodes_at_once_and_gets_sharp_at_rest() {
        let (mut video, mut decoder) = (Video::new().unwrap(), Decoder::new().unwrap());
        for offset in 0..4 {
            let page = Page::new(641, 301, offset * 12);
            let unit = encode(&mut video, &page, PART, 28, false);
            assert_eq!(unit.key, offset == 0);
            assert!(luma_error(&mut decoder, &unit, &page) < 60.0);
        }
        let page = Page::new(641, 301, 36);
        let unit = encode(&mut video, &page, PART, super::super::quantiser::REST, false);
        assert!(!unit.key);
        let error = luma_error(&mut decoder, &unit, &page);
        assert!(error < 2.0, "mean square error {error}");
    }

    #[test]
    fn a_key_frame_comes_when_asked_and_when_the_size_changes() {
        let mut video = Video::new().unwrap();
        let page = Page::new(641, 301, 0);
        let keys = [(320, false), (320, false), (320, true), (320, false), (400, false)]
            .map(|(w, key)| encode(&mut video, &page, Rect { w, ..PART }, 20, key).key);
        assert_eq!(keys, [true, false, true, false, true]);
    }
}
