//! How a made-up secret is recognised wherever it comes out.

/// A word in every secret that the simulator makes: access and refresh tokens, authorization codes, device codes. Whoever starts one
/// puts it into the secrets that are of their choice. Of a token in Microsoft's form it stands in the part that can't be read.
///
/// What programs print can be searched for it. A text without it holds none of these secrets whole.
pub const MARKER: &str = "made-up-secret";
