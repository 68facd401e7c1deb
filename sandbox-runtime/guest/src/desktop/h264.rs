//! H.264 of the whole screen: OpenH264 for screen content, one reference, no reordering, BT.601 limited range, 4:2:0.
//!
//! The quantiser is set for each picture, in place of the library's rate control.

use openh264::OpenH264API;
use openh264::encoder::{
    Complexity, Encoder, EncoderConfig, FrameRate, FrameType, Profile, QpRange, RateControlMode, UsageType, VuiConfig,
};
use openh264::formats::YUVSlices;
use openh264_sys2::{ENCODER_OPTION_SVC_ENCODE_PARAM_EXT, SEncParamExt};
use yuv::{YuvChromaSubsampling, YuvConversionMode, YuvPlanarImageMut, YuvRange, YuvStandardMatrix};

use super::pixels::Pixels;

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
    qp: Option<i32>,
}

/// One picture of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessUnit {
    pub bytes: Vec<u8>,
    pub key: bool,
}

impl Video {
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
        Ok(Self { encoder: Encoder::with_api_config(OpenH264API::from_source(), config)?, planes: None, qp: None })
    }

    /// Encodes one picture; `None` when the encoder found nothing to send.
    pub fn encode(&mut self, picture: &Pixels, qp: i32, key: bool) -> Result<Option<AccessUnit>, H264Error> {
        // 4:2:0 has whole pairs only: an odd edge is repeated.
        let (width, height) = (picture.width.next_multiple_of(2) as u32, picture.height.next_multiple_of(2) as u32);
        let resized = self.planes.as_ref().is_none_or(|planes| (planes.width, planes.height) != (width, height));
        if resized {
            self.planes = Some(YuvPlanarImageMut::alloc(width, height, YuvChromaSubsampling::Yuv420));
        }
        let planes = self.planes.as_mut().expect("made above");
        convert(picture, planes)?;
        if !resized {
            if self.qp != Some(qp) {
                set_qp(&mut self.encoder, qp)?;
                self.qp = Some(qp);
            }
            if key {
                self.encoder.force_intra_frame();
            }
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

fn convert(picture: &Pixels, planes: &mut YuvPlanarImageMut<'_, u8>) -> Result<(), H264Error> {
    let padded: Vec<u32>;
    let (width, height) = (planes.width as usize, planes.height as usize);
    let pixels = if (picture.width, picture.height) == (width, height) {
        &picture.data
    } else {
        padded = (0..width * height)
            .map(|at| {
                picture.data[(at / width).min(picture.height - 1) * picture.width + (at % width).min(picture.width - 1)]
            })
            .collect();
        &padded
    };
    // SAFETY: any u32 is four bytes, and bytes need no alignment. Little-endian `0xFFRRGGBB` is B, G, R, A.
    let bytes = unsafe { std::slice::from_raw_parts(pixels.as_ptr().cast::<u8>(), pixels.len() * 4) };
    yuv::bgra_to_yuv420(
        planes,
        bytes,
        planes_stride(width),
        YuvRange::Limited,
        YuvStandardMatrix::Bt601,
        YuvConversionMode::Balanced,
    )
    .map_err(H264Error::Convert)
}

fn planes_stride(width: usize) -> u32 {
    width as u32 * 4
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

    /// Text-like noise: half of the pixels in runs, moved down by `offset`.
    fn page(width: usize, height: usize, offset: usize) -> Pixels {
        let data = (0..width * height).map(|at| {
            let (x, y) = (at % width, at / width + offset);
            if (x / 3 * 31 + y / 5 * 17) % 7 < 2 { 0xFF10_2040 } else { 0xFFF8_F8F0 }
        });
        Pixels { width, height, data: data.collect() }
    }

    fn luma_error(decoder: &mut Decoder, unit: &AccessUnit, picture: &Pixels) -> f64 {
        let shown = decoder.decode(&unit.bytes).unwrap().expect("a picture comes out at once: nothing is reordered");
        let mut planes = YuvPlanarImageMut::alloc(
            picture.width.next_multiple_of(2) as u32,
            picture.height.next_multiple_of(2) as u32,
            YuvChromaSubsampling::Yuv420,
        );
        convert(picture, &mut planes).unwrap();
        let (stride, shown_stride) = (planes.y_stride as usize, shown.strides().0);
        let mut sum = 0.0;
        for y in 0..picture.height {
            for x in 0..picture.width {
                let error =
                    f64::from(planes.y_plane.borrow()[y * stride + x]) - f64::from(shown.y()[y * shown_stride + x]);
                sum += error * error;
            }
        }
        sum / (picture.width * picture.height) as f64
    }

    #[test]
    fn pictures_decode_at_once_and_get_sharp_at_rest() {
        let (mut video, mut decoder) = (Video::new().unwrap(), Decoder::new().unwrap());
        for offset in 0..4 {
            let picture = page(322, 201, offset * 12);
            let unit = video.encode(&picture, 28, false).unwrap().unwrap();
            assert_eq!(unit.key, offset == 0);
            assert!(luma_error(&mut decoder, &unit, &picture) < 60.0);
        }
        let picture = page(322, 201, 36);
        let unit = video.encode(&picture, super::super::quantiser::REST, false).unwrap().unwrap();
        assert!(!unit.key);
        let error = luma_error(&mut decoder, &unit, &picture);
        assert!(error < 2.0, "mean square error {error}");
    }

    #[test]
    fn a_key_frame_comes_when_asked_and_when_the_size_changes() {
        let mut video = Video::new().unwrap();
        let keys: Vec<bool> = [(320, false), (320, false), (320, true), (320, false), (400, false)]
            .map(|(width, key)| video.encode(&page(width, 200, 0), 20, key).unwrap().unwrap().key)
            .to_vec();
        assert_eq!(keys, [true, false, true, false, true]);
    }
}
