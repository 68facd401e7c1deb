//! One-time codes (RFC 6238), from a key in base32 or from an `otpauth://` address.

use std::time::Duration;

use totp_rs::{Builder, Secret, Totp, TotpError};

/// Makes the codes of one entry.
pub struct OneTimeCodes(Totp);

/// A text that makes no codes; it is not repeated, as it may be a mistyped key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    #[error("it is neither a key in base32 nor an `otpauth://totp/` address")]
    Unreadable,
    #[error("codes have 6 to 8 digits, and change every 1 to 600 s")]
    Shape,
}

impl OneTimeCodes {
    /// Reads a key: base32 as sites show it, with spaces, dashes and small letters, or an `otpauth://` address.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let text = text.trim();
        let totp = if text.get(..10).is_some_and(|begin| begin.eq_ignore_ascii_case("otpauth://")) {
            // Many sites still give keys of 80 bits, shorter than the RFC wants.
            Totp::from_url_unchecked(text).map_err(|_: TotpError| CodeError::Unreadable)?
        } else {
            let is_key = |c: &char| !c.is_whitespace() && *c != '-' && *c != '=';
            let key: String = text.chars().filter(is_key).collect::<String>().to_uppercase();
            let secret = Secret::try_from_base32(&key).map_err(|_| CodeError::Unreadable)?;
            if key.is_empty() {
                return Err(CodeError::Unreadable);
            }
            Builder::new().with_secret(secret).build_noncompliant()
        };
        let codes = Self(totp);
        if !(6..=8).contains(&codes.0.digits()) || !(1..=600).contains(&codes.0.step()) {
            return Err(CodeError::Shape);
        }
        Ok(codes)
    }

    /// Returns the code at a time since the Unix epoch, and for how long it is good.
    pub fn at(&self, time: Duration) -> (String, Duration) {
        let now = time.as_secs();
        let left = Duration::from_secs(self.0.next_step(now)).saturating_sub(time);
        (self.0.generate(now).to_string(), left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, seconds: u64, expected: (&str, u64)) {
        let codes = OneTimeCodes::parse(text).unwrap();
        let (code, left) = codes.at(Duration::from_secs(seconds));
        assert_eq!((code.as_str(), left.as_secs()), expected, "{text} at {seconds}");
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B, with the key of its SHA-1 table.
        let key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        check(&format!("otpauth://totp/a?secret={key}&digits=8"), 59, ("94287082", 1));
        check(&format!("otpauth://totp/a?secret={key}&digits=8"), 1_111_111_109, ("07081804", 1));
        check(key, 59, ("287082", 1));
        check("gezd gnbv-gy3t qojq gezd gnbv gy3t qojq", 59, ("287082", 1));
        check(&format!("otpauth://totp/Shop:ada%40example.org?secret={key}&issuer=Shop&period=60"), 59, ("755224", 1));
    }

    #[test]
    fn short_keys_of_older_sites_are_taken() {
        assert!(OneTimeCodes::parse("JBSWY3DPEHPK3PXP").is_ok());
    }

    #[test]
    fn what_makes_no_codes_is_refused_without_being_repeated() {
        for text in
            ["", "  ", "not base32!", "otpauth://hotp/a?secret=JBSWY3DPEHPK3PXP&counter=1", "otpauth://totp/a", "18"]
        {
            let error = OneTimeCodes::parse(text).err().unwrap_or_else(|| panic!("{text}"));
            assert_eq!(error, CodeError::Unreadable, "{text}");
        }
        let long = OneTimeCodes::parse("otpauth://totp/a?secret=JBSWY3DPEHPK3PXP&digits=9").err();
        assert_eq!(long, Some(CodeError::Shape));
    }
}
